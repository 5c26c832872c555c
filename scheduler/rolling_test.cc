#include "scheduler/rolling.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace subito::scheduler {
namespace {

using Kind = RollingStep::Kind;

struct Rolled {
  int steps = 0;
  std::uint32_t pods_most = 0;
  std::uint32_t ready_least = ~0U;
  bool done = false;
};

// Pods of the new revision come up one step after they were wanted, those of the old go at once.
Rolled roll_through(RollingLimits limits) {
  RollingView view{limits.pods, 0, 0};
  std::uint32_t starting = 0;
  Rolled rolled;
  for (; rolled.steps < 100; ++rolled.steps) {
    const RollingStep step = roll(limits, view);
    rolled.done = step.kind == Kind::kDone;
    if (rolled.done) return rolled;
    EXPECT_LE(step.new_min, step.new_max);
    EXPECT_GE(step.old_max, 1U);
    EXPECT_GT(step.new_weight + step.old_weight, 0U);
    EXPECT_TRUE(step.new_weight == 0 || view.new_ready > 0) << "traffic for what is not ready";
    view.old_pods = std::min(view.old_pods, step.old_max);
    view.new_ready += starting;
    starting = step.new_min > view.new_ready ? step.new_min - view.new_ready : 0;
    rolled.pods_most = std::max(rolled.pods_most, view.old_pods + view.new_ready + starting);
    rolled.ready_least = std::min(rolled.ready_least, view.old_pods + view.new_ready);
  }
  return rolled;
}

TEST(Rolling, KeepsWithinSurgeAndUnavailableForAnyNumberOfPods) {
  for (std::uint32_t pods = 1; pods <= 12; ++pods) {
    for (std::uint32_t surge = 0; surge <= 4; ++surge) {
      for (std::uint32_t unavailable = 0; unavailable <= 4; ++unavailable) {
        const Rolled rolled = roll_through({pods, surge, unavailable, 20});
        const bool needs_one = surge == 0 && (unavailable == 0 || pods == 1);
        EXPECT_TRUE(rolled.done) << pods << " " << surge << " " << unavailable;
        EXPECT_LE(rolled.pods_most, pods + (needs_one ? 1 : surge));
        EXPECT_GE(rolled.ready_least, pods > unavailable ? pods - unavailable : 1);
      }
    }
  }
}

TEST(Rolling, ReplacesPodByPodWithASurgeOfOne) {
  const RollingLimits limits{4, 1, 0, 20};
  const RollingStep first = roll(limits, {4, 0, 0});
  EXPECT_EQ(first.new_min, 1U);
  EXPECT_EQ(first.old_max, 4U);
  EXPECT_EQ(first.new_weight, 0U);
  const RollingStep second = roll(limits, {4, 1, 0});
  EXPECT_EQ(second.old_max, 3U);
  EXPECT_EQ(second.new_weight, 1U);
  EXPECT_EQ(second.old_weight, 3U);
  EXPECT_EQ(roll(limits, {1, 4, 0}).kind, Kind::kDone);
}

TEST(Rolling, IsDoneAtOnceWhenTheOldRevisionSleeps) {
  EXPECT_EQ(roll({0, 1, 0, 20}, {0, 0, 0}).kind, Kind::kDone);
}

TEST(Rolling, GivesAllTrafficToTheNewOneOnceNoPodOfTheOldIsLeft) {
  const RollingStep step = roll({4, 1, 0, 20}, {0, 1, 0});
  EXPECT_EQ(step.old_weight, 0U);
  EXPECT_EQ(step.new_weight, 1U);
}

TEST(Rolling, FailsWithTheFirstStartThatCameToNothing) {
  EXPECT_EQ(roll({4, 1, 0, 20}, {3, 2, 1}).kind, Kind::kFailed);
}

TEST(Rolling, WantsNoMorePodsThanTheNewRevisionMayHave) {
  const RollingStep step = roll({8, 8, 0, 2}, {1, 0, 0});
  EXPECT_EQ(step.new_min, 2U);
}

TEST(Rolling, ReadsNumbersAndPercentages) {
  EXPECT_EQ(pods_of("3", 10, true), 3U);
  EXPECT_EQ(pods_of("25%", 10, true), 3U);
  EXPECT_EQ(pods_of("25%", 10, false), 2U);
  EXPECT_EQ(pods_of("100%", 10, false), 10U);
  EXPECT_EQ(pods_of("", 10, true), 0U);
  EXPECT_EQ(pods_of("x%", 10, true), 0U);
}

}  // namespace
}  // namespace subito::scheduler
