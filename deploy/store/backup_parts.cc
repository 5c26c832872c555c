#include "deploy/store/backup_parts.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace subito::store {

namespace {

// Its bytes into `writer`; what is wrong with it, empty: nothing. An error is the target's.
Result<std::string> copy_bytes(const OpenArtefact& from, ArtefactWriter& writer) {
  std::array<char, 64 << 10> piece{};
  while (true) {
    const ssize_t size = ::read(from.file.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return "read " + from.path + ": " + std::strerror(errno);
    if (size == 0) return std::string();
    RETURN_IF_ERROR(writer.write({piece.data(), static_cast<std::size_t>(size)}));
  }
}

}  // namespace

Result<std::int64_t> number(Database& database, const char* sql) {
  ASSIGN_OR_RETURN(Statement row, database.prepare(sql));
  ASSIGN_OR_RETURN(const bool there, row.step());
  return there ? row.integer(0) : 0;
}

Result<bool> has_table(Database& database, std::string_view name) {
  ASSIGN_OR_RETURN(
      Statement row,
      database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1"));
  return row.bind(name).step();
}

Result<BackupContent> content_of(Database& database) {
  BackupContent content;
  ASSIGN_OR_RETURN(const std::int64_t functions,
                   number(database, "SELECT count(*) FROM functions WHERE current IS NOT NULL"));
  ASSIGN_OR_RETURN(const std::int64_t revisions,
                   number(database, "SELECT count(*) FROM revisions WHERE committed = 1"));
  content.report.functions = static_cast<std::uint64_t>(functions);
  content.report.revisions = static_cast<std::uint64_t>(revisions);
  ASSIGN_OR_RETURN(Statement rows, database.prepare("SELECT DISTINCT artefact FROM revisions "
                                                    "WHERE committed = 1 ORDER BY artefact"));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) break;
    content.artefacts.push_back(rows.text(0));
  }
  content.report.artefacts = content.artefacts.size();
  return content;
}

Status check_pages(Database& database, const std::string& path) {
  ASSIGN_OR_RETURN(Statement check, database.prepare("PRAGMA integrity_check(1)"));
  ASSIGN_OR_RETURN(const bool row, check.step());
  if (row && check.text(0) == "ok") return ok();
  return fail(ErrorCode::kInvalidArgument,
              "read " + path + ": it is damaged: " + (row ? check.text(0) : ""));
}

Status check_there(const std::string& folder, const std::string& doing) {
  std::error_code error;
  if (std::filesystem::is_regular_file(folder + kDatabase, error)) return ok();
  return fail(ErrorCode::kNotFound, doing + ": there is no state.db in " + folder);
}

Status write_database(Database& from, const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("write " + path);
  RETURN_IF_ERROR(from.run("VACUUM INTO ?1", std::string_view(path)));
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid() || ::fchmod(file.get(), 0600) != 0 || ::fsync(file.get()) != 0)
    return errno_error("write " + path);
  return ok();
}

Result<std::vector<OpenArtefact>> open_artefacts(const std::vector<std::string>& hashes,
                                                 const Artefacts& from) {
  std::vector<OpenArtefact> opened;
  for (const std::string& hash : hashes) {
    OpenArtefact one{hash, from.folder() + "/" + hash.substr(0, 2) + "/" + hash, UniqueFd(), ""};
    if (!is_artefact_hash(hash))
      return fail(ErrorCode::kInvalidArgument, "read state.db: it names a binary " + hash);
    one.file.reset(::open(one.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!one.file.valid() && errno != ENOENT && errno != EIO)
      return errno_error("read " + one.path);
    if (!one.file.valid()) one.fault = "read " + one.path + ": " + std::strerror(errno);
    opened.push_back(std::move(one));
  }
  return opened;
}

void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<CopyOutcome> copy_artefact(const OpenArtefact& from, Artefacts& to) {
  CopyOutcome outcome;
  outcome.there = to.has_whole(from.hash);
  outcome.fault = from.fault;
  if (!from.file.valid()) return outcome;
  if (outcome.there) {
    const auto hash = hash_of(from.file.get());
    if (!hash) outcome.fault = hash.error().message;
    if (hash && *hash != from.hash)
      outcome.fault = "read " + from.path + ": its SHA-256 is " + *hash;
    return outcome;
  }
  ASSIGN_OR_RETURN(ArtefactWriter writer, to.begin());
  ASSIGN_OR_RETURN(outcome.fault, copy_bytes(from, writer));
  if (!outcome.fault.empty()) return outcome;
  auto finished = writer.finish(from.hash);
  if (finished) {
    outcome.there = outcome.copied = true;
  } else if (finished.error().code == ErrorCode::kInvalidArgument) {
    outcome.fault = "read " + from.path + ": " + finished.error().message;
  } else {
    return std::move(finished).error();
  }
  return outcome;
}

Result<std::string> revisions_with(Database& database, const std::string& artefact) {
  ASSIGN_OR_RETURN(Statement rows,
                   database.prepare("SELECT function, number FROM revisions WHERE artefact = ?1 "
                                    "AND committed = 1 ORDER BY function, number"));
  rows.bind(artefact);
  std::string words;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return words;
    words += (words.empty() ? "" : ", ") + rows.text(0) + " " + std::to_string(rows.integer(1));
  }
}

}  // namespace subito::store
