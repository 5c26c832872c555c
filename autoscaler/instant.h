// Instant: the default policy. It decides by cost, without tick, window or target. At each arrival:
// start a pod when the expected wait for a busy one is longer than a start takes.
//
//   expected wait = waiting * service / slots
//     Slots that each serve in `service` free up once every service / slots; the last of `waiting`
//     gets the waiting-th of them. 3 waiting, 2 slots, 10 ms each: 3 * 10 / 2 = 15 ms.
//
// The mean may be wrong (one call of 10 s among thousands of 1 ms), so hoping is bounded: whoever
// has waited as long as a start takes gets one, unless one is under way. In the worst case a waiter
// loses one start's time against a seer who knew (the ski-rental argument).
//
// No more run at once than the cores are worth (cpu_demand.h): with 2 cores, of calls that compute
// all the time 2 run and the others wait, in no need of pods of their own.
//
// At each completion: keep the idle pod for as long as it pays. A start is worth kIdlePerWait times
// its measured time of idle pod, and more if it is long for the calls that wait for it: 10 ms are
// nothing in front of a second of work, and most of an answer that takes 1 ms (start_worth). The
// gaps seen at this level of concurrency say how likely another
// use is (gap_histogram.h, level_gaps.h). With starts of 1 ms and calls of 100 ms or more a start
// is worth 1 s: pods of a function that is called every 100 ms are kept, those of one called every
// 10 s go at once; with calls of 5 ms it is worth 20 s, and the latter are kept. Never longer than
// the function's `idle`, and for just that while fewer than kGapsMin gaps were seen.
//
// Calls at regular times (a timer) find a pod that was started for them, where that pays: a start
// is worth more than the pod is idle within the margin of the expected time (regular_gap.h), and
// that is no longer than `idle`. A timer of 60 s that is exact to a millisecond costs 5 ms of idle
// pod a minute and never waits.
#pragma once

#include "autoscaler/level_gaps.h"
#include "autoscaler/policy.h"
#include "autoscaler/regular_gap.h"

namespace subito::autoscaler {

// Seconds of an idle pod that one second of waiting for a start is worth. What operators choose
// tells it: who keeps pods for 600 s (OpenWhisk, and the knee of arXiv 2509.03104) against starts
// of about 0.6 s pays 600 pod seconds to save 0.6: 1,000 for one. Half or twice as much moves the
// keep time by as much.
inline constexpr int kIdlePerWait = 1000;
// A call as long as this waits for a start at the price above. A shorter one at more, in
// proportion: what counts is by how much its answer is late for what it is. A tenth of a second is
// what people take for at once (Nielsen, Usability Engineering, 1993, chapter 5).
inline constexpr Duration kAtOnce = std::chrono::milliseconds(100);
inline constexpr Duration kServiceMin = std::chrono::milliseconds(1);  // shorter counts as this
// The rarest kind of gap that 16 of them are likely to show is one in 5 (1 - 0.8^16 = 97 %).
inline constexpr std::uint32_t kGapsMin = 16;

class Instant final : public Policy {
 public:
  void observe(const Load& load) override;
  StartAnswer on_waiting(const Demand& demand) override;
  Plan plan(const Load& load) override;
  void fetch() const { gaps_.fetch(); }  // see PolicyBox

 private:
  Plan plan_pods(const Load& load) const;  // but for how many run at once
  Duration keep(const Load& load) const;
  Plan expect(const Load& load, Duration keep) const;

  LevelGaps gaps_;
  RegularGap regular_;
  TimePoint idle_since_{};  // nothing in flight
};

// What a start is worth, in time of an idle pod: start * kIdlePerWait, times kAtOnce / service
// where the service is shorter than that and known.
Duration start_worth(Duration start, Duration service);

// The formula above; the longest Duration when nothing serves.
Duration expected_wait(std::uint32_t waiting, Duration service, std::uint32_t slots);

}  // namespace subito::autoscaler
