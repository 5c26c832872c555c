// The oracle is Knative's formulas, worked out by hand beside each number (concurrency.h has them).
#include "autoscaler/concurrency.h"

#include <gtest/gtest.h>

#include <vector>

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

// A function added at second 1000: ticks at 1002, 1004, ... Time here counts from 1000. The pods
// that serve are said by the test; it asks for a plan whenever the scheduler would.
class Kpa {
 public:
  explicit Kpa(const ConcurrencyOptions& options = {}, std::uint32_t concurrency = 1)
      : policy_(options) {
    load_.now = TimePoint(1000s);
    load_.concurrency = concurrency;
    look();
  }

  Kpa& set(std::uint32_t in_flight, std::uint32_t ready) {
    load_.in_flight = in_flight;
    load_.ready = ready;
    return look();
  }
  Kpa& until(Duration since_start) {
    const TimePoint end = TimePoint(1000s) + since_start;
    while (plan_.ask_again_at <= end) {
      load_.now = plan_.ask_again_at;
      look();
      EXPECT_GT(plan_.ask_again_at, load_.now);
    }
    load_.now = end;
    return look();
  }
  std::uint32_t wanted() const { return plan_.pods_wanted; }
  const Plan& plan() const { return plan_; }
  const Load& load() const { return load_; }
  Concurrency& policy() { return policy_; }

 private:
  Kpa& look() {
    policy_.observe(load_);
    plan_ = policy_.plan(load_);
    return *this;
  }

  Concurrency policy_;
  Load load_;
  Plan plan_;
};

// A long steady load, then a look. Stable and panic average are both what is in flight.
struct Steady {
  const char* says;
  ConcurrencyOptions options;
  std::uint32_t concurrency, in_flight, ready;
  std::uint32_t wanted;
  PlanReason reason;
};

const std::vector<Steady> kSteady = {
    {"7 / 0.7 = 10; 10 / 10 ready = 1 < 2", {}, 1, 7, 10, 10, PlanReason::kAverage},
    {"8 / 0.7 = 11.4 -> 12", {}, 1, 8, 10, 12, PlanReason::kAverage},
    {"concurrency 10: goal 7; 50 / 7 = 7.1 -> 8", {}, 10, 50, 8, 8, PlanReason::kAverage},
    {"target 4 of concurrency 10: goal 2.8; 14 / 2.8 = 5",
     {.target = 4},
     10,
     14,
     4,
     5,
     PlanReason::kAverage},
    {"target 20 is above concurrency 10, which counts: goal 7; 14 / 7 = 2",
     {.target = 20},
     10,
     14,
     2,
     2,
     PlanReason::kAverage},
    {"utilization 100: goal 1; 7 / 1 = 7",
     {.utilization_percent = 100},
     1,
     7,
     7,
     7,
     PlanReason::kAverage},
    {"P / r = 3 / 2 = 1.5 < 2: ceil(2 / 0.7) = 3 by the average",
     {},
     1,
     2,
     2,
     3,
     PlanReason::kAverage},
    {"P / r = 3 / 1 = 3 >= 2: panic, 3", {}, 1, 2, 1, 3, PlanReason::kPanic},
    {"P / r = 4 / 2, exactly the threshold: goal 7, ceil(28 / 7) = 4",
     {},
     10,
     28,
     2,
     4,
     PlanReason::kPanic},
    {"threshold 300: 4 / 2 = 2 < 3",
     {.panic_threshold_percent = 300},
     10,
     28,
     2,
     4,
     PlanReason::kAverage},
    {"up: 15 wanted, at most 2 * 2 = 4", {.max_scale_up_rate = 2}, 1, 10, 2, 4, PlanReason::kPanic},
    {"panic is told by the unclamped number: 15 / 2, though 4 is all it gets",
     {.panic_threshold_percent = 700, .max_scale_up_rate = 2},
     1,
     10,
     2,
     4,
     PlanReason::kPanic},
    {"down: ceil(1 / 0.7) = 2, at least floor(10 / 2) = 5", {}, 1, 1, 10, 5, PlanReason::kAverage},
    {"down: floor(11 / 2) = 5", {}, 1, 1, 11, 5, PlanReason::kAverage},
    {"down: floor(10 / 4) = 2 is no bound: 2",
     {.max_scale_down_rate = 4},
     1,
     1,
     10,
     2,
     PlanReason::kAverage},
    {"the smallest goal is 0.01: total 1 * 1 % = 0.01; 1 / 0.01 = 100",
     {.utilization_percent = 1},
     1,
     1,
     100,
     100,
     PlanReason::kAverage},
    {"activation scale 4 holds while there is traffic: ceil(1 / 0.7) = 2 -> 4",
     {.activation_scale = 4},
     1,
     1,
     4,
     4,
     PlanReason::kAverage},
};

