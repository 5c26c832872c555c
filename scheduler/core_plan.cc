// What the policy is told, and what its plan makes of the function.
#include <algorithm>
#include <new>
#include <type_traits>

#include "runtime/base/check.h"
#include "scheduler/core.h"

namespace subito::scheduler {

autoscaler::Load Core::load_of(const Turn& turn, const Function& function) const {
  return {.now = turn.now,
          .in_flight = function.queue.size() + function.running,
          .ready = function.in(PodState::kReady),
          .starting = function.in(PodState::kStarting),
          .concurrency = function.limits.concurrency,
          .service = function.service.mean(),
          .start = function.start.mean(),
          .idle = function.limits.idle_timeout,
          .worth = function.cpu.worth(limits_.cores)};
}

void Core::observe(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  if (!function.removed) function.policy.observe(load_of(turn, function));
}

// To ask again would get the same answer.
bool Core::plan_holds(const Turn& turn, const Function& function) const {
  return function.plan_holds && function.plan.ask_again_at > turn.now && function.policy.steady();
}

// Asks the policy what it wants now. A node that closes wants nothing.
void Core::replan(Turn& turn, Slot slot, const autoscaler::Load& load) {
  Function& function = ledger_.function(slot);
  // Made where it stays: it is read at once, and to copy it would be to wait for its parts.
  static_assert(std::is_trivially_destructible_v<autoscaler::Plan>);
  if (closing_) {
    function.plan = {};
  } else {
    ::new (&function.plan) autoscaler::Plan(function.policy.plan(load));
  }
  CHECK(function.plan.ask_again_at > turn.now && function.plan.at_once > 0);
  function.plan_holds = true;
  if (function.plan_at == function.plan.ask_again_at) return;
  function.plan_at = function.plan.ask_again_at;
  if (function.plan_at == TimePoint::max()) return ledger_.timers().rest(function.plan_timer);
  ledger_.timers().set(function.plan_timer, function.plan_at, {Timer::Kind::kFunctionPlan, slot});
}

std::uint32_t Core::pods_planned(const Function& function) const {
  return std::min(function.plan.pods_wanted, function.pods_max);
}

// Pods that the plan wants ahead of any call. They are a hope, and who waits is real: they neither
// stand in line nor make anybody go.
void Core::keep_planned(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  while (function.serving() < pods_planned(function)) {
    if (held_back(turn, slot)) return;
    if (quota_is_reached(function)) {
      return note(turn, function, Decision::Kind::kQuotaReached, to_string(function.plan.reason));
    }
    const bool pods_full = ledger_.places().room(function.height) == 0;
    if (pods_full || ledger_.starting() >= limits_.starting_max ||
        ledger_.first_with_room() != kNoSlot) {
      note(turn, function, pods_full ? Decision::Kind::kNodeFull : Decision::Kind::kStartsFull,
           to_string(function.plan.reason));
      // Starts end within milliseconds; nobody knows when a full node has a place again.
      if (!pods_full) wake(slot, later(turn.now, kPlannedRetry));
      return;
    }
    if (!start_pod(turn, slot, StartWhy::kPlanned, {})) return;
  }
}

}  // namespace subito::scheduler
