// LogClock: how far the wall clock was set forward since the first look. Log files do not age by
// that: one step of a week would remove them all, though it may be taken back. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/node/clock_watch.h"

namespace subito::node {

class LogClock {
 public:
  // A smaller difference is the clock being slewed.
  static constexpr std::int64_t kStepNs = 60'000'000'000;

  // `steady`: a clock that nobody sets. Never negative: a step back only makes up for one forward.
  std::int64_t ahead_ns(TimePoint steady, std::int64_t unix_ns) {
    const std::int64_t step = watch_.look(steady, unix_ns).value_or(Duration::zero()).count();
    if (step > kStepNs || step < -kStepNs) ahead_ns_ = std::max<std::int64_t>(0, ahead_ns_ + step);
    return ahead_ns_;
  }

 private:
  ClockWatch watch_;
  std::int64_t ahead_ns_ = 0;
};

}  // namespace subito::node
