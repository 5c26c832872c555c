// restore(): a backup back into a data folder.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "deploy/store/backup.h"
#include "deploy/store/backup_parts.h"
#include "deploy/store/data_folder.h"

namespace subito::store {

namespace {

// No backup is written to it meanwhile. A backup of before has no such file, and on a disk that
// cannot lock nobody writes one.
Result<UniqueFd> lock_source(const std::string& backup) {
  UniqueFd fd(::open((backup + kBackupLock).c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.valid() && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return fail(ErrorCode::kUnavailable,
                "restore " + backup + ": a backup is written there; try again later");
  return fd;
}

// The database of the backup, in memory, after a look at every page and at the schema.
Result<Database> read_backup(const std::string& backup) {
  ASSIGN_OR_RETURN(Database file, Database::open_reading(backup + kDatabase));
  RETURN_IF_ERROR(check_pages(file, backup + kDatabase));
  ASSIGN_OR_RETURN(const std::int64_t version, number(file, "PRAGMA user_version"));
  RETURN_IF_ERROR(check_schema(version, "restore " + backup));
  return Database::copy_in_memory(file);
}

// What of a data folder would be forgotten: "2 functions, 1 tokens"; empty: nothing.
Result<std::string> holdings(const std::string& data) {
  struct Kind {
    const char* table;
    const char* count;
    const char* words;
  };
  constexpr Kind kKinds[] = {
      {"functions", "SELECT count(*) FROM functions", " functions"},
      {"tokens", "SELECT count(*) FROM tokens", " tokens"},
      {"objects", "SELECT count(*) FROM objects", " config objects and secrets"},
      {"namespaces", "SELECT count(*) FROM namespaces WHERE name <> 'default'", " namespaces"},
  };
  ASSIGN_OR_RETURN(Database there, Database::open_reading(data + kDatabase));
  std::string words;
  for (const Kind& kind : kKinds) {
    ASSIGN_OR_RETURN(const bool known, has_table(there, kind.table));
    if (!known) continue;
    ASSIGN_OR_RETURN(const std::int64_t rows, number(there, kind.count));
    if (rows > 0) words += (words.empty() ? "" : ", ") + std::to_string(rows) + kind.words;
  }
  return words;
}

Status check_replaced(const std::string& data, bool replace) {
  if (replace || !check_there(data, "")) return ok();
  const auto held = holdings(data);
  if (!held)
    return fail(held.error().code, "restore to " + data + ": what is there cannot be read (" +
                                       held.error().message +
                                       "); --replace puts the backup in its place");
  if (held->empty()) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              "restore to " + data + ": " + *held +
                  " are there; --replace forgets them for what the backup has");
}

// kInvalidArgument: a binary is damaged, or is not there and the backup does not say so.
Status copy_artefacts_back(BackupContent& content, Database& database, const std::string& backup,
                           const std::string& data) {
  allow_many_descriptors();
  ASSIGN_OR_RETURN(const auto opened,
                   open_artefacts(content.artefacts, Artefacts::reading(backup + kArtefacts)));
  ASSIGN_OR_RETURN(const bool told, has_table(database, "backup_gaps"));
  ASSIGN_OR_RETURN(Artefacts to, Artefacts::open(data + kArtefacts));
  for (const OpenArtefact& one : opened) {
    ASSIGN_OR_RETURN(CopyOutcome outcome, copy_artefact(one, to));
    content.report.copied += outcome.copied ? 1 : 0;
    if (outcome.fault.empty()) continue;
    bool known = false;
    if (told && !one.file.valid()) {
      ASSIGN_OR_RETURN(Statement row,
                       database.prepare("SELECT 1 FROM backup_gaps WHERE artefact = ?1"));
      ASSIGN_OR_RETURN(known, row.bind(one.hash).step());
    }
    if (!known)
      return fail(ErrorCode::kInvalidArgument, "restore " + backup + ": " + outcome.fault);
    if (outcome.there) continue;  // the data folder still has it
    ASSIGN_OR_RETURN(std::string revisions, revisions_with(database, one.hash));
    content.report.gaps.push_back({one.hash, std::move(revisions), std::move(outcome.fault)});
  }
  return ok();
}

// Tokens that were revoked after the backup was made must not live again.
Status keep_revocations(Database& old, Database& fresh, BackupReport& report) {
  ASSIGN_OR_RETURN(const bool known, has_table(old, "tokens"));
  ASSIGN_OR_RETURN(const bool wanted, has_table(fresh, "tokens"));
  if (!known || !wanted) return ok();
  ASSIGN_OR_RETURN(Statement rows,
                   old.prepare("SELECT id, revoked_ns FROM tokens WHERE revoked_ns > 0"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return ok();
    RETURN_IF_ERROR(fresh.run("UPDATE tokens SET revoked_ns = ?2 WHERE id = ?1 AND revoked_ns = 0",
                              rows.text(0), rows.integer(1)));
    report.revoked += static_cast<std::uint64_t>(fresh.changes());
  }
}

// It may be damaged, and is about to go: what fails here is told, no more. Its log is emptied, so
// that a kill before the new file is there leaves the old state; a damaged one has none.
void take_leave(const std::string& data, Database& fresh, BackupReport& report) {
  if (!check_there(data, "")) return;
  auto old = Database::open(data + kDatabase);
  report.revocations_unknown = !old || !keep_revocations(*old, fresh, report);
  if (old) (void)old->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

// SQLite would read an old log into the new file, whatever has become of the old one.
Status put_in_place(Database& fresh, const std::string& data) {
  const std::string made = data + kDatabaseNew;
  RETURN_IF_ERROR(write_database(fresh, made));
  for (const char* log : {"/state.db-wal", "/state.db-shm", "/state.db-journal"}) {
    if (::unlink((data + log).c_str()) != 0 && errno != ENOENT)
      return errno_error("remove " + data + log);
  }
  RETURN_IF_ERROR(sync_folder(data));
  if (::rename(made.c_str(), (data + kDatabase).c_str()) != 0)
    return errno_error("write " + data + kDatabase);
  return sync_folder(data);
}

}  // namespace

Result<BackupReport> restore(const std::string& backup, const std::string& data, bool replace) {
  RETURN_IF_ERROR(check_there(backup, "restore " + backup));
  ASSIGN_OR_RETURN(const UniqueFd source, lock_source(backup));
  ASSIGN_OR_RETURN(Database fresh, read_backup(backup));
  ASSIGN_OR_RETURN(BackupContent content, content_of(fresh));
  RETURN_IF_ERROR(make_data_folder(data));
  ASSIGN_OR_RETURN(const UniqueFd lock, lock_data_folder(data, "end it first"));
  RETURN_IF_ERROR(check_replaced(data, replace));
  RETURN_IF_ERROR(copy_artefacts_back(content, fresh, backup, data));
  RETURN_IF_ERROR(fresh.execute("DROP TABLE IF EXISTS backup_gaps"));
  take_leave(data, fresh, content.report);
  ASSIGN_OR_RETURN(const bool tokens, has_table(fresh, "tokens"));
  if (tokens) {
    ASSIGN_OR_RETURN(const std::int64_t living,
                     number(fresh, "SELECT count(*) FROM tokens WHERE revoked_ns = 0"));
    content.report.tokens = static_cast<std::uint64_t>(living);
  }
  RETURN_IF_ERROR(put_in_place(fresh, data));
  return std::move(content.report);
}

}  // namespace subito::store
