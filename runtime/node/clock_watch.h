// ClockWatch: notices that the wall clock was set: it moved otherwise than time did. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "runtime/base/time.h"

namespace subito::node {

// Clocks are slewed by less; a larger step between two looks was made by somebody.
constexpr Duration kClockStepMax = std::chrono::seconds(2);

class ClockWatch {
 public:
  // The step since the last look, positive: forward; nothing: none worth a word. `now`: of a clock
  // that nobody sets.
  std::optional<Duration> look(TimePoint now, std::int64_t unix_ns) {
    const std::int64_t offset = unix_ns - now.time_since_epoch().count();
    const std::int64_t before = std::exchange(offset_ns_, offset).value_or(offset);
    const Duration step(offset - before);
    if (step < kClockStepMax && step > -kClockStepMax) return std::nullopt;
    return step;
  }

 private:
  std::optional<std::int64_t> offset_ns_;  // wall clock less steady clock
};

}  // namespace subito::node