TEST(Concurrency, WantsOfASteadyLoadWhatTheFormulasSay) {
  for (const Steady& c : kSteady) {
    SCOPED_TRACE(c.says);
    // Long enough for any panic of the beginning to be over; r is what the test says throughout.
    Kpa kpa(c.options, c.concurrency);
    kpa.set(c.in_flight, c.ready).until(200s);
    if (c.reason == PlanReason::kAverage) kpa.until(400s);
    EXPECT_EQ(kpa.wanted(), c.wanted);
    EXPECT_EQ(to_string(kpa.plan().reason), to_string(c.reason));
  }
}

TEST(Concurrency, IsPokedFromZeroAndDoesNotWaitForItsTick) {
  struct Poke {
    std::uint32_t concurrency, in_flight, wanted;
    PlanReason reason;
  };
  for (const Poke& c : {Poke{1, 1, 2, PlanReason::kPanic},       // ceil(1 / 0.7) = 2; 2 / 1 >= 2
                        Poke{10, 1, 1, PlanReason::kAverage},    // ceil(1 / 7) = 1; 1 / 1 < 2
                        Poke{1, 10, 15, PlanReason::kPanic},     // ceil(10 / 0.7) = 15
                        Poke{100, 70, 1, PlanReason::kAverage},  // 70 / 70 = 1
                        Poke{100, 71, 2, PlanReason::kPanic}}) {
    Kpa kpa({}, c.concurrency);
    kpa.until(500ms).set(c.in_flight, 0);
    EXPECT_EQ(kpa.wanted(), c.wanted) << c.in_flight;
    EXPECT_EQ(kpa.plan().reason, c.reason);
    EXPECT_EQ(kpa.plan().ask_again_at, TimePoint(1002s));
  }
}

TEST(Concurrency, SleepsWithoutATimerAndTicksOnItsGridWhenAwake) {
  Kpa kpa;
  EXPECT_EQ(kpa.plan().ask_again_at, TimePoint::max());
  kpa.until(7s).set(1, 0);
  EXPECT_EQ(kpa.plan().ask_again_at, TimePoint(1008s));
  kpa.until(8s);
  EXPECT_EQ(kpa.plan().ask_again_at, TimePoint(1010s));
}

TEST(Concurrency, AveragesOverThePartOfTheWindowThatIsThere) {
  // 1 in flight for the poke's bucket 3, then 2 buckets of 5 (4 and 5), seen at the tick at 6:
  // bucket 6 is 5 as well. Stable and panic: (1 + 5 + 5 + 5) / 4 = 4; goal 7: S = 1.
  Kpa kpa({}, 10);
  kpa.until(3s).set(1, 0).set(5, 1).until(6s);
  EXPECT_EQ(kpa.wanted(), 1u);
  // At 8: (1 + 5 * 5) / 6 = 4.33: 1. From 8 on 40: at 10, panic buckets 5 to 10: (4 * 5 + 2 * 40) /
  // 6 = 16.7; 16.7 / 7 -> 3; 3 / 1 >= 2: panic, 3 pods.
  kpa.until(8s).set(40, 1).until(10s);
  EXPECT_EQ(kpa.wanted(), 3u);
  EXPECT_EQ(kpa.plan().reason, PlanReason::kPanic);
  // At 12: buckets 7 to 12: (2 * 5 + 4 * 40) / 6 = 28.3; / 7 = 4.05 -> 5.
  kpa.until(12s);
  EXPECT_EQ(kpa.wanted(), 5u);
  // At 14: all six are 40: 40 / 7 = 5.7 -> 6.
  kpa.until(14s);
  EXPECT_EQ(kpa.wanted(), 6u);
}

