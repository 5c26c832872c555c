#include "runtime/node/logs/log_rotation.h"

#include <algorithm>

namespace subito::node {
namespace {

// What is left of a function's files: those from `next` on.
struct Left {
  const std::string* function;
  const std::deque<LogSegment>* segments;
  std::size_t next = 0;
  std::uint64_t bytes = 0;

  bool empty() const { return next == segments->size(); }
  std::size_t files() const { return segments->size() - next; }
  const LogSegment& oldest() const { return (*segments)[next]; }
};

void remove_oldest(Left& left, std::vector<LogRemoval>& removals) {
  removals.push_back({*left.function, left.oldest().number});
  left.bytes -= left.oldest().bytes;
  ++left.next;
}

}  // namespace

bool may_append(const LogSegment& segment, std::uint64_t bytes, const LogLimits& limits,
                std::int64_t now_unix_ns) {
  const auto age_max = limits.age_max.count() / static_cast<std::int64_t>(kLogSegments);
  return segment.ours && segment.bytes + bytes <= limits.function_bytes_max / kLogSegments &&
         now_unix_ns - segment.first_unix_ns < age_max;
}

// Asked at every flush, with nothing to remove nearly always: it copies no file's facts.
std::vector<LogRemoval> plan_removals(const LogSegments& segments, const LogLimits& limits,
                                      std::int64_t now_unix_ns) {
  std::vector<LogRemoval> removals;
  std::vector<Left> all;
  all.reserve(segments.size());
  std::uint64_t total = 0;
  for (const auto& [function, own] : segments) {
    Left& left = all.emplace_back(Left{&function, &own});
    for (const LogSegment& segment : own) left.bytes += segment.bytes;
    while (!left.empty() && now_unix_ns - left.oldest().last_unix_ns > limits.age_max.count())
      remove_oldest(left, removals);
    while (left.bytes > limits.function_bytes_max || left.files() > kLogFilesMax)
      remove_oldest(left, removals);
    total += left.bytes;
  }
  while (total > limits.total_bytes_max) {
    Left& most = *std::max_element(all.begin(), all.end(),
                                   [](const Left& a, const Left& b) { return a.bytes < b.bytes; });
    total -= most.oldest().bytes;
    remove_oldest(most, removals);
  }
  return removals;
}

}  // namespace subito::node
