// Concurrency: the autoscaler of Knative (KPA) by its formulas, so that a function behaves here as
// it would there: averages over a stable and a panic window, looked at every 2 s. Source:
// knative/serving, pkg/autoscaler/scaling/autoscaler.go, pkg/autoscaler/aggregation, and
// pkg/reconciler/autoscaling (kpa/scaler.go, resources/target.go).
//
//   total  = target, at most what a pod takes at once         r = max(1, ready pods)
//   goal   = max(0.01, total * utilization)
//   up     = max_scale_up_rate * r    down = floor(r / max_scale_down_rate)
//   S      = ceil(stable average / goal), P = ceil(panic average / goal), within [down, up]
//   panic  while unclamped P / r >= panic threshold, and until a stable window after that: then
//          the most of all S and P since it began, else S
//   then   the most of the last scale_down_delay
//   zero   once active for a stable window, and with the activator in the path for the grace. It
//          is there while r * total < target burst capacity + panic average: a function of few
//          pods goes to zero without more waiting, one with spare capacity waits for the grace.
//   from zero: the first call is a poke, a look out of turn
//
// Worked: 10 calls at once, concurrency 1, from zero. Poke: averages 10, goal 0.7, S = P =
// ceil(14.3) = 15, r = 1, 15 / 1 >= 2: panic, 15 pods at once.
//
// Not in it: the RPS metric; fractions in rates and percentages; the last pod's retention period;
// sampling (averages here are exact); Knative's initial scale is 1, here it is 0 unless set, as
// functions are deployed asleep. Pods beyond the number wanted go when they are idle.
#pragma once

#include <cstdint>
#include <memory>

#include "autoscaler/concurrency_window.h"
#include "autoscaler/max_window.h"
#include "autoscaler/policy.h"

namespace subito::autoscaler {

class Concurrency final : public Policy {
 public:
  explicit Concurrency(const ConcurrencyOptions& options);
  void observe(const Load& load) override;
  StartAnswer on_waiting(const Demand& demand) override;
  Plan plan(const Load& load) override;

 private:
  // Whether the function serves, as Knative's PodAutoscaler says: no pod ready yet, pods ready, or
  // no traffic and the activator in the path.
  enum class State : std::uint8_t { kActivating, kActive, kInactive };

  void tick(const Load& load);
  std::uint32_t within_panic(const Load& load, std::uint64_t stable, std::uint64_t panic);
  void apply(const Load& load);
  void become(State state, TimePoint now);
  void go_to_zero(TimePoint now);
  bool asleep(const Load& load) const;

  ConcurrencyOptions options_;
  ConcurrencyWindow window_;
  MaxWindow delay_;
  TimePoint next_tick_ = TimePoint::min();
  TimePoint look_again_ = TimePoint::max();  // between ticks, on the way to zero
  TimePoint panic_since_{};
  TimePoint state_since_{};
  TimePoint activator_since_{};
  std::uint32_t panic_pods_ = 0;
  std::uint32_t desired_ = 0;  // by the formulas
  std::uint32_t wanted_ = 0;   // with the way to zero applied
  State state_ = State::kInactive;
  PlanReason reason_ = PlanReason::kAverage;
  bool panicking_ = false;
  bool activator_in_path_ = true;
};

}  // namespace subito::autoscaler
