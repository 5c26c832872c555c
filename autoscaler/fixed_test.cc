#include "autoscaler/fixed.h"

#include <gtest/gtest.h>

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

TEST(Fixed, StartsAPodForEachThatFindsNoneFreeHoweverShortTheWait) {
  Fixed policy;
  const StartAnswer first = policy.on_waiting({.waiting = 1});
  EXPECT_TRUE(first.start);
  EXPECT_EQ(first.reason, StartReason::kNothingRuns);
  const StartAnswer second = policy.on_waiting(
      {.waiting = 1, .slots = 1, .pods = 1, .service_measured = true, .service = 1us, .start = 2s});
  EXPECT_TRUE(second.start);
  EXPECT_EQ(second.reason, StartReason::kNoPodFree);
}

TEST(Fixed, KeepsIdlePodsForTheTimeGivenAndPlansNothingAhead) {
  Fixed policy;
  const Plan plan = policy.plan({.now = TimePoint(1s), .ready = 3, .idle = 10min});
  EXPECT_EQ(plan.keep_idle, 10min);
  EXPECT_EQ(plan.pods_wanted, 0u);
  EXPECT_EQ(plan.ask_again_at, TimePoint::max());
}

}  // namespace
}  // namespace subito::autoscaler
