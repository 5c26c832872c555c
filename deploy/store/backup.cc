#include "deploy/store/backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "deploy/store/backup_parts.h"

namespace subito::store {

namespace {

namespace fs = std::filesystem;

// A deploy that forgets a binary meanwhile is met again only by the next.
constexpr int kMomentTries = 10;
constexpr int kStableTries = 3;

// What a backup that was killed may have left.
constexpr char kAside[] = "/source.db";
constexpr char kAsideLog[] = "/source.db-wal";
constexpr std::array kLeftovers = {kDatabaseNew, "/state.db.new-journal", kAside, kAsideLog,
                                   "/source.db-shm"};

bool holds_nothing_else(const std::string& backup) {
  std::set<std::string> ours = {kArtefacts, kBackupLock};
  ours.insert(kLeftovers.begin(), kLeftovers.end());
  std::error_code error;
  for (fs::directory_iterator it(backup, error), end; !error && it != end; it.increment(error)) {
    if (!ours.contains("/" + it->path().filename().string())) return false;
  }
  return !error;
}

// What a backup may be written over.
Status check_target(const std::string& backup) {
  std::error_code error;
  if (fs::exists(backup + "/lock", error))
    return fail(ErrorCode::kFailedPrecondition,
                "back up to " + backup + ": that is the data folder of a node");
  const bool earlier = fs::exists(backup + kDatabase, error);
  if (!earlier && fs::exists(backup, error) && !holds_nothing_else(backup))
    return fail(ErrorCode::kFailedPrecondition,
                "back up to " + backup + ": it holds other things; name a new folder");
  fs::create_directories(backup, error);
  if (error)
    return fail(ErrorCode::kPermissionDenied, "make folder " + backup + ": " + error.message());
  return ok();
}

void remove_leftovers(const std::string& backup) {
  for (const char* name : kLeftovers) ::unlink((backup + name).c_str());
}

Result<UniqueFd> lock_target(const std::string& backup) {
  const std::string path = backup + kBackupLock;
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error("open " + path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return errno_error("lock " + path);
  return fail(ErrorCode::kUnavailable,
              "back up to " + backup + ": another backup or restore works there; try again later");
}

Result<Database> copy_of(Result<Database> from) {
  if (!from) return std::move(from).error();
  return Database::copy_in_memory(*from);
}

// Size and time of the last change of database and log.
using Stamp = std::array<std::int64_t, 6>;
Stamp stamp_of(const std::string& data) {
  Stamp stamp{};
  std::size_t at = 0;
  for (const char* name : {"/state.db", "/state.db-wal"}) {
    struct stat info {};
    if (::stat((data + name).c_str(), &info) == 0) {
      stamp[at] = info.st_size;
      stamp[at + 1] = info.st_mtim.tv_sec;
      stamp[at + 2] = info.st_mtim.tv_nsec;
    }
    at += 3;
  }
  return stamp;
}

Status copy_private(const std::string& from, const std::string& to) {
  const UniqueFd made(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!made.valid()) return errno_error("write " + to);
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) return errno_error("copy " + from + " to " + to, error.value());
  ::chmod(to.c_str(), 0600);  // copy_file gave it that of `from`
  return ok();
}

// Of a disk that is read-only: SQLite needs to make an index of the log beside it. Whoever might
// write elsewhere to the same files is seen by their times.
Result<Database> copy_by_way_of(const std::string& aside, const std::string& data) {
  for (int i = 0; i < kStableTries; ++i) {
    remove_leftovers(aside);
    const Stamp before = stamp_of(data);
    RETURN_IF_ERROR(copy_private(data + kDatabase, aside + kAside));
    std::error_code error;
    if (fs::exists(data + "/state.db-wal", error))
      RETURN_IF_ERROR(copy_private(data + "/state.db-wal", aside + kAsideLog));
    if (stamp_of(data) != before) continue;
    auto copy = copy_of(Database::open(aside + kAside));
    remove_leftovers(aside);
    return copy;
  }
  return fail(ErrorCode::kUnavailable,
              "read " + data + kDatabase + ": it changes while it is copied; try again");
}

Result<Database> copy_of_source(const std::string& data, const std::string& aside) {
  auto copy = copy_of(Database::open_reading(data + kDatabase));
  if (copy || copy.error().code != ErrorCode::kPermissionDenied) return copy;
  if (::access(data.c_str(), W_OK) == 0 || errno != EROFS) return copy;
  return copy_by_way_of(aside, data);
}

struct Moment {
  Database database;  // in memory
  BackupContent content;
  std::vector<OpenArtefact> artefacts;
};

// No lock: a deploy may forget a binary after the database was read and before the binary is
// opened. It forgets it in the database first: one that two copies of it in succession want and
// that is not there either time is lost (but for one that was deployed and forgotten again in
// between).
Result<Moment> take_moment(const std::string& data, const std::string& aside) {
  std::optional<std::vector<std::string>> lost_before;
  for (int i = 0; i < kMomentTries; ++i) {
    ASSIGN_OR_RETURN(Database database, copy_of_source(data, aside));
    RETURN_IF_ERROR(check_pages(database, data + kDatabase));
    ASSIGN_OR_RETURN(BackupContent content, content_of(database));
    ASSIGN_OR_RETURN(auto opened,
                     open_artefacts(content.artefacts, Artefacts::reading(data + kArtefacts)));
    std::vector<std::string> lost;
    for (const OpenArtefact& one : opened) {
      if (!one.file.valid()) lost.push_back(one.hash);
    }
    if (lost.empty() || lost == lost_before)
      return Moment{std::move(database), std::move(content), std::move(opened)};
    lost_before = std::move(lost);
  }
  return fail(ErrorCode::kUnavailable,
              "back up " + data + ": binaries are forgotten while it is read; try again");
}

// In the copy itself: restore() believes what stands there and nothing else.
Status note_gaps(Database& database, const std::vector<BinaryGap>& gaps) {
  RETURN_IF_ERROR(
      database.execute("DROP TABLE IF EXISTS backup_gaps;"
                       "CREATE TABLE backup_gaps (artefact TEXT PRIMARY KEY, fault TEXT NOT NULL) "
                       "STRICT;"));
  for (const BinaryGap& gap : gaps) {
    if (!gap.kept)
      RETURN_IF_ERROR(
          database.run("INSERT INTO backup_gaps VALUES (?1, ?2)", gap.artefact, gap.fault));
  }
  return ok();
}

Status copy_artefacts(Moment& moment, Artefacts& to) {
  for (const OpenArtefact& one : moment.artefacts) {
    ASSIGN_OR_RETURN(CopyOutcome outcome, copy_artefact(one, to));
    moment.content.report.copied += outcome.copied ? 1 : 0;
    if (outcome.fault.empty()) continue;
    ASSIGN_OR_RETURN(std::string revisions, revisions_with(moment.database, one.hash));
    if (!outcome.there) to.remove(one.hash);  // an earlier backup's, damaged
    moment.content.report.gaps.push_back(
        {one.hash, std::move(revisions), std::move(outcome.fault), outcome.there});
  }
  return ok();
}

}  // namespace

Result<BackupReport> back_up(const std::string& data, const std::string& backup) {
  RETURN_IF_ERROR(check_there(data, "back up " + data));
  RETURN_IF_ERROR(check_target(backup));
  ASSIGN_OR_RETURN(const UniqueFd lock, lock_target(backup));
  remove_leftovers(backup);
  allow_many_descriptors();
  ASSIGN_OR_RETURN(Moment moment, take_moment(data, backup));
  ASSIGN_OR_RETURN(Artefacts to, Artefacts::open(backup + kArtefacts));
  RETURN_IF_ERROR(copy_artefacts(moment, to));
  RETURN_IF_ERROR(note_gaps(moment.database, moment.content.report.gaps));
  const std::string fresh = backup + kDatabaseNew;
  RETURN_IF_ERROR(write_database(moment.database, fresh));
  if (::rename(fresh.c_str(), (backup + kDatabase).c_str()) != 0)
    return errno_error("write " + backup + kDatabase);
  RETURN_IF_ERROR(sync_folder(backup));
  const std::vector<std::string>& wanted = moment.content.artefacts;  // sorted
  RETURN_IF_ERROR(to.collect([&](const std::string& hash) {
    return std::binary_search(wanted.begin(), wanted.end(), hash);
  }));
  return std::move(moment.content.report);
}

}  // namespace subito::store
