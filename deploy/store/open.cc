// Store::open: the lock, the schema and its migrations, and what an interrupted owner left.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "deploy/store/data_folder.h"
#include "deploy/store/store.h"

namespace subito::store {

namespace {

// Migration i brings user_version i to i + 1. Never change one that was released: add another.
constexpr std::array kMigrations = {
    R"(CREATE TABLE functions (
         name TEXT PRIMARY KEY,
         current INTEGER,
         next_number INTEGER NOT NULL,
         created_ns INTEGER NOT NULL
       ) STRICT;
       CREATE TABLE revisions (
         function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
         number INTEGER NOT NULL,
         spec BLOB NOT NULL,
         artefact TEXT NOT NULL,
         created_ns INTEGER NOT NULL,
         committed INTEGER NOT NULL,
         PRIMARY KEY (function, number)
       ) STRICT;
       CREATE INDEX revisions_by_artefact ON revisions (artefact);
       CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;)",
    // 1: its minimum and maximum are not those of its manifest any more.
    "ALTER TABLE revisions ADD COLUMN scaled INTEGER NOT NULL DEFAULT 0;",
    // 2: which revisions serve, and the rollout from one to another.
    R"(ALTER TABLE revisions ADD COLUMN message TEXT NOT NULL DEFAULT '';
       ALTER TABLE functions ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;
       ALTER TABLE functions ADD COLUMN target INTEGER NOT NULL DEFAULT 0;
       ALTER TABLE functions ADD COLUMN rollout_state INTEGER NOT NULL DEFAULT 0;
       ALTER TABLE functions ADD COLUMN rollout_reason TEXT NOT NULL DEFAULT '';
       ALTER TABLE functions ADD COLUMN rollout_ns INTEGER NOT NULL DEFAULT 0;
       CREATE TABLE traffic (
         function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
         number INTEGER NOT NULL,
         weight INTEGER NOT NULL,
         PRIMARY KEY (function, number)
       ) STRICT;)",
    // 3: config objects and secrets (settings_store.h); kind 0 is config, 1 secret.
    R"(CREATE TABLE objects (
         kind INTEGER NOT NULL,
         namespace TEXT NOT NULL,
         name TEXT NOT NULL,
         created_ns INTEGER NOT NULL,
         changed_ns INTEGER NOT NULL,
         PRIMARY KEY (kind, namespace, name)
       ) STRICT;
       CREATE TABLE object_values (
         kind INTEGER NOT NULL,
         namespace TEXT NOT NULL,
         name TEXT NOT NULL,
         key TEXT NOT NULL,
         value BLOB NOT NULL,
         key_id TEXT NOT NULL,
         size INTEGER NOT NULL,
         changed_ns INTEGER NOT NULL,
         PRIMARY KEY (kind, namespace, name, key),
         FOREIGN KEY (kind, namespace, name) REFERENCES objects (kind, namespace, name)
           ON DELETE CASCADE
       ) STRICT;)",
    // 4: who may ask over the network; a revoked one stays known, so that its use is seen.
    R"(CREATE TABLE tokens (
         id TEXT PRIMARY KEY,
         name TEXT NOT NULL,
         hash TEXT NOT NULL,
         scopes TEXT NOT NULL,
         created_ns INTEGER NOT NULL,
         created_by TEXT NOT NULL,
         expires_ns INTEGER NOT NULL,
         revoked_ns INTEGER NOT NULL
       ) STRICT;
       CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_ns = 0;)",
    // 5: namespaces. Functions of before have none in their names: they are in `default`.
    R"(CREATE TABLE namespaces (
         name TEXT PRIMARY KEY,
         created_ns INTEGER NOT NULL,
         pods INTEGER NOT NULL,
         memory_bytes INTEGER NOT NULL,
         cpu_millicores INTEGER NOT NULL,
         hosts TEXT NOT NULL,
         requests_per_s INTEGER NOT NULL
       ) STRICT;
       INSERT INTO namespaces VALUES ('default', 0, 0, 0, 0, '', 0);)",
};

