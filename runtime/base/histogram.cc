#include "runtime/base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace subito {
namespace {

constexpr int kBits = 11;  // 2,048 buckets for each power of two
constexpr std::uint64_t kExact = 1U << kBits;
constexpr std::size_t kBuckets = (64 - kBits) * kExact;

std::size_t bucket_of(std::uint64_t value) {
  if (value < kExact) return value;
  const int shift = std::bit_width(value) - kBits - 1;
  return (static_cast<std::size_t>(shift) + 1) * kExact + (value >> shift) - kExact;
}

std::uint64_t middle_of(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const auto shift = bucket / kExact - 1;
  const std::uint64_t low = (bucket % kExact + kExact) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1);
}

}  // namespace

void Histogram::record(std::int64_t value) {
  value = std::max<std::int64_t>(value, 0);
  if (buckets_.empty()) buckets_.resize(kBuckets);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
  ++count_;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if (buckets_.empty()) buckets_.resize(kBuckets);
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

void Histogram::clear() {
  *this = Histogram();
}

double Histogram::mean() const {
  return count_ ? sum_ / static_cast<double>(count_) : 0;
}

std::int64_t Histogram::percentile(double fraction) const {
  if (count_ == 0) return 0;
  const double clamped = std::clamp(fraction, 0.0, 1.0);
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(clamped * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::clamp(static_cast<std::int64_t>(middle_of(i)), min_, max_);
  }
  return max_;
}

}  // namespace subito
