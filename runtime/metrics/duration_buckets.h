// DurationBuckets: a histogram of durations for Prometheus: fixed buckets from 25 µs to 30 s, the
// same in every metric so that they can be added up. A plain value of integers: observe() allocates
// nothing and takes five comparisons. Owned by whoever counts, on its thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/time.h"

namespace subito::metrics {

// Upper bounds in nanoseconds, each included in its bucket; above the last there is one without.
inline constexpr std::array<std::int64_t, 19> kBucketBounds = {
    25'000,        50'000,        100'000,        250'000,       500'000,
    1'000'000,     2'500'000,     5'000'000,      10'000'000,    25'000'000,
    50'000'000,    100'000'000,   250'000'000,    500'000'000,   1'000'000'000,
    2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000};
inline constexpr std::size_t kBucketCount = kBucketBounds.size() + 1;
// The same as `le` of OpenMetrics writes them.
inline constexpr std::array<std::string_view, kBucketCount> kBucketLabels = {
    "2.5e-05", "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
    "0.05",    "0.1",   "0.25",   "0.5",     "1.0",    "2.5",   "5.0",    "10.0",  "30.0", "+Inf"};

class DurationBuckets {
 public:
  void observe(Duration duration) {
    const std::int64_t value = std::max<std::int64_t>(duration.count(), 0);
    const auto* at = std::lower_bound(kBucketBounds.begin(), kBucketBounds.end(), value);
    ++counts_[static_cast<std::size_t>(at - kBucketBounds.begin())];
    sum_ += value;
  }
  void add(const DurationBuckets& other);

  std::uint64_t count() const;
  std::uint64_t in_bucket(std::size_t bucket) const { return counts_[bucket]; }  // not cumulative
  Duration sum() const { return Duration(sum_); }

 private:
  std::array<std::uint64_t, kBucketCount> counts_{};
  std::int64_t sum_ = 0;  // 292 years of it
};

// The duration in seconds that `fraction` of the observations do not exceed, spread evenly over
// their bucket; the greatest bound for what lies beyond it. `counts` as in_bucket(); empty: 0.
double quantile_seconds(const std::array<double, kBucketCount>& counts, double fraction);

}  // namespace subito::metrics
