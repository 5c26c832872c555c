#include "runtime/node/logs/log_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "runtime/base/unique_fd.h"

namespace subito::node {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLogFileEnd = ".ndjson";
// What people said and whom functions served is the node's owner's alone.
constexpr mode_t kLogFileMode = 0600;
constexpr fs::perms kLogFolderPerms = fs::perms::owner_all;

std::uint64_t number_of(const std::string& name) {
  if (name.size() <= kLogFileEnd.size()) return 0;
  const char* end = name.data() + name.size() - kLogFileEnd.size();
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  return error == std::errc() && stop == end && std::string_view(end) == kLogFileEnd ? number : 0;
}

std::int64_t nanoseconds_of(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// All of it or an error; what was written of it then is the caller's to take back.
Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write logs");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return ok();
}

// Of a folder that cannot be read to its end the rest is as if it were not there.
template <typename Visit>
std::error_code each_entry(const std::string& folder, const Visit& visit) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) visit(entry->path());
  return error;
}

std::string contents_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

api::LogRecord left_out_record(const LogRead& read, std::int64_t unix_ns) {
  api::LogRecord record;
  record.unix_ns = unix_ns;
  record.function = read.function;
  record.level = api::LogLevel::kWarning;
  record.stream = api::LogStream::kSystem;
  record.message = "older lines are left out: one answer has at most " +
                   std::to_string(kLogReadBytesMax >> 20) + " MiB; ask for fewer by tail or since";
  return record;
}

// The records of one file that were asked for, newest first, until nothing more is wanted.
class FileScan {
 public:
  FileScan(const LogRead& read, std::vector<api::LogRecord>& found) : read_(read), found_(found) {}

  // False: no older file is wanted.
  bool scan(const std::string& text, bool ours) {
    std::size_t end = text.size();
    while (end > 0 && wants_more()) {
      const std::size_t before = text.rfind('\n', end - 1);
      const std::size_t begin = before == text.npos ? 0 : before + 1;
      if (begin < end) take(std::string_view(text).substr(begin, end - begin), ours);
      end = before == text.npos ? 0 : before;
    }
    return wants_more();
  }
  bool left_out() const { return bytes_ >= kLogReadBytesMax; }

 private:
  // Records stand nearly in the order of their times: of another pod they may be a little late.
  static constexpr std::int64_t kDisorder = 60'000'000'000;

  bool wants_more() const {
    return !too_old_ && found_.size() < read_.tail && bytes_ < kLogReadBytesMax;
  }

  void take(std::string_view line, bool ours) {
    auto numbered = parse_line(line);
    if (!numbered) return;
    if (ours && numbered->number >= read_.before) return;
    api::LogRecord& record = numbered->record;
    too_old_ = record.unix_ns < read_.since_unix_ns - kDisorder;
    if (record.unix_ns < read_.since_unix_ns) return;
    if (!read_.pod.empty() && record.pod != read_.pod) return;
    bytes_ += line.size();
    found_.push_back(std::move(record));
  }

  const LogRead& read_;
  std::vector<api::LogRecord>& found_;
  std::size_t bytes_ = 0;
  bool too_old_ = false;
};

}  // namespace

Result<LogFolder> LogFolder::open(std::string path, const LogLimits& limits) {
  LogFolder folder(std::move(path), limits);
  std::error_code error;
  fs::create_directories(folder.path_, error);
  if (error) return errno_error("make folder of logs " + folder.path_, error.value());
  fs::permissions(folder.path_, kLogFolderPerms, error);
  if (error) return errno_error("close folder of logs " + folder.path_, error.value());
  RETURN_IF_ERROR(folder.find_segments());
  return folder;
}

