// LogFolder: the log files of all functions, DATA/logs/NAME/NUMBER.ndjson, a record a line, oldest
// first. Whoever holds it calls it from one thread at a time; every call may wait for the disk.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/node/logs/log_line.h"
#include "runtime/node/logs/log_rotation.h"

namespace subito::node {

// What one read takes into memory at most: of more the oldest are left out, and the first record
// says so.
inline constexpr std::size_t kLogReadBytesMax = 16 << 20;

// What was said before the records that are still in memory.
struct LogRead {
  std::string function;
  std::uint64_t before = 0;  // of this life only records with lower numbers; 0: none
  std::size_t tail = 0;      // the last so many
  std::int64_t since_unix_ns = 0;
  std::string pod;  // only of that pod, and of this life; empty: of all
};

class LogFolder {
 public:
  using Records = std::map<std::string, std::vector<NumberedRecord>, std::less<>>;  // by function
  // How many of a function's records could not be written, and why the last of them.
  struct Unwritten {
    std::map<std::string, std::uint64_t, std::less<>> records;
    std::string fault;  // empty: all were
  };

  // Makes the folder if it is not there, and sees what earlier lives left.
  static Result<LogFolder> open(std::string path, const LogLimits& limits);

  // Appends what came, then rotates. `ahead_ns`: how far the clock was set forward while this node
  // runs; files do not age by that.
  Unwritten append(const Records& records, std::int64_t now_unix_ns, std::int64_t ahead_ns = 0);
  // Whether a batch could be written: why not, or empty. Leaves nothing.
  std::string try_write() const;
  // Oldest first. What cannot be read is as if it were not there.
  std::vector<api::LogRecord> read(const LogRead& read) const;
  // Removes what is too old.
  void rotate(std::int64_t now_unix_ns, std::int64_t ahead_ns = 0);
  void remove(const std::string& function);
  // Removes the logs of all other functions.
  void keep_only(const std::set<std::string>& functions);

  const LogSegments& segments() const { return segments_; }

 private:
  LogFolder(std::string path, const LogLimits& limits) : path_(std::move(path)), limits_(limits) {}

  Status find_segments();
  std::string file_of(std::string_view function, std::uint64_t number) const;
  Status write(const std::string& function, const std::string& lines, std::int64_t now_unix_ns);
  Status append_to(LogSegment& segment, const std::string& file, const std::string& lines);

  std::string path_;
  LogLimits limits_;
  LogSegments segments_;
  std::uint64_t next_number_ = 1;
};

}  // namespace subito::node
