#include "runtime/node/logs/log_rotation.h"

#include <algorithm>

namespace subito::node {
namespace {

std::uint64_t bytes_in(const std::deque<LogSegment>& segments) {
  std::uint64_t bytes = 0;
  for (const LogSegment& segment : segments) bytes += segment.bytes;
  return bytes;
}

void remove_oldest(const std::string& function, std::deque<LogSegment>& segments,
                   std::vector<LogRemoval>& removals) {
  removals.push_back({function, segments.front().number});
  segments.pop_front();
}

}  // namespace

bool may_append(const LogSegment& segment, std::uint64_t bytes, const LogLimits& limits,
                std::int64_t now_unix_ns) {
  const auto age_max = limits.age_max.count() / static_cast<std::int64_t>(kLogSegments);
  return segment.ours && segment.bytes + bytes <= limits.function_bytes_max / kLogSegments &&
         now_unix_ns - segment.first_unix_ns < age_max;
}

std::vector<LogRemoval> plan_removals(LogSegments segments, const LogLimits& limits,
                                      std::int64_t now_unix_ns) {
  std::vector<LogRemoval> removals;
  std::map<std::string, std::uint64_t, std::less<>> bytes;
  std::uint64_t total = 0;
  for (auto& [function, own] : segments) {
    while (!own.empty() && now_unix_ns - own.front().last_unix_ns > limits.age_max.count())
      remove_oldest(function, own, removals);
    while (bytes_in(own) > limits.function_bytes_max || own.size() > kLogFilesMax)
      remove_oldest(function, own, removals);
    bytes[function] = bytes_in(own);
    total += bytes[function];
  }
  while (total > limits.total_bytes_max) {
    const auto most =
        std::max_element(bytes.begin(), bytes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    auto& own = segments.at(most->first);
    total -= own.front().bytes;
    most->second -= own.front().bytes;
    remove_oldest(most->first, own, removals);
  }
  return removals;
}

}  // namespace subito::node