TEST(Concurrency, NeverScalesDownInPanicAndLeavesItAStableWindowLater) {
  // 10 from zero at 0: 15 pods, panic. They are ready at 1, and the calls are done at 1.
  Kpa kpa;
  kpa.set(10, 0);
  EXPECT_EQ(kpa.wanted(), 15u);
  kpa.until(1s).set(0, 15);
  // The tick at 2 asks P of buckets 0 to 2: (10 + 10 + 0) / 3 = 6.67 / 0.7 -> 10; 10 / 15 < 2: the
  // panic began at 0 and is not extended. It ends at the first tick later than 0 + 60: at 62.
  kpa.until(60s);
  EXPECT_EQ(kpa.wanted(), 15u);
  EXPECT_EQ(kpa.plan().reason, PlanReason::kPanic);
  // At 62 the stable window is buckets 3 to 62: nothing. S = 0, at least floor(15 / 2) = 7.
  kpa.until(62s);
  EXPECT_EQ(kpa.wanted(), 7u);
  // Then halves with what is ready: floor(7 / 2) = 3, floor(3 / 2) = 1, and floor(1 / 2) = 0:
  // active since 1, longer than a window, and the activator is in the path, as 1 * 1 < 211: to
  // zero.
  kpa.set(0, 7).until(64s);
  EXPECT_EQ(kpa.wanted(), 3u);
  kpa.set(0, 3).until(66s);
  EXPECT_EQ(kpa.wanted(), 1u);
  kpa.set(0, 1).until(68s);
  EXPECT_EQ(kpa.wanted(), 0u);
  kpa.set(0, 0);
  EXPECT_EQ(kpa.plan().ask_again_at, TimePoint::max());
}

TEST(Concurrency, APanicThatGoesOnIsExtended) {
  // One pod ready and 10 in flight all the time: P / r = 15 at every tick, the last at 30. Then
  // nothing: the panic window still reads 15 / 1 at ... P >= 2 while 6 * average > 6 * 0.7, that is
  // up to the tick at 34 (buckets 29 to 34: 2 * 10 / 6 = 3.3 -> 5); at 36 it is 0. Ends after 94.
  Kpa kpa;
  kpa.set(10, 1).until(30s).set(0, 1).until(94s);
  EXPECT_EQ(kpa.wanted(), 15u);
  kpa.until(96s);  // S = 0; down = floor(1 / 2) = 0; active since 0: to zero
  EXPECT_EQ(kpa.wanted(), 0u);
}

TEST(Concurrency, DelaysScalingDownByTheLargestOfItsSpan) {
  // Goal 7, 70 in flight, 10 ready: 10. From 100 on nothing is in flight; at 104 (delay 0) the
  // stable average would be (56 * 70) / 60 = 65.3 -> 10 pods; at 110 50 * 70 / 60 -> 9; at 120
  // 40 * 70 / 60 = 46.7 -> 7.
  Kpa at_once({}, 10);
  at_once.set(70, 10).until(100s).set(0, 10).until(120s);
  EXPECT_EQ(at_once.wanted(), 7u);
  // With a delay of 20 s the most of the ticks 102 to 120: at 102, 58 * 70 / 60 = 67.7 -> 10.
  Kpa delayed({.scale_down_delay = 20s}, 10);
  delayed.set(70, 10).until(100s).set(0, 10).until(120s);
  EXPECT_EQ(delayed.wanted(), 10u);
  EXPECT_EQ(delayed.plan().reason, PlanReason::kDelayed);
  // At 130 that of 112 to 130: at 112, 48 * 70 / 60 = 56 -> 8.
  delayed.until(130s);
  EXPECT_EQ(delayed.wanted(), 8u);
}

TEST(Concurrency, StaysAtOneUntilItWasActiveForAStableWindow) {
  // A call from 0 to 1, its pod ready at 10 only: active since 10. Goal 7: 1 pod. The average is
  // above 0 while bucket 1 is in the window: up to the tick at 60; at 62 desired is 0, but 10 + 60
  // = 70 is the earliest for zero.
  Kpa kpa({}, 10);
  kpa.set(1, 0).until(1s).set(0, 0).until(10s).set(0, 1).until(62s);
  EXPECT_EQ(kpa.wanted(), 1u);
  EXPECT_EQ(kpa.plan().reason, PlanReason::kToZero);
  kpa.until(69999ms);
  EXPECT_EQ(kpa.wanted(), 1u);
  kpa.until(70s);
  EXPECT_EQ(kpa.wanted(), 0u);
}

