// RefusalBudget: how many refused requests are written down: kRefusalsBurst at once, then
// kRefusalsPerSecond. What is beyond is counted, and told by the next that is written. Whoever
// knocks without end fills no disk. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "runtime/base/time.h"

namespace subito::access {

inline constexpr std::int64_t kRefusalsBurst = 100;
inline constexpr std::int64_t kRefusalsPerSecond = 10;

class RefusalBudget {
 public:
  bool take(TimePoint now) {
    constexpr Duration kEach = Duration(std::chrono::seconds(1)) / kRefusalsPerSecond;
    // The time at which all that was taken is paid for.
    paid_ = std::max(paid_, now - kEach * kRefusalsBurst);
    if (paid_ + kEach > now) {
      ++left_out_;
      return false;
    }
    paid_ += kEach;
    return true;
  }
  // Since the last call.
  std::uint64_t left_out() { return std::exchange(left_out_, 0); }

 private:
  TimePoint paid_{};
  std::uint64_t left_out_ = 0;
};

}  // namespace subito::access
