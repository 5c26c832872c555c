#include "autoscaler/estimate.h"

#include <gtest/gtest.h>

namespace subito::autoscaler {
namespace {

using std::chrono::milliseconds;

TEST(Estimate, AnswersItsPriorUntilTheFirstObservationReplacesIt) {
  Estimate estimate(milliseconds(5));
  EXPECT_EQ(estimate.mean(), milliseconds(5));
  EXPECT_FALSE(estimate.measured());
  estimate.observe(milliseconds(1));
  EXPECT_EQ(estimate.mean(), milliseconds(1));
  EXPECT_TRUE(estimate.measured());
}

TEST(Estimate, MovesAnEighthOfTheWay) {
  Estimate estimate;
  estimate.observe(milliseconds(8));
  estimate.observe(milliseconds(16));
  EXPECT_EQ(estimate.mean(), milliseconds(9));
  estimate.observe(milliseconds(1));
  EXPECT_EQ(estimate.mean(), milliseconds(8));
}

TEST(Estimate, FollowsAStepAsFastAsItsHeaderSays) {
  Estimate estimate;
  estimate.observe(milliseconds(10));
  for (int i = 0; i < 6; ++i) estimate.observe(milliseconds(20));
  EXPECT_GE(estimate.mean(), milliseconds(15));
  for (int i = 6; i < 18; ++i) estimate.observe(milliseconds(20));
  EXPECT_GE(estimate.mean(), milliseconds(19));
  EXPECT_LT(estimate.mean(), milliseconds(20));
}

TEST(Estimate, TakesNegativeTimeForNone) {
  Estimate estimate;
  estimate.observe(milliseconds(-3));
  EXPECT_EQ(estimate.mean(), milliseconds(0));
}

}  // namespace
}  // namespace subito::autoscaler
