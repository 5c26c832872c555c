// Histogram: counts of non-negative integers (nanoseconds, bytes) in buckets whose width grows with
// the value, so that any percentile is right to three digits (1/2048, 0.05 %) in constant memory.
//
// Values below 2,048 are exact. Above, each power of two is cut in 2,048 equal buckets: 100,010
// lies in [100,000, 100,032). Pure, no thread of its own; 848 KiB once something was recorded,
// nothing before.
#pragma once

#include <cstdint>
#include <vector>

namespace subito {

class Histogram {
 public:
  void record(std::int64_t value);  // negative values count as 0
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::int64_t min() const { return count_ ? min_ : 0; }
  std::int64_t max() const { return max_; }
  double mean() const;
  // The value that `fraction` (0 to 1) of the records do not exceed; the middle of its bucket,
  // never outside [min, max]. 0 when empty.
  std::int64_t percentile(double fraction) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace subito
