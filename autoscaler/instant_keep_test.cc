// What Instant makes of idle pods: keep, drop, or have one ready for a call that is due.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autoscaler/instant.h"
#include "autoscaler/policy_box.h"

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

// Calls of a function with one pod, and the time between them. That a call takes 10 ms the policy
// knows if it is told: `service`.
class Caller {
 public:
  explicit Caller(Duration start, Duration idle = 30s, Duration service = 0s) {
    load_ = {.now = TimePoint(1s), .ready = 1, .service = service, .start = start, .idle = idle};
  }
  Caller& gaps(int count, Duration gap, std::uint32_t at_once = 1) {
    for (int i = 0; i < count; ++i) {
      load_.now += gap;
      load_.in_flight = at_once;
      policy_.observe(load_);
      load_.now += 10ms;
      load_.in_flight = 0;
      policy_.observe(load_);
    }
    return *this;
  }
  Plan plan(Duration idle, std::uint32_t ready = 1) {
    Load load = load_;
    load.now += idle;
    load.ready = ready;
    policy_.observe(load);
    return policy_.plan(load);
  }
  TimePoint now() const { return load_.now; }

 private:
  Instant policy_;
  Load load_;
};

// A wait counts by what it delays.
TEST(InstantKeep, AStartIsWorthMoreToShortCalls) {
  EXPECT_EQ(start_worth(1ms, 0s), 1s) << "not known yet";
  EXPECT_EQ(start_worth(1ms, 1h), 1s);
  EXPECT_EQ(start_worth(1ms, 100ms), 1s);
  EXPECT_EQ(start_worth(1ms, 50ms), 2s);
  EXPECT_EQ(start_worth(1ms, 5ms), 20s);
  EXPECT_EQ(start_worth(1ms, 1ms), 100s);
  EXPECT_EQ(start_worth(1ms, 1us), 100s) << "shorter ones count as 1 ms";
  EXPECT_EQ(start_worth(1h, 1ms), 100'000h);
  // Called every 5 s, with starts of 1 ms: dropped, if its calls take long.
  EXPECT_EQ(Caller(1ms, 30s, 100ms).gaps(30, 5s).plan(0s).keep_idle, 0s);
  EXPECT_EQ(Caller(1ms, 30s, 10ms).gaps(30, 5s).plan(0s).keep_idle, 6144ms);
}

TEST(InstantKeep, IsTheIdleTimeWhileFewGapsWereSeen) {
  Caller caller(1ms);
  caller.gaps(kGapsMin, 1h);  // the first call ends no gap
  EXPECT_EQ(caller.plan(0s).keep_idle, 30s);
  caller.gaps(1, 1h);
  EXPECT_EQ(caller.plan(0s).keep_idle, 0s);
}

TEST(InstantKeep, DropsAPodWhoseNextCallIsFartherThanAStartIsWorth) {
  // A start of 1 ms is worth 1 s of idle pod.
  EXPECT_EQ(Caller(1ms).gaps(30, 100ms).plan(0s).keep_idle, 128ms);
  EXPECT_EQ(Caller(1ms).gaps(30, 800ms).plan(0s).keep_idle, 1024ms);
  EXPECT_EQ(Caller(1ms).gaps(30, 5s).plan(0s).keep_idle, 0s);
  // One of 250 ms (docker run) 250 s: the very same calls are worth a pod.
  EXPECT_EQ(Caller(250ms).gaps(30, 5s).plan(0s).keep_idle, 6144ms);
}

TEST(InstantKeep, IsBoundedByTheIdleTime) {
  EXPECT_EQ(Caller(250ms, 5s).gaps(30, 4500ms).plan(0s).keep_idle, 0s);
  EXPECT_EQ(Caller(1ms, 20ms).gaps(30, 5ms).plan(0s).keep_idle, 16ms);
}

TEST(InstantKeep, KnowsEachLevelOfConcurrencyByItself) {
  Caller caller(1ms);
  caller.gaps(30, 100ms, 2).gaps(30, 100ms, 1).gaps(20, 10s, 2).gaps(1, 100ms, 2);
  for (int i = 0; i < 20; ++i) caller.gaps(100, 100ms, 1).gaps(1, 100ms, 2);
  EXPECT_EQ(caller.plan(0s, 1).keep_idle, 128ms);  // level 1: every 100 ms, mostly
  EXPECT_EQ(caller.plan(0s, 2).keep_idle, 128ms);  // level 2: 30 gaps of 100 ms, 40 of over 10 s
  EXPECT_EQ(caller.plan(0s, 3).keep_idle, 30s);    // level 3 was never seen
  for (int i = 0; i < 400; ++i) caller.gaps(100, 100ms, 1).gaps(1, 100ms, 2);
  EXPECT_EQ(caller.plan(0s, 2).keep_idle, 0s);
}

TEST(InstantKeep, FollowsWhatChanges) {
  Caller caller(1ms);
  caller.gaps(100, 5s);
  EXPECT_EQ(caller.plan(0s).keep_idle, 0s);
  caller.gaps(100, 50ms);
  EXPECT_EQ(caller.plan(0s).keep_idle, 64ms);
}

TEST(InstantExpects, ACallOfATimerAndHasAPodReadyForIt) {
  Caller caller(1ms);
  caller.gaps(80, 60s);
  const Plan idle = caller.plan(0s);
  EXPECT_EQ(idle.keep_idle, 0s);
  EXPECT_EQ(idle.pods_wanted, 0u);
  EXPECT_EQ(idle.ask_again_at, caller.now() + 60s - 2ms - 1ms);  // the margin, and a start
  const Plan due = caller.plan(60s - 3ms);
  EXPECT_EQ(due.pods_wanted, 1u);
  EXPECT_EQ(due.ask_again_at, caller.now() + 60s + 2ms);
  const Plan late = caller.plan(60s + 2ms);
  EXPECT_EQ(late.pods_wanted, 0u);
  EXPECT_EQ(late.ask_again_at, TimePoint::max());
}

TEST(InstantExpects, NothingWhereThatWouldCostMoreThanItIsWorth) {
  Caller by_chance(1ms);
  for (int i = 0; i < 40; ++i) by_chance.gaps(1, 40s).gaps(1, 80s);
  EXPECT_EQ(by_chance.plan(0s).ask_again_at, TimePoint::max());
  // The same calls with a start of 2 s, worth 2,000 s of idle pod: a pod is there from 0 s on. It
  // is idle for longer than `idle` allows, which bounds what is kept, not what is expected.
  Caller slow_start(2s);
  for (int i = 0; i < 40; ++i) slow_start.gaps(1, 58s).gaps(1, 62s);
  EXPECT_LT(slow_start.plan(0s).ask_again_at, slow_start.now() + 58s);
  EXPECT_EQ(slow_start.plan(58s).pods_wanted, 1u);
  // What is kept until then needs no other.
  Caller busy(1ms);
  busy.gaps(100, 100ms);
  EXPECT_EQ(busy.plan(0s).keep_idle, 128ms);
  EXPECT_EQ(busy.plan(0s).ask_again_at, TimePoint::max());
}

// What calls of 10 ms cost a policy, in idle pod: the pod's idle time, and a start's worth for each
// call that had to wait for one. The first hundred calls are for learning.
Duration cost_of(const PolicyOptions& options, const std::vector<Duration>& gaps, Duration start,
                 Duration idle) {
  PolicyBox policy(options);
  Load load{.now = TimePoint(1s), .start = start, .idle = idle};
  Duration cost{};
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    load.in_flight = load.ready = 1;
    policy.observe(load);
    load.now += 10ms;
    load.in_flight = 0;
    policy.observe(load);
    const TimePoint next = load.now + gaps[i];
    Plan plan = policy.plan(load);
    Duration idle_time = std::min(plan.keep_idle, gaps[i]);
    bool warm = plan.keep_idle > gaps[i];
    load.ready = 0;
    while (!warm && plan.ask_again_at < next) {
      load.now = plan.ask_again_at;
      policy.observe(load);
      plan = policy.plan(load);
      if (plan.pods_wanted == 0) continue;
      idle_time += std::min(plan.ask_again_at, next) - load.now;
      warm = plan.ask_again_at > next;
    }
    load.now = next;
    if (i >= 100) cost += idle_time + (warm ? Duration::zero() : start * kIdlePerWait);
  }
  return cost;
}

