// Which percentiles a number of measurements can tell. One that rests on a handful of them is
// noise, so that a percentile p is told from 10 / (1 - p) measurements on: p50 from 20, p99 from
// 1,000, p99.9 from 10,000. Pure.
#pragma once

#include <cstdint>

namespace subito::bench {

struct PercentileName {
  double fraction = 0;
  const char* name = nullptr;
};
inline constexpr PercentileName kPercentiles[] = {
    {0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"}};

bool enough_for(double fraction, std::uint64_t measurements);

}  // namespace subito::bench
