#include "bench/statistics.h"

#include <gtest/gtest.h>

#include <numeric>

namespace subito::bench {
namespace {

TEST(Percentile, IsTheNearestRank) {
  Samples hundred(100);
  std::iota(hundred.rbegin(), hundred.rend(), 1);  // 100 down to 1
  EXPECT_EQ(percentile(hundred, 0.5), 50);
  EXPECT_EQ(percentile(hundred, 0.9), 90);
  EXPECT_EQ(percentile(hundred, 0.99), 99);
  EXPECT_EQ(percentile(hundred, 1.0), 100);
  EXPECT_EQ(percentile(hundred, 0.0), 1);
}

TEST(Percentile, OfFewIsOneOfThem) {
  EXPECT_EQ(percentile({}, 0.5), 0);
  EXPECT_EQ(percentile({7}, 0.99), 7);
  EXPECT_EQ(percentile({9, 3}, 0.5), 3);
}

TEST(RatioOfMedians, OfEqualSamplesIsExactlyOne) {
  const Ratio ratio = ratio_of_medians({5, 5, 5}, {5, 5, 5}, 1);
  EXPECT_EQ(ratio.low, 1);
  EXPECT_EQ(ratio.middle, 1);
  EXPECT_EQ(ratio.high, 1);
}

TEST(RatioOfMedians, IsAsWideAsTheSamplesAre) {
  Samples narrow;
  Samples wide;
  for (int i = 0; i < 100; ++i) {
    narrow.push_back(200 + i % 3);
    wide.push_back(100 + 2 * i);
  }
  const Samples base(50, 100);
  const Ratio sure = ratio_of_medians(narrow, base, 1);
  const Ratio unsure = ratio_of_medians(wide, base, 1);
  EXPECT_NEAR(sure.middle, 2.01, 0.001);
  EXPECT_LT(sure.high - sure.low, 0.03);
  EXPECT_LT(unsure.low, unsure.middle);
  EXPECT_GT(unsure.high, unsure.middle);
  EXPECT_GT(unsure.high - unsure.low, 0.1);
}

TEST(RatioOfPercentiles, LooksAtTheTailItIsAskedFor) {
  Samples tail(100, 100);
  std::fill(tail.begin() + 90, tail.end(), 300);
  const Samples base(100, 100);
  EXPECT_EQ(ratio_of_percentiles(tail, base, 0.5, 1).middle, 1);
  const Ratio ratio = ratio_of_percentiles(tail, base, 0.99, 1);
  EXPECT_EQ(ratio.middle, 3);
  EXPECT_EQ(ratio.low, 3) << "ten of a hundred: every draw has some";
}

TEST(RatioOfMedians, DependsOnTheSeedAlone) {
  Samples samples(40);
  std::iota(samples.begin(), samples.end(), 100);
  EXPECT_EQ(ratio_of_medians(samples, samples, 7).low, ratio_of_medians(samples, samples, 7).low);
}

TEST(RatioOfMedians, OfNothingIsNothing) {
  EXPECT_EQ(ratio_of_medians({}, {1}, 1).middle, 0);
  EXPECT_EQ(ratio_of_medians({1}, {}, 1).middle, 0);
}

}  // namespace
}  // namespace subito::bench
