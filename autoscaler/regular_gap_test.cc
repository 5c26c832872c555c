#include "autoscaler/regular_gap.h"

#include <gtest/gtest.h>

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

TEST(RegularGap, IsKnownAfterItsLeastNumberOfGaps) {
  RegularGap gap;
  for (std::uint32_t i = 0; i < RegularGap::kGapsMin; ++i) {
    EXPECT_FALSE(gap.known());
    gap.add(60s);
  }
  EXPECT_TRUE(gap.known());
  EXPECT_EQ(gap.mean(), 60s);
}

TEST(RegularGap, OfATimerHasANarrowMarginAfterSomeTime) {
  RegularGap gap;
  for (int i = 0; i < 8; ++i) gap.add(60s);
  // The deviation begins at 30 s and shrinks by a quarter with each gap: 30 s * 0.75^7 = 4.0 s.
  EXPECT_GT(gap.margin(), 15s);
  for (int i = 0; i < 60; ++i) gap.add(60s);
  EXPECT_EQ(gap.margin(), RegularGap::kMarginMin);
}

TEST(RegularGap, OfCallsByChanceIsAsWideAsTheGaps) {
  RegularGap gap;
  for (int i = 0; i < 50; ++i) gap.add(i % 2 == 0 ? 1s : 9s);
  EXPECT_GT(gap.margin(), gap.mean());
}

TEST(RegularGap, WidensAtOnceWhenACallIsLate) {
  RegularGap gap;
  for (int i = 0; i < 100; ++i) gap.add(60s);
  gap.add(120s);
  EXPECT_GE(gap.margin(), 59s);  // 4 * 60 s / 4
}

}  // namespace
}  // namespace subito::autoscaler
