// How log files are rotated: which begin anew and which go, by size and age. Pure: files, limits
// and time come in.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace subito::node {

// Of `subito up`. A function's bytes are kept in kLogSegments files, of which the oldest goes.
struct LogLimits {
  std::uint64_t function_bytes_max = 16 << 20;  // 0: nothing is written to files
  std::uint64_t total_bytes_max = 256 << 20;    // of all functions
  std::chrono::nanoseconds age_max = std::chrono::hours(7 * 24);
};
inline constexpr std::uint64_t kLogSegments = 8;
// Each life of a node begins new files: so many of a function stay, however small they are.
inline constexpr std::size_t kLogFilesMax = 64;

// One file of a function's log.
struct LogSegment {
  std::uint64_t number = 0;  // counts up over all functions and lives of the node
  std::uint64_t bytes = 0;
  std::int64_t first_unix_ns = 0;  // when it was begun
  std::int64_t last_unix_ns = 0;   // when it was written last
  bool ours = false;               // begun by this life of the node; only such are appended to
};
// Oldest first.
using LogSegments = std::map<std::string, std::deque<LogSegment>, std::less<>>;

// Whether `bytes` more still go into it: it is of this life, has room, and is not so old that its
// first lines would go with its last.
bool may_append(const LogSegment& segment, std::uint64_t bytes, const LogLimits& limits,
                std::int64_t now_unix_ns);

// Which files go, so that every limit holds: those whose last line is too old, the oldest of a
// function that has too many bytes, and, over the sum of all, the oldest of whoever has most.
struct LogRemoval {
  std::string function;
  std::uint64_t number = 0;
};
std::vector<LogRemoval> plan_removals(const LogSegments& segments, const LogLimits& limits,
                                      std::int64_t now_unix_ns);

}  // namespace subito::node