constexpr const char* kForAnotherNode =
    "another one needs a folder and port of its own: subito up --data FOLDER --listen "
    "ADDRESS:PORT";

// Who holds the lock, as it wrote it there: " (pid 4711)", or nothing.
std::string owner_words(int fd) {
  std::array<char, 16> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  pid.resize(std::min(pid.find_first_not_of("0123456789"), pid.size()));
  return pid.empty() ? "" : " (pid " + pid + ")";
}

}  // namespace

Result<UniqueFd> lock_data_folder(const std::string& folder, const std::string& advice) {
  UniqueFd fd(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error("open data folder " + folder);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("lock data folder " + folder);
    return fail(ErrorCode::kAlreadyExists, "open data folder " + folder +
                                               ": a node runs there already" +
                                               owner_words(fd.get()) + "; " + advice);
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return errno_error("lock data folder " + folder);
  return fd;
}

Status make_data_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(ErrorCode::kPermissionDenied,
                "make data folder " + folder + ": " + error.message());
  if (::chmod(folder.c_str(), 0711) != 0) return errno_error("make data folder " + folder);
  return ok();
}

std::int64_t known_schema() {
  return static_cast<std::int64_t>(kMigrations.size());
}

Status check_schema(std::int64_t version, const std::string& doing) {
  if (version >= 0 && version <= known_schema()) return ok();
  return fail(ErrorCode::kFailedPrecondition, doing + ": written by a newer Subito (schema " +
                                                  std::to_string(version) + ", this one knows " +
                                                  std::to_string(known_schema()) + ")");
}

Store::Store(std::string folder, UniqueFd lock, Database database, Artefacts artefacts)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      database_(std::move(database)),
      artefacts_(std::move(artefacts)) {
  objects_.emplace(database_);
}

Result<std::unique_ptr<Store>> Store::open(const std::string& folder) {
  RETURN_IF_ERROR(make_data_folder(folder));
  ASSIGN_OR_RETURN(UniqueFd lock, lock_data_folder(folder, kForAnotherNode));
  ASSIGN_OR_RETURN(Database database, Database::open(folder + "/state.db"));
  ASSIGN_OR_RETURN(Artefacts artefacts, Artefacts::open(folder + "/artefacts"));
  std::unique_ptr<Store> store(
      new Store(folder, std::move(lock), std::move(database), std::move(artefacts)));
  RETURN_IF_ERROR(store->migrate());
  RETURN_IF_ERROR(store->drop_candidates());
  RETURN_IF_ERROR(store->collect_artefacts());
  RETURN_IF_ERROR(sync_folder(folder));
  return store;
}

Status Store::migrate() {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  std::int64_t version = 0;
  {
    ASSIGN_OR_RETURN(Statement row, database_.prepare("PRAGMA user_version"));
    ASSIGN_OR_RETURN(const bool there, row.step());
    if (there) version = row.integer(0);
  }
  RETURN_IF_ERROR(check_schema(version, "open data folder " + folder_));
  const std::int64_t known = known_schema();
  for (; version < known; ++version)
    RETURN_IF_ERROR(database_.execute(kMigrations[static_cast<std::size_t>(version)]));
  RETURN_IF_ERROR(database_.execute(("PRAGMA user_version = " + std::to_string(known)).c_str()));
  return transaction.commit();
}

Status Store::drop_candidates() {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  RETURN_IF_ERROR(
      database_.execute("DELETE FROM revisions WHERE committed = 0;"
                        "DELETE FROM functions WHERE current IS NULL;"));
  return transaction.commit();
}

Status Store::collect_artefacts() {
  ASSIGN_OR_RETURN(Statement rows, database_.prepare("SELECT DISTINCT artefact FROM revisions"));
  std::set<std::string> wanted;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) break;
    wanted.insert(rows.text(0));
  }
  return artefacts_.collect([&](const std::string& hash) { return wanted.contains(hash); });
}

}  // namespace subito::store
