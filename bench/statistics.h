// Statistics of measured times: percentiles, and how sure a ratio of two medians is. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace subito::bench {

using Samples = std::vector<std::int64_t>;  // nanoseconds, in the order they were taken

// The smallest sample that at least `fraction` (0 to 1) of all do not exceed; 0 of none.
std::int64_t percentile(Samples samples, double fraction);

struct Ratio {
  double low = 0;  // 95 % of the bootstrap lie in [low, high]
  double middle = 0;
  double high = 0;
};

inline constexpr int kResamples = 1000;

// A percentile of `samples` over the same of `base`. Both are drawn again kResamples times with
// replacement (percentile bootstrap): a ratio whose interval spans 1 tells nothing. All 0 when one
// is empty.
Ratio ratio_of_percentiles(const Samples& samples, const Samples& base, double fraction,
                           std::uint64_t seed);
// At 0.5.
Ratio ratio_of_medians(const Samples& samples, const Samples& base, std::uint64_t seed);

}  // namespace subito::bench