TEST(Concurrency, WaitsForTheGraceWhereTheActivatorWasNotInThePath) {
  // Burst capacity 5, concurrency 10, 1 pod: 10 - 5 - panic average 1 >= 0: the activator is out.
  // The call ends at 20: the average is 0 when bucket 20 has left, at 80: the tick at 80 reads
  // buckets 21 to 80. Active long enough: the activator comes in at 80, zero at 80 + 30.
  Kpa kpa({.burst_capacity = 5}, 10);
  kpa.set(1, 1).until(20s).set(0, 1).until(80s);
  EXPECT_EQ(kpa.wanted(), 1u);
  kpa.until(109999ms);
  EXPECT_EQ(kpa.wanted(), 1u);
  kpa.until(110s);
  EXPECT_EQ(kpa.wanted(), 0u);
  // At 11 it always was: 10 - 11 < 0. Zero at once.
  Kpa in_path({.burst_capacity = 11}, 10);
  in_path.set(1, 1).until(20s).set(0, 1).until(78s);
  EXPECT_EQ(in_path.wanted(), 1u);
  in_path.until(80s);
  EXPECT_EQ(in_path.wanted(), 0u);
}

TEST(Concurrency, ACallDuringTheGraceTakesItBack) {
  Kpa kpa({.burst_capacity = 5}, 10);
  kpa.set(1, 1).until(20s).set(0, 1).until(100s).set(1, 1);
  EXPECT_EQ(kpa.wanted(), 1u);  // a poke, as desired was 0: ceil(1 / 60 / 7) = 1
  EXPECT_EQ(kpa.plan().reason, PlanReason::kAverage);
  kpa.until(120s).set(0, 1).until(178s);
  EXPECT_EQ(kpa.wanted(), 1u);
  // Empty from the tick at 180 on, active since 100: the activator comes in, and 30 s to go.
  kpa.until(209999ms);
  EXPECT_EQ(kpa.wanted(), 1u);
  kpa.until(210s);
  EXPECT_EQ(kpa.wanted(), 0u);
}

TEST(Concurrency, BeginsWithTheInitialScaleIfThereIsOne) {
  Kpa kpa({.initial_scale = 3});
  EXPECT_EQ(kpa.wanted(), 3u);
  // Ready at 1. The tick at 2 reads nothing in flight: S = 0, at least floor(3 / 2) = 1.
  kpa.until(1s).set(0, 3).until(2s);
  EXPECT_EQ(kpa.wanted(), 1u);
  // At 4 desired is 0; active since 1: zero at 61.
  kpa.set(0, 1).until(60s);
  EXPECT_EQ(kpa.wanted(), 1u);
  kpa.until(61s);
  EXPECT_EQ(kpa.wanted(), 0u);
}

TEST(Concurrency, GivesAFunctionUpWhosePodsDoNotComeUp) {
  Kpa kpa;
  kpa.set(1, 0).set(0, 0).until(609s);
  EXPECT_GT(kpa.wanted(), 0u);
  kpa.until(611s);
  EXPECT_EQ(kpa.wanted(), 0u);
}

TEST(Concurrency, WithAWaiterStartsOnlyFromZeroOrWhatThePlanStillWants) {
  Kpa kpa;
  kpa.set(3, 0);  // ceil(3 / 0.7) = 5
  Demand demand{.now = kpa.load().now, .waiting = 1};
  EXPECT_EQ(kpa.policy().on_waiting(demand).reason, StartReason::kNothingRuns);
  demand.slots = demand.pods = 4;
  EXPECT_TRUE(kpa.policy().on_waiting(demand).start);
  demand.slots = demand.pods = 5;
  const StartAnswer answer = kpa.policy().on_waiting(demand);
  EXPECT_FALSE(answer.start);
  EXPECT_EQ(answer.ask_again_after, 2s);  // the next tick
}

}  // namespace
}  // namespace subito::autoscaler
