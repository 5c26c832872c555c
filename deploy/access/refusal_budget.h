// RefusalBudget: how many refused requests are written down: kRefusalsBurst at once, then one each
// kRefusalEach. What is beyond is counted, and told by the next that is written. Whoever knocks
// without end fills no disk, and soon pushes no history out of it: 256 MiB hold 30 days of nothing
// but refusals of kRefusalLineBytesMax. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "runtime/base/time.h"

namespace subito::access {

inline constexpr std::int64_t kRefusalsBurst = 100;
inline constexpr Duration kRefusalEach = std::chrono::seconds(10);
// Of one line. What the client chose of it is cut to kRefusalTextBytesMax, in plain characters.
inline constexpr std::size_t kRefusalLineBytesMax = 1024;
inline constexpr std::size_t kRefusalTextBytesMax = 64;

class RefusalBudget {
 public:
  bool take(TimePoint now) {
    // The time at which all that was taken is paid for.
    paid_ = std::max(paid_, now - kRefusalEach * kRefusalsBurst);
    if (paid_ + kRefusalEach > now) {
      ++left_out_;
      return false;
    }
    paid_ += kRefusalEach;
    return true;
  }
  // Since the last call.
  std::uint64_t left_out() { return std::exchange(left_out_, 0); }

 private:
  TimePoint paid_ = TimePoint::min();
  std::uint64_t left_out_ = 0;
};

}  // namespace subito::access
