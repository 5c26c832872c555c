// What back_up() and restore() share: the content of a database, and binaries on their way from one
// folder to another. Not for others. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deploy/store/artefacts.h"
#include "deploy/store/backup.h"
#include "deploy/store/sqlite.h"

namespace subito::store {

inline constexpr char kDatabase[] = "/state.db";
inline constexpr char kDatabaseNew[] = "/state.db.new";
inline constexpr char kArtefacts[] = "/artefacts";
inline constexpr char kBackupLock[] = "/backup.lock";

struct BackupContent {
  std::vector<std::string> artefacts;
  BackupReport report;
};

// Of functions and revisions, in figures, and the binaries that they want.
Result<BackupContent> content_of(Database& database);
Result<std::int64_t> number(Database& database, const char* sql);
Result<bool> has_table(Database& database, std::string_view name);

// kInvalidArgument: SQLite finds a damage in it.
Status check_pages(Database& database, const std::string& path);
// kNotFound: there is no database in the folder.
Status check_there(const std::string& folder, const std::string& doing);
// As a file of its own, durable, in the place of one that may be there.
Status write_database(Database& from, const std::string& path);

// Open: it can be read to its end, though somebody may remove its name meanwhile.
struct OpenArtefact {
  std::string hash;
  std::string path;
  UniqueFd file;      // none: see fault
  std::string fault;  // it is not there, or the disk does not give it
};
Result<std::vector<OpenArtefact>> open_artefacts(const std::vector<std::string>& hashes,
                                                 const Artefacts& from);
// Each has a descriptor for a while.
void allow_many_descriptors();

struct CopyOutcome {
  bool there = false;   // the target has it, whole
  bool copied = false;  // it is new there
  std::string fault;    // of the source: it cannot be read, or its bytes are others
};
Result<CopyOutcome> copy_artefact(const OpenArtefact& from, Artefacts& to);

// Which revisions want it, as "stock 3, cart 1".
Result<std::string> revisions_with(Database& database, const std::string& artefact);

}  // namespace subito::store
