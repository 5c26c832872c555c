// CpuMeter: what a handler took of the CPU, by the kernel's account of its thread: CPU time from
// clock_gettime(2), and how long it was ready to run and waited for a core from
// /proc/thread-self/schedstat (proc(5); Linux, Documentation/scheduler/sched-stats.rst).
//
// One a thread. It costs two microseconds, so that it measures only after a call that took
// kWorthMeasuring or longer: functions that answer at once never pay.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "runtime/base/unique_fd.h"

namespace subito::sdk {

struct CpuUse {
  std::chrono::nanoseconds cpu{};     // on a core
  std::chrono::nanoseconds waited{};  // ready to run, and waiting for one
};

class CpuMeter {
 public:
  static constexpr auto kWorthMeasuring = std::chrono::microseconds(250);

  static CpuMeter& of_this_thread();

  void begin();
  // Since begin(). Nothing: the call before was short, or the kernel does not tell.
  std::optional<CpuUse> end();
  // From begin() to end(), by the clock on the wall.
  std::chrono::nanoseconds took() const { return took_; }

 private:
  std::optional<CpuUse> read();

  std::chrono::steady_clock::time_point begun_;
  std::chrono::nanoseconds took_{};
  std::optional<CpuUse> at_begin_;
  bool measures_ = false;
  bool tells_ = true;  // the kernel does
  UniqueFd schedstat_;
};

}  // namespace subito::sdk
