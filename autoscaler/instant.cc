#include "autoscaler/instant.h"

#include <algorithm>
#include <limits>

namespace subito::autoscaler {
namespace {

// Asked again no sooner than this, so that a start measured as 0 cannot make a timer spin.
constexpr Duration kAskAgainMin = std::chrono::microseconds(10);

// Of those in flight, the ones that are worth a place in a pod now.
std::uint32_t run_at_once(const Load& load) {
  return std::min(load.in_flight, load.worth);
}

}  // namespace

Duration expected_wait(std::uint32_t waiting, Duration service, std::uint32_t slots) {
  if (slots == 0) return Duration::max();
  // 2^32 waiting at over 2 s each would leave 63 bits: a wait that long is as good as endless.
  const auto each = service.count();
  if (each > 0 && waiting > std::numeric_limits<Duration::rep>::max() / each) {
    return Duration::max();
  }
  return Duration(each * waiting / slots);
}

Duration start_worth(Duration start, Duration service) {
  using std::chrono::microseconds;
  const Duration worth = start * kIdlePerWait;
  if (service <= Duration::zero() || service >= kAtOnce) return worth;
  // In microseconds: an hour's start is 3.6 * 10^17.
  const auto times = std::chrono::duration_cast<microseconds>(kAtOnce).count();
  const auto over =
      std::chrono::duration_cast<microseconds>(std::max(service, kServiceMin)).count();
  return microseconds(std::chrono::duration_cast<microseconds>(worth).count() * times / over);
}

StartAnswer Instant::on_waiting(const Demand& demand) {
  if (demand.slots == 0) return {.start = true, .reason = StartReason::kNothingRuns};
  if (!demand.service_measured) return {.start = true, .reason = StartReason::kServiceUnknown};
  const Duration wait = expected_wait(demand.waiting, demand.service, demand.slots);
  if (wait > demand.start) {
    return {.start = true, .reason = StartReason::kWaitCostsMore, .expected_wait = wait};
  }
  const Duration patience = std::max(demand.start, kAskAgainMin);
  // A pod that starts is the answer to the waiting already: one start for many waiters.
  if (demand.starting == 0 && demand.hoped >= patience) {
    return {.start = true, .reason = StartReason::kWaitedLongEnough, .expected_wait = wait};
  }
  const Duration left = patience - demand.hoped;
  return {.start = false,
          .reason = StartReason::kStartCostsMore,
          .expected_wait = wait,
          .ask_again_after = left > Duration::zero() ? std::max(left, kAskAgainMin) : patience};
}

void Instant::observe(const Load& load) {
  const bool was_busy = gaps_.level() > 0;
  std::uint32_t pods_needed = run_at_once(load);
  if (load.concurrency > 1) pods_needed = (pods_needed + load.concurrency - 1) / load.concurrency;
  const Duration gap = gaps_.move(load.now, pods_needed);
  if (gap >= Duration::zero()) regular_.add(gap);
  if (was_busy && pods_needed == 0) idle_since_ = load.now;
}

Plan Instant::plan(const Load& load) {
  Plan plan = plan_pods(load);
  plan.at_once = load.worth;
  return plan;
}

Plan Instant::plan_pods(const Load& load) const {
  const std::uint32_t at_once = run_at_once(load);
  // All that are there are needed: none is idle.
  if (at_once >= load.ready * std::uint64_t{load.concurrency} && at_once > 0) {
    return {.keep_idle = load.idle};
  }
  const Duration keep_for = keep(load);
  return load.in_flight == 0 && regular_.known() ? expect(load, keep_for)
                                                 : Plan{.keep_idle = keep_for};
}

Duration Instant::keep(const Load& load) const {
  const GapHistogram* gaps = gaps_.of(std::max(load.ready, 1u));
  if (gaps == nullptr || gaps->count() < kGapsMin) return load.idle;
  return gaps->cheapest(start_worth(load.start, load.service), load.idle);
}

// Nothing is in flight. A pod for the next call, where it is due at a known time.
Plan Instant::expect(const Load& load, Duration keep) const {
  const Plan without{.keep_idle = keep};
  const Duration margin = regular_.margin();
  const TimePoint from = idle_since_ + regular_.mean() - margin - load.start;
  const TimePoint until = idle_since_ + regular_.mean() + margin;
  const bool kept_until_then = idle_since_ + keep >= from;
  if (kept_until_then || until - from >= std::min(start_worth(load.start, load.service), load.idle))
    return without;
  if (load.now >= until) return without;
  if (load.now < from) return {.keep_idle = keep, .ask_again_at = from};
  return {
      .pods_wanted = 1, .keep_idle = keep, .ask_again_at = until, .reason = PlanReason::kExpected};
}

}  // namespace subito::autoscaler
