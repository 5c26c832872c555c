#include "deploy/store/backup.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "deploy/store/artefacts.h"
#include "deploy/store/data_folder.h"
#include "deploy/store/sqlite.h"

namespace subito::store {

namespace {

namespace fs = std::filesystem;

constexpr char kDatabase[] = "/state.db";
constexpr char kArtefacts[] = "/artefacts";
struct Content {
  std::vector<std::string> artefacts;
  BackupReport report;
};

Result<std::int64_t> number(Database& database, const char* sql) {
  ASSIGN_OR_RETURN(Statement row, database.prepare(sql));
  ASSIGN_OR_RETURN(const bool there, row.step());
  return there ? row.integer(0) : 0;
}

Result<Content> content_of(Database& database) {
  Content content;
  ASSIGN_OR_RETURN(const std::int64_t functions,
                   number(database, "SELECT count(*) FROM functions WHERE current IS NOT NULL"));
  ASSIGN_OR_RETURN(const std::int64_t revisions,
                   number(database, "SELECT count(*) FROM revisions WHERE committed = 1"));
  content.report.functions = static_cast<std::uint64_t>(functions);
  content.report.revisions = static_cast<std::uint64_t>(revisions);
  ASSIGN_OR_RETURN(Statement rows,
                   database.prepare("SELECT DISTINCT artefact FROM revisions WHERE committed = 1"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) break;
    content.artefacts.push_back(rows.text(0));
  }
  content.report.artefacts = content.artefacts.size();
  return content;
}

// One moment of a database as a file of its own, durable.
Status copy_database(Database& from, const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
  RETURN_IF_ERROR(from.run("VACUUM INTO ?1", std::string_view(path)));
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid() || ::fchmod(file.get(), 0600) != 0 || ::fsync(file.get()) != 0)
    return errno_error("write " + path);
  return ok();
}

// A file of that name and size is whole: it was renamed to it.
bool is_there(const Artefacts& artefacts, const std::string& hash, std::uintmax_t size) {
  const auto path = artefacts.path(hash);
  std::error_code error;
  return path && fs::file_size(*path, error) == size && !error;
}

// Open: it can be read to its end, though somebody may remove its name meanwhile.
struct OpenArtefact {
  std::string hash;
  std::string path;
  UniqueFd file;
};

Result<std::vector<OpenArtefact>> open_artefacts(const std::vector<std::string>& hashes,
                                                 const Artefacts& from) {
  std::vector<OpenArtefact> opened;
  for (const std::string& hash : hashes) {
    ASSIGN_OR_RETURN(std::string path, from.path(hash));
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return errno_error("read " + path);
    opened.push_back({hash, std::move(path), std::move(file)});
  }
  return opened;
}

// kInvalidArgument: its bytes are others than its name says.
Status copy_artefact(const OpenArtefact& from, Artefacts& to) {
  ASSIGN_OR_RETURN(ArtefactWriter writer, to.begin());
  std::array<char, 64 << 10> piece{};
  while (true) {
    const ssize_t size = ::read(from.file.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno_error("read " + from.path);
    if (size == 0) break;
    RETURN_IF_ERROR(writer.write({piece.data(), static_cast<std::size_t>(size)}));
  }
  auto finished = writer.finish(from.hash);
  if (!finished) return std::move(finished).error().annotate("read " + from.path);
  return ok();
}

Result<std::uint64_t> copy_artefacts(const std::vector<OpenArtefact>& all, Artefacts& to) {
  std::uint64_t copied = 0;
  for (const OpenArtefact& one : all) {
    struct stat info {};
    if (::fstat(one.file.get(), &info) != 0) return errno_error("read " + one.path);
    if (is_there(to, one.hash, static_cast<std::uintmax_t>(info.st_size))) continue;
    RETURN_IF_ERROR(copy_artefact(one, to));
    ++copied;
  }
  return copied;
}

// Each binary has a descriptor for a while.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// What a backup may be written over.
Status check_target(const std::string& backup) {
  std::error_code error;
  if (fs::exists(backup + "/lock", error))
    return fail(ErrorCode::kFailedPrecondition,
                "back up to " + backup + ": that is the data folder of a node");
  const bool earlier = fs::exists(backup + kDatabase, error);
  if (!earlier && fs::exists(backup, error) && !fs::is_empty(backup, error))
    return fail(ErrorCode::kFailedPrecondition,
                "back up to " + backup + ": it holds other things; name a new folder");
  fs::create_directories(backup, error);
  if (error)
    return fail(ErrorCode::kPermissionDenied, "make folder " + backup + ": " + error.message());
  return ok();
}

Status check_there(const std::string& folder, const std::string& doing) {
  std::error_code error;
  if (fs::is_regular_file(folder + kDatabase, error)) return ok();
  return fail(ErrorCode::kNotFound, doing + ": there is no state.db in " + folder);
}

struct Moment {
  Content content;
  std::vector<OpenArtefact> artefacts;
};

// A deploy that forgets a binary writes first: while nobody can, database and binaries belong
// together. It waits for as long as a copy of the database takes, binaries are copied later.
Result<Moment> take_moment(const std::string& data, const std::string& fresh) {
  ASSIGN_OR_RETURN(Database writer, Database::open(data + kDatabase));
  ASSIGN_OR_RETURN(const Transaction nobody_writes, Transaction::begin(writer));
  ASSIGN_OR_RETURN(Database live, Database::open_reading(data + kDatabase));
  RETURN_IF_ERROR(copy_database(live, fresh));
  ASSIGN_OR_RETURN(Database copy, Database::open_reading(fresh));
  Moment moment;
  ASSIGN_OR_RETURN(moment.content, content_of(copy));
  ASSIGN_OR_RETURN(moment.artefacts,
                   open_artefacts(moment.content.artefacts, Artefacts::reading(data + kArtefacts)));
  return moment;
}

// Every page, the schema, and that all binaries are there; their bytes are checked as they are
// copied, before anything of `data` changes.
Result<Content> check_backup(Database& database, const std::string& backup) {
  ASSIGN_OR_RETURN(Statement check, database.prepare("PRAGMA integrity_check(1)"));
  ASSIGN_OR_RETURN(const bool row, check.step());
  if (!row || check.text(0) != "ok")
    return fail(ErrorCode::kInvalidArgument,
                "read " + backup + kDatabase + ": it is damaged: " + (row ? check.text(0) : ""));
  ASSIGN_OR_RETURN(const std::int64_t version, number(database, "PRAGMA user_version"));
  RETURN_IF_ERROR(check_schema(version, "restore " + backup));
  return content_of(database);
}

Status check_replaced(const std::string& data, bool replace) {
  if (replace || !check_there(data, "")) return ok();
  ASSIGN_OR_RETURN(Database there, Database::open(data + kDatabase));
  ASSIGN_OR_RETURN(const std::int64_t tables,
                   number(there, "SELECT count(*) FROM sqlite_master WHERE name = 'functions'"));
  if (tables == 0) return ok();
  ASSIGN_OR_RETURN(const std::int64_t functions, number(there, "SELECT count(*) FROM functions"));
  if (functions == 0) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              "restore to " + data + ": " + std::to_string(functions) +
                  " functions are there; --replace forgets them for those of the backup");
}

// The old write-ahead log is emptied first: SQLite would read it into the new file.
Status put_in_place(Database& backup, const std::string& data) {
  const std::string fresh = data + kDatabase + ".new";
  RETURN_IF_ERROR(copy_database(backup, fresh));
  if (check_there(data, "")) {
    ASSIGN_OR_RETURN(Database old, Database::open(data + kDatabase));
    RETURN_IF_ERROR(old.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  if (::rename(fresh.c_str(), (data + kDatabase).c_str()) != 0)
    return errno_error("write " + data + kDatabase);
  return sync_folder(data);
}

}  // namespace

Result<BackupReport> back_up(const std::string& data, const std::string& backup) {
  RETURN_IF_ERROR(check_there(data, "back up " + data));
  RETURN_IF_ERROR(check_target(backup));
  allow_many_descriptors();
  const std::string fresh = backup + kDatabase + ".new";
  ASSIGN_OR_RETURN(Moment moment, take_moment(data, fresh));
  std::vector<std::string>& wanted = moment.content.artefacts;
  ASSIGN_OR_RETURN(Artefacts to, Artefacts::open(backup + kArtefacts));
  ASSIGN_OR_RETURN(moment.content.report.copied, copy_artefacts(moment.artefacts, to));
  if (::rename(fresh.c_str(), (backup + kDatabase).c_str()) != 0)
    return errno_error("write " + backup + kDatabase);
  RETURN_IF_ERROR(sync_folder(backup));
  std::sort(wanted.begin(), wanted.end());
  RETURN_IF_ERROR(to.collect([&](const std::string& hash) {
    return std::binary_search(wanted.begin(), wanted.end(), hash);
  }));
  return moment.content.report;
}

Result<BackupReport> restore(const std::string& backup, const std::string& data, bool replace) {
  RETURN_IF_ERROR(check_there(backup, "restore " + backup));
  ASSIGN_OR_RETURN(Database database, Database::open_reading(backup + kDatabase));
  ASSIGN_OR_RETURN(Content content, check_backup(database, backup));
  RETURN_IF_ERROR(make_data_folder(data));
  ASSIGN_OR_RETURN(const UniqueFd lock, lock_data_folder(data));
  RETURN_IF_ERROR(check_replaced(data, replace));
  allow_many_descriptors();
  ASSIGN_OR_RETURN(const auto artefacts,
                   open_artefacts(content.artefacts, Artefacts::reading(backup + kArtefacts)));
  ASSIGN_OR_RETURN(Artefacts to, Artefacts::open(data + kArtefacts));
  ASSIGN_OR_RETURN(content.report.copied, copy_artefacts(artefacts, to));
  RETURN_IF_ERROR(put_in_place(database, data));
  return content.report;
}

}  // namespace subito::store
