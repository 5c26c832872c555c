// LineBudget: how much one function may log: so many lines and bytes a second, and a burst of both.
// What comes beyond is lost, and counted by whoever asked. Pure: time comes in.
#pragma once

#include <cstddef>

#include "runtime/base/time.h"

namespace subito::node {

struct LineRates {
  double lines_per_second = 0;
  double lines_burst = 0;
  double bytes_per_second = 0;
  double bytes_burst = 0;
};

// Of a function's pods together: a handler that logs ten lines may be called 100 times a second for
// ever, and 1,000 times for a second.
inline constexpr LineRates kPodLineRates = {1'000, 10'000, 256 << 10, 4 << 20};
// Of what the node says about a function: crashes, refusals. Its own, so that the crash which
// follows a flood is told.
inline constexpr LineRates kNodeLineRates = {100, 2'000, 64 << 10, 2 << 20};

class LineBudget {
 public:
  explicit LineBudget(const LineRates& rates)
      : rates_(rates), lines_(rates.lines_burst), bytes_(rates.bytes_burst) {}

  // Whether a line of that size may pass; then it is paid for.
  bool take(std::size_t bytes, TimePoint now);

 private:
  LineRates rates_;
  double lines_;  // left
  double bytes_;
  TimePoint at_{};  // when that was reckoned
};

}  // namespace subito::node