// Of an exponential distribution, by inverse transform of thousandths in a mixed order.
std::vector<Duration> by_chance(Duration mean, int count) {
  std::vector<Duration> gaps;
  for (int i = 0; i < count; ++i) {
    const double uniform = ((i * 617) % 1000 + 0.5) / 1000;
    const double gap = -std::log(uniform) * static_cast<double>(mean.count());
    gaps.push_back(Duration(static_cast<std::int64_t>(gap)));
  }
  return gaps;
}

TEST(InstantPays, AtLeastAsMuchAsAnyFixedTimeAndTheHybridHistogram) {
  struct Case {
    const char* says;
    std::vector<Duration> gaps;
    Duration start;
  };
  for (const Case& c : {Case{"every 100 ms by chance, start 1 ms", by_chance(100ms, 1100), 1ms},
                        Case{"every 10 s by chance, start 1 ms", by_chance(10s, 1100), 1ms},
                        Case{"every 10 min by chance, start 1 ms", by_chance(10min, 1100), 1ms},
                        Case{"every 10 s by chance, start 100 ms", by_chance(10s, 1100), 100ms},
                        Case{"every minute by a timer, start 1 ms",
                             std::vector<Duration>(1100, Duration(60s)), 1ms},
                        Case{"every 15 min by a timer, start 250 ms",
                             std::vector<Duration>(1100, Duration(15min)), 250ms}}) {
    SCOPED_TRACE(c.says);
    const Duration instant = cost_of({}, c.gaps, c.start, 1h);
    for (const Duration fixed : {Duration(60s), Duration(600s)}) {
      // Within 1 %: where keeping for ever is best there is nothing to gain.
      EXPECT_LE(instant, cost_of({.kind = PolicyKind::kFixed}, c.gaps, c.start, fixed) * 101 / 100);
    }
    EXPECT_LE(instant, cost_of({.kind = PolicyKind::kHistogram}, c.gaps, c.start, 1h) * 101 / 100);
  }
}

TEST(InstantPays, HundredfoldForATimerByStartingForIt) {
  const std::vector<Duration> minute(1100, Duration(60s));
  const Duration instant = cost_of({}, minute, 1ms, 30s);
  EXPECT_LT(instant, 1000 * 6ms);  // 3 ms of idle pod each; going without costs a start's worth
  EXPECT_GE(cost_of({.kind = PolicyKind::kFixed}, minute, 1ms, 0s), 1000 * 1s);
}

TEST(InstantMemory, OfAFunctionIsSmall) {
  EXPECT_LE(sizeof(Instant), 128u);  // and 128 bytes a class, 8 a level
}

}  // namespace
}  // namespace subito::autoscaler
