#include "runtime/metrics/duration_buckets.h"

#include <gtest/gtest.h>

#include <random>

namespace subito::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::size_t bucket_of(Duration duration) {
  DurationBuckets buckets;
  buckets.observe(duration);
  for (std::size_t i = 0; i < kBucketCount; ++i) {
    if (buckets.in_bucket(i) == 1) return i;
  }
  return kBucketCount;
}

TEST(DurationBuckets, ABoundBelongsToItsBucketAndWhatIsBeyondTheLastToInfinity) {
  EXPECT_EQ(bucket_of(Duration(0)), 0U);
  EXPECT_EQ(bucket_of(Duration(-5)), 0U);
  EXPECT_EQ(bucket_of(microseconds(25)), 0U);
  EXPECT_EQ(bucket_of(microseconds(25) + Duration(1)), 1U);
  EXPECT_EQ(bucket_of(seconds(30)), kBucketCount - 2);
  EXPECT_EQ(bucket_of(seconds(31)), kBucketCount - 1);
}

TEST(DurationBuckets, LabelsAreTheBoundsInSeconds) {
  for (std::size_t i = 0; i < kBucketBounds.size(); ++i) {
    EXPECT_NEAR(std::stod(std::string(kBucketLabels[i])) * 1e9,
                static_cast<double>(kBucketBounds[i]), 0.5);
  }
}

TEST(DurationBuckets, AddUp) {
  DurationBuckets a, b;
  a.observe(milliseconds(1));
  b.observe(milliseconds(2));
  b.observe(seconds(60));
  a.add(b);
  EXPECT_EQ(a.count(), 3U);
  EXPECT_EQ(a.sum(), milliseconds(3) + seconds(60));
}

TEST(DurationBuckets, AQuantileLiesInTheBucketOfTheTrueOne) {
  std::mt19937 random(7);
  std::array<double, kBucketCount> counts{};
  std::vector<std::int64_t> all;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() % 80'000'000);
    all.push_back(value);
    counts[bucket_of(Duration(value))] += 1;
  }
  std::sort(all.begin(), all.end());
  for (const double fraction : {0.01, 0.5, 0.9, 0.99}) {
    const double guess = quantile_seconds(counts, fraction) * 1e9;
    const std::int64_t truth = all[static_cast<std::size_t>(fraction * 10'000) - 1];
    const std::size_t bucket = bucket_of(Duration(truth));
    EXPECT_LE(guess, static_cast<double>(kBucketBounds[bucket]) + 1) << fraction;
    EXPECT_GE(guess, bucket == 0 ? 0 : static_cast<double>(kBucketBounds[bucket - 1]) - 1);
  }
}

TEST(DurationBuckets, AQuantileOfNothingIsNothingAndBeyondTheLastBoundThatBound) {
  std::array<double, kBucketCount> counts{};
  EXPECT_EQ(quantile_seconds(counts, 0.5), 0);
  counts[kBucketCount - 1] = 3;
  EXPECT_EQ(quantile_seconds(counts, 0.5), 30);
}

}  // namespace
}  // namespace subito::metrics
