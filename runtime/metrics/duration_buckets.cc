#include "runtime/metrics/duration_buckets.h"

#include <numeric>

namespace subito::metrics {

void DurationBuckets::add(const DurationBuckets& other) {
  for (std::size_t i = 0; i < kBucketCount; ++i) counts_[i] += other.counts_[i];
  sum_ += other.sum_;
}

std::uint64_t DurationBuckets::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

double quantile_seconds(const std::array<double, kBucketCount>& counts, double fraction) {
  constexpr double kNanoseconds = 1e9;
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double rank = all * std::clamp(fraction, 0.0, 1.0);
  double below = 0;
  std::int64_t lower = 0;
  if (all <= 0) return 0;
  for (std::size_t i = 0; i < kBucketBounds.size(); ++i) {
    const std::int64_t upper = kBucketBounds[i];
    if (counts[i] > 0 && below + counts[i] >= rank) {
      const double part = (rank - below) / counts[i];
      return (static_cast<double>(lower) + part * static_cast<double>(upper - lower)) /
             kNanoseconds;
    }
    below += counts[i];
    lower = upper;
  }
  return static_cast<double>(lower) / kNanoseconds;
}

}  // namespace subito::metrics
