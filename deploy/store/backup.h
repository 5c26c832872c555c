// Backup and restore of what a store holds: functions, revisions, settings and binaries. A backup
// is a folder of the same form as the data folder:
//
//   BACKUP/state.db      a copy of one moment, in one file
//   BACKUP/artefacts/    the binaries that it refers to, by SHA-256
//
// Not in it: what functions keep in Redis, logs, and keys that lie outside the data folder.
//
// back_up() may run while a node does: it keeps others from writing for as long as a copy of the
// database takes, not for the binaries. A backup that is killed leaves the one that was there
// before. Synchronous; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace subito::store {

struct BackupReport {
  std::uint64_t functions = 0;
  std::uint64_t revisions = 0;
  std::uint64_t artefacts = 0;
  std::uint64_t copied = 0;  // of these: others were there already
};

// Into a folder that is not there, is empty, or is an earlier backup: that is brought up to date,
// and only binaries that are new are copied. kNotFound: there is no store in `data`.
Result<BackupReport> back_up(const std::string& data, const std::string& backup);

// Checks the whole backup first (database, schema, each binary by its hash), then puts it into
// `data`, which no node may use meanwhile (kAlreadyExists). kFailedPrecondition: functions are
// there already, unless `replace`; a backup of a newer Subito. A kill leaves the old state or the
// new one.
Result<BackupReport> restore(const std::string& backup, const std::string& data, bool replace);

}  // namespace subito::store
