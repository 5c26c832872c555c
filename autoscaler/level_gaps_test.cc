#include "autoscaler/level_gaps.h"

#include <gtest/gtest.h>

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since) {
  return TimePoint(since);
}

TEST(LevelGaps, BeginWhenALevelIsLeftAndEndWhenItIsReachedAgain) {
  LevelGaps gaps;
  EXPECT_LT(gaps.move(at(1s), 2), 0s);  // the first time there is no gap
  EXPECT_EQ(gaps.of(1), nullptr);
  gaps.move(at(2s), 1);
  EXPECT_LT(gaps.move(at(3s), 2), 0s);  // level 2 was left for a second, level 1 was not
  EXPECT_EQ(gaps.of(1)->count(), 0u);
  EXPECT_EQ(gaps.of(2)->count(), 1u);
  gaps.move(at(4s), 0);
  EXPECT_EQ(gaps.move(at(10s), 2), 6s);
  EXPECT_EQ(gaps.of(1)->count(), 1u);
  EXPECT_EQ(gaps.of(2)->count(), 2u);
}

TEST(LevelGaps, ShareHistogramsByClass) {
  LevelGaps gaps;
  gaps.move(at(1s), 9);
  gaps.move(at(2s), 0);
  gaps.move(at(3s), 9);
  EXPECT_EQ(gaps.of(1)->count(), 1u);   // 1
  EXPECT_EQ(gaps.of(2)->count(), 1u);   // 2
  EXPECT_EQ(gaps.of(3)->count(), 2u);   // 3, 4
  EXPECT_EQ(gaps.of(8)->count(), 4u);   // 5 to 8
  EXPECT_EQ(gaps.of(16)->count(), 1u);  // 9 to 16
  EXPECT_EQ(gaps.of(5), gaps.of(8));
  EXPECT_NE(gaps.of(4), gaps.of(5));
  EXPECT_EQ(gaps.of(17), nullptr);
}

TEST(LevelGaps, HaveAHighestLevel) {
  LevelGaps gaps;
  gaps.move(at(1s), 100'000);
  EXPECT_EQ(gaps.level(), LevelGaps::kLevelsMax);
  gaps.move(at(2s), 0);
  gaps.move(at(3s), 100'000);
  EXPECT_EQ(gaps.of(1'000'000)->count(), 512u);  // 513 to 1024
}

}  // namespace
}  // namespace subito::autoscaler
