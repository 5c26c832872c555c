#include "bench/quiet.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "bench/node_client.h"

namespace subito::bench {

namespace {

ProcessorTime processor_time() {
  std::string line;
  std::ifstream stat("/proc/stat");
  std::getline(stat, line);
  return parse_processor_time(line);
}

}  // namespace

ProcessorTime parse_processor_time(std::string_view stat) {
  std::istringstream words{std::string(stat)};
  std::string label;
  words >> label;
  ProcessorTime time;
  std::uint64_t ticks = 0;
  for (int i = 0; i < 8 && words >> ticks; ++i) {  // user nice system idle iowait irq softirq steal
    time.all += ticks;
    if (i != 3 && i != 4) time.busy += ticks;
  }
  return time;
}

Status rest_quietly(std::chrono::nanoseconds idle) {
  const auto deadline = std::chrono::steady_clock::now() + kQuietTimeout;
  const auto window = std::max<std::chrono::nanoseconds>(idle, kQuietFor);
  while (std::chrono::steady_clock::now() < deadline) {
    const ProcessorTime before = processor_time();
    if (!rest(window)) return fail(ErrorCode::kCancelled, "rest: interrupted");
    const ProcessorTime after = processor_time();
    const auto busy = static_cast<double>(after.busy - before.busy);
    if (busy <= kQuietBusyMax * static_cast<double>(after.all - before.all)) return ok();
  }
  return fail(ErrorCode::kDeadlineExceeded, "wait for a quiet machine: other work never paused");
}

}  // namespace subito::bench
