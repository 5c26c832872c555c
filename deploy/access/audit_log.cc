#include "deploy/access/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "deploy/access/audit_files.h"
#include "deploy/store/artefacts.h"
#include "runtime/base/time.h"

namespace subito::access {
namespace {

using Json = nlohmann::ordered_json;

std::string cut(const std::string& text) {
  return text.size() <= kAuditTextBytesMax ? text : text.substr(0, kAuditTextBytesMax - 3) + "...";
}

// Of a text that whoever was refused may have chosen: as long in the line as it is here, or twice.
std::string plain(const std::string& text) {
  std::string out = text.substr(0, kRefusalTextBytesMax);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

Json json_of(const AuditRecord& record) {
  char time[kRfc3339Size];
  format_rfc3339(record.unix_ns, time);
  Json json = {{"time", time},
               {"actor", cut(record.actor)},
               {"from", cut(record.from)},
               {"action", record.action}};
  if (!record.name_space.empty()) json["namespace"] = cut(record.name_space);
  if (!record.target.empty()) json["target"] = cut(record.target);
  json["outcome"] = record.outcome;
  if (record.status != 0) json["status"] = record.status;
  if (!record.reason.empty()) json["reason"] = cut(record.reason);
  return json;
}

// Of the log itself.
Json note(const std::string& action) {
  AuditRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.actor = "node";
  record.action = action;
  record.outcome = "done";
  return json_of(record);
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

AuditLog::AuditLog(Loop& loop, std::string folder, const AuditLimits& limits)
    : loop_(loop),
      folder_(std::move(folder)),
      limits_(limits),
      sync_timer_(loop, [this] { sync(); }) {}

Result<std::unique_ptr<AuditLog>> AuditLog::open(Loop& loop, const std::string& folder,
                                                 const AuditLimits& limits) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error("make audit log " + folder);
  std::unique_ptr<AuditLog> log(new AuditLog(loop, folder, limits));
  RETURN_IF_ERROR(log->take_up());
  return log;
}

AuditLog::~AuditLog() {
  if (!unsynced_ && !syncing_ && retired_.empty()) return;
  for (const UniqueFd& file : retired_) (void)::fdatasync(file.get());
  (void)::fdatasync(file_.get());
}

Status AuditLog::take_up() {
  ASSIGN_OR_RETURN(const auto files, audit_files(folder_));
  if (files.empty()) {
    RETURN_IF_ERROR(open_file(1));
    return store::sync_folder(folder_);
  }
  ASSIGN_OR_RETURN(AuditEnd end, find_audit_end(files));
  seq_ = end.seq;
  last_line_ = std::move(end.last_line);
  RETURN_IF_ERROR(open_file(files.back().number));
  file_bytes_ = files.back().bytes;
  // A power cut tore it: it becomes a line of its own, which is not whole.
  return end.torn ? write_bytes("\n") : ok();
}

Status AuditLog::open_file(std::uint64_t number) {
  const std::string path = audit_path(folder_, number);
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return errno_error("open audit log " + path);
  file_ = std::move(file);
  file_number_ = number;
  file_bytes_ = 0;
  return ok();
}

Status AuditLog::write_bytes(const std::string& bytes) {
  const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
  if (written == static_cast<ssize_t>(bytes.size())) {
    file_bytes_ += bytes.size();
    sync_later();
    return ok();
  }
  const int error = written < 0 ? errno : ENOSPC;
  // Half a line would be taken for a changed one.
  if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(file_bytes_)) != 0)
    file_bytes_ += static_cast<std::uint64_t>(written);
  return errno_error("write audit log", error);
}

Status AuditLog::write_line(std::string line_without_chain) {
  if (file_bytes_ >= limits_.file_bytes) RETURN_IF_ERROR(rotate());
  std::string line = R"({"seq":)" + std::to_string(seq_ + 1) + "," + line_without_chain.substr(1);
  line.pop_back();
  line += R"(,"prev":")" + line_hash(last_line_) + R"("})";
  RETURN_IF_ERROR(write_bytes(line + "\n"));
  ++seq_;
  last_line_ = line;
  tell_followers(line);
  return ok();
}

std::shared_ptr<const AuditLog::OnLine> AuditLog::follow(OnLine on_line) {
  auto follower = std::make_shared<const OnLine>(std::move(on_line));
  followers_.push_back(follower);
  return follower;
}

// One that is told may leave, or end another.
void AuditLog::tell_followers(const std::string& line) {
  std::erase_if(followers_, [](const auto& follower) { return follower.expired(); });
  const auto told = followers_;
  for (const auto& one : told) {
    if (const auto follower = one.lock()) (*follower)(line);
  }
}

// The loop does not wait for the disk: sync() tells it of the full file, of the new one, and of its
// name.
Status AuditLog::rotate() {
  if (retired_.size() >= kAuditRetiredMax) {
    for (const UniqueFd& file : retired_) {
      if (::fdatasync(file.get()) != 0) return errno_error("sync audit log");
    }
    retired_.clear();
  }
  UniqueFd full = std::move(file_);
  if (Status opened = open_file(file_number_ + 1); !opened) {
    file_ = std::move(full);
    return opened;
  }
  retired_.push_back(std::move(full));
  sync_later();
  return make_room();
}

Status AuditLog::make_room() {
  ASSIGN_OR_RETURN(const auto files, audit_files(folder_));
  std::uint64_t total = 0;
  for (const AuditFile& file : files) total += file.bytes;
  for (const AuditFile& file : files) {
    if (total + limits_.file_bytes <= limits_.total_bytes || file.number == file_number_) break;
    if (::unlink(file.path.c_str()) != 0) return errno_error("remove " + file.path);
    total -= file.bytes;
    Json json = note("audit.drop");
    json["target"] = file.path.substr(folder_.size() + 1);
    json["reason"] = "the files were larger than " + std::to_string(limits_.total_bytes) + " bytes";
    RETURN_IF_ERROR(write_line(text_of(json)));
  }
  return ok();
}

Status AuditLog::ready() {
  if (!failing_) return ok();
  Json json = note("audit.resume");
  json["reason"] = std::to_string(missing_) + " lines are missing: they could not be written";
  RETURN_IF_ERROR(write_line(text_of(json)));
  failing_ = false;
  missing_ = 0;
  return ok();
}

std::string AuditLog::fault() {
  if (const Status now = ready(); !now)
    return now.error().message + "; changes are refused until lines can be written";
  if (sync_error_.empty()) return {};
  std::string told = sync_error_ + "; a power cut would lose lines";
  if (sync_mended_) sync_error_.clear();  // told once at least
  return told;
}

void AuditLog::append(const AuditRecord& record) {
  if (ready() && write_line(text_of(json_of(record)))) return;
  failing_ = true;
  ++missing_;
  ++lost_;
}

void AuditLog::append_refused(const AuditRecord& record, TimePoint now) {
  ++refused_;
  if (!budget_.take(now)) {
    ++left_out_;
    return;
  }
  const std::uint64_t left_out = budget_.left_out();
  AuditRecord line = record;
  for (std::string* text : {&line.actor, &line.from, &line.name_space, &line.target})
    *text = plain(*text);
  if (left_out != 0)
    line.reason += "; " + std::to_string(left_out) + " refusals before it are left out";
  append(line);
}

void AuditLog::sync_later() {
  unsynced_ = true;
  if (!sync_timer_.active()) sync_timer_.start(limits_.synced_within);
}

void AuditLog::sync() {
  if (syncing_) return;  // a slow disk: synced() goes on
  unsynced_ = false;
  struct Work {
    std::vector<UniqueFd> files;
    std::string folder;  // empty: it has no new name
    std::string error;
  };
  const auto work = std::make_shared<Work>();
  if (!retired_.empty()) work->folder = folder_;
  for (const UniqueFd& file : retired_)
    work->files.emplace_back(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  work->files.emplace_back(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  syncing_ = std::make_unique<Background>(
      loop_,
      [work] {
        for (const UniqueFd& file : work->files) {
          if (::fdatasync(file.get()) != 0) work->error = errno_error("sync audit log").message;
        }
        if (work->folder.empty()) return;
        if (Status named = store::sync_folder(work->folder); !named)
          work->error = named.error().message;
      },
      [this, work] { synced(work->files.size() - 1, work->error); });
}

void AuditLog::synced(std::size_t retired, const std::string& error) {
  syncing_.reset();
  sync_mended_ = error.empty();
  if (!error.empty()) sync_error_ = error;
  // rotate() may have told the disk of them itself.
  if (error.empty())
    retired_.erase(retired_.begin(), retired_.begin() + std::min(retired, retired_.size()));
  if (unsynced_ || !retired_.empty()) sync_later();
}

}  // namespace subito::access
