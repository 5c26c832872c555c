#include "autoscaler/hybrid_histogram.h"

#include <gtest/gtest.h>

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

// Calls of one second, with gaps between them; the plan is that at the end of the last.
class Caller {
 public:
  Caller& call() {
    load_.in_flight = 1;
    policy_.observe(load_);
    load_.now += 1s;
    load_.in_flight = 0;
    policy_.observe(load_);
    return *this;
  }
  Caller& gaps(int count, Duration gap) {
    for (int i = 0; i < count; ++i) {
      load_.now += gap;
      call();
    }
    return *this;
  }
  // So long after the end of the last call.
  Plan plan_after(Duration idle) {
    Load load = load_;
    load.now += idle;
    return policy_.plan(load);
  }
  HybridHistogram& policy() { return policy_; }

 private:
  HybridHistogram policy_;
  Load load_{.now = TimePoint(1s)};
};

TEST(HybridHistogram, KeepsPodsFourHoursWhileItKnowsNothing) {
  Caller caller;
  EXPECT_EQ(caller.plan_after(0s).ask_again_at, TimePoint::max());
  caller.call();
  EXPECT_EQ(caller.plan_after(0s).keep_idle, 4h);
  EXPECT_EQ(caller.plan_after(0s).pods_wanted, 0u);
  EXPECT_EQ(caller.plan_after(0s).ask_again_at, TimePoint::max());
}

TEST(HybridHistogram, LetsPodsGoAndHasOneBackBeforeARegularCall) {
  Caller caller;
  caller.call().gaps(20, 612s);  // 10.2 min: bin 10
  // 0.9 * 10 min = 9 min; 1.1 * 11 min = 12.1 min.
  const Plan idle = caller.plan_after(0s);
  EXPECT_EQ(idle.keep_idle, 0s);
  EXPECT_EQ(idle.pods_wanted, 0u);
  const TimePoint end = idle.ask_again_at - 9min;
  const Plan warm = caller.plan_after(9min);
  EXPECT_EQ(warm.pods_wanted, 1u);
  EXPECT_EQ(to_string(warm.reason), "a call is expected");
  EXPECT_EQ(warm.ask_again_at - end, 726s);
  EXPECT_EQ(caller.plan_after(9min - 1ns).pods_wanted, 0u);
  EXPECT_EQ(caller.plan_after(726s - 1ns).pods_wanted, 1u);
  const Plan given_up = caller.plan_after(726s);
  EXPECT_EQ(given_up.pods_wanted, 0u);
  EXPECT_EQ(given_up.ask_again_at, TimePoint::max());
}

TEST(HybridHistogram, JustKeepsPodsWhereTheGapsBeginBelowAMinute) {
  Caller caller;
  caller.call().gaps(90, 5s).gaps(10, 150s);
  // 5th percentile bin 0: no pre-warming. 99th: bin 2, rounded up 3 min, * 1.1 = 3.3 min.
  EXPECT_EQ(caller.plan_after(0s).keep_idle, 198s);
  EXPECT_EQ(caller.plan_after(0s).pods_wanted, 0u);
}

TEST(HybridHistogram, TakesPercentilesNotExtremes) {
  Caller caller;
  // 1 gap of 2 min, 98 of 20, 1 of 60: 5th and 99th are both of the 98.
  caller.call().gaps(1, 2min).gaps(98, 20min).gaps(1, 60min);
  const Plan idle = caller.plan_after(0s);
  EXPECT_EQ(caller.plan_after(18min).pods_wanted, 1u);  // 0.9 * 20
  EXPECT_EQ(caller.plan_after(18min).ask_again_at - idle.ask_again_at, 1386s - 18min);
}

TEST(HybridHistogram, KeepsPodsFourHoursWhereTheGapsHaveNoShape) {
  // One in each of n bins: CV^2 = 240 n / n^2 - 1 < 4 from n = 49 on.
  Caller shaped;
  shaped.call();
  for (int bin = 1; bin <= 48; ++bin) shaped.gaps(1, bin * 1min);
  EXPECT_EQ(shaped.plan_after(0s).keep_idle, 0s);
  Caller shapeless;
  shapeless.call();
  for (int bin = 1; bin <= 49; ++bin) shapeless.gaps(1, bin * 1min);
  EXPECT_EQ(shapeless.plan_after(0s).keep_idle, 4h);
}

TEST(HybridHistogram, ExpectsTheSmoothedGapWhereHalfAreOutOfBounds) {
  Caller caller;
  caller.call().gaps(1, 10min).gaps(1, 10h);
  // Smoothed: 10 min + (600 - 10) / 8 = 83.75 min; 0.85 of it 71.1875, 1.15 of it 96.3125 min.
  const Plan idle = caller.plan_after(0s);
  EXPECT_EQ(idle.pods_wanted, 0u);
  EXPECT_EQ(caller.plan_after(4271s).pods_wanted, 0u);
  EXPECT_EQ(caller.plan_after(4272s).pods_wanted, 1u);
  EXPECT_EQ(caller.plan_after(5778s).pods_wanted, 1u);
  EXPECT_EQ(caller.plan_after(5779s).pods_wanted, 0u);
  // Two of three in bounds: the histogram again, 0.9 * 10 min.
  caller.gaps(1, 10min);
  EXPECT_EQ(caller.plan_after(9min).pods_wanted, 1u);
}

TEST(HybridHistogram, CountsAGapOnlyFromTheLastInvocationInFlight) {
  HybridHistogram policy;
  Load load{.now = TimePoint(1s), .in_flight = 2};
  policy.observe(load);
  load.now += 30min;
  load.in_flight = 1;
  policy.observe(load);
  load.in_flight = 2;  // no gap: one was in flight
  policy.observe(load);
  load.in_flight = 0;
  policy.observe(load);
  EXPECT_EQ(policy.plan(load).keep_idle, 4h);
}

TEST(HybridHistogram, AgesByHalvingSoThatItFollowsChange) {
  Caller caller;
  caller.call().gaps(70'000, 5s);
  EXPECT_EQ(caller.plan_after(0s).keep_idle, 66s);  // bin 0: 1 min * 1.1
  // As many of 20 min as are left of the old ones: the 99th percentile is theirs at once.
  caller.gaps(40'000, 20min + 1s);
  EXPECT_EQ(caller.plan_after(0s).keep_idle, 1386s);  // 21 min * 1.1
}

TEST(HybridHistogram, TakesLittleMemoryAndNoneOfItsBinsBeforeTheSecondCall) {
  EXPECT_LE(sizeof(HybridHistogram), 128u);  // beside 480 bytes of bins
}

}  // namespace
}  // namespace subito::autoscaler