Status LogFolder::find_segments() {
  const std::error_code error = each_entry(path_, [this](const fs::path& folder) {
    std::error_code unknown;
    if (!fs::is_directory(folder, unknown)) return;
    auto& own = segments_[folder.filename().string()];
    each_entry(folder.string(), [&](const fs::path& file) {
      LogSegment segment;
      struct stat info {};
      segment.number = number_of(file.filename().string());
      if (segment.number == 0 || ::stat(file.c_str(), &info) != 0) return;
      segment.bytes = static_cast<std::uint64_t>(info.st_size);
      segment.first_unix_ns = segment.last_unix_ns = nanoseconds_of(info.st_mtim);
      next_number_ = std::max(next_number_, segment.number + 1);
      own.push_back(segment);
    });
    std::sort(own.begin(), own.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
  });
  if (error) return errno_error("read folder of logs " + path_, error.value());
  return ok();
}

std::string LogFolder::file_of(std::string_view function, std::uint64_t number) const {
  return path_ + "/" + std::string(function) + "/" + std::to_string(number) +
         std::string(kLogFileEnd);
}

LogFolder::Unwritten LogFolder::append(const Records& records, std::int64_t now_unix_ns,
                                       std::int64_t ahead_ns) {
  Unwritten unwritten;
  const std::uint64_t piece_max = limits_.function_bytes_max / kLogSegments;
  for (const auto& of_function : records) {
    const std::string& function = of_function.first;  // clang 14 captures no binding
    std::string lines;
    std::uint64_t count = 0;
    const auto flush = [&] {
      if (count == 0) return;
      if (Status written = write(function, lines, now_unix_ns); !written) {
        unwritten.records[function] += count;
        unwritten.fault = written.error().message;
      }
      lines.clear();
      count = 0;
    };
    for (const NumberedRecord& record : of_function.second) {
      const std::string line = to_line(record);
      if (lines.size() + line.size() > piece_max) flush();
      lines += line;
      ++count;
    }
    flush();
  }
  rotate(now_unix_ns, ahead_ns);
  return unwritten;
}

std::string LogFolder::try_write() const {
  const std::string file = path_ + "/.try";  // a function's name begins with a letter
  const std::string page(4096, '\n');
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kLogFileMode));
  if (!fd.valid()) return errno_error("open " + file).message;
  const Status written = write_all(fd.get(), page);
  ::unlink(file.c_str());
  return written ? "" : written.error().message;
}

Status LogFolder::write(const std::string& function, const std::string& lines,
                        std::int64_t now_unix_ns) {
  auto& own = segments_[function];
  if (own.empty() || !may_append(own.back(), lines.size(), limits_, now_unix_ns)) {
    std::error_code error;
    fs::create_directories(path_ + "/" + function, error);
    if (error) return errno_error("make folder of logs of " + function, error.value());
    LogSegment segment;
    segment.number = next_number_++;
    segment.first_unix_ns = now_unix_ns;
    segment.ours = true;
    own.push_back(segment);
  }
  LogSegment& segment = own.back();
  segment.last_unix_ns = now_unix_ns;
  return append_to(segment, file_of(function, segment.number), lines);
}

Status LogFolder::append_to(LogSegment& segment, const std::string& file,
                            const std::string& lines) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kLogFileMode));
  if (!fd.valid()) {
    const Error error = errno_error("open log file " + file);
    // Somebody took the folder away: the next file makes it anew.
    if (error.os_errno == ENOENT) segment.ours = false;
    return error;
  }
  if (Status written = write_all(fd.get(), lines); !written) {
    // Half a line would spoil the next one.
    if (::ftruncate(fd.get(), static_cast<off_t>(segment.bytes)) != 0) segment.ours = false;
    return std::move(written).error().annotate(file);
  }
  segment.bytes += lines.size();
  return ok();
}

std::vector<api::LogRecord> LogFolder::read(const LogRead& read) const {
  std::vector<api::LogRecord> found;
  const auto own = segments_.find(read.function);
  if (own == segments_.end()) return found;
  FileScan scan(read, found);
  for (auto segment = own->second.rbegin(); segment != own->second.rend(); ++segment) {
    if (segment->last_unix_ns < read.since_unix_ns) break;
    if (!read.pod.empty() && !segment->ours) break;
    if (!scan.scan(contents_of(file_of(read.function, segment->number)), segment->ours)) break;
  }
  if (scan.left_out()) found.push_back(left_out_record(read, found.back().unix_ns));
  std::reverse(found.begin(), found.end());
  return found;
}

void LogFolder::rotate(std::int64_t now_unix_ns, std::int64_t ahead_ns) {
  for (const LogRemoval& removal : plan_removals(segments_, limits_, now_unix_ns - ahead_ns)) {
    auto& own = segments_.at(removal.function);
    std::error_code ignored;
    fs::remove(file_of(removal.function, removal.number), ignored);
    own.pop_front();
  }
}

void LogFolder::remove(const std::string& function) {
  std::error_code ignored;
  fs::remove_all(path_ + "/" + function, ignored);
  segments_.erase(function);
}

void LogFolder::keep_only(const std::set<std::string>& functions) {
  std::vector<std::string> others;
  for (const auto& [function, own] : segments_) {
    if (!functions.contains(function)) others.push_back(function);
  }
  for (const std::string& function : others) remove(function);
}

}  // namespace subito::node
