#include "scheduler/core.h"

#include <algorithm>
#include <limits>

#include "autoscaler/instant.h"
#include "runtime/base/check.h"

namespace subito::scheduler {

Turn Core::tick(TimePoint now, Effects& effects) {
  latest_ = std::max(latest_, now);
  Turn turn{latest_, effects};
  bool any = false;
  for (Timer due; (due = ledger_.timers().take_due(turn.now)).slot != kNoSlot;) {
    any = true;
    switch (due.kind) {
      case Timer::Kind::kInvocation: {
        ledger_.invocation(due.slot).timer = kNoSlot;
        invocation_due(turn, due.slot);
        break;
      }
      case Timer::Kind::kPod: {
        ledger_.pod(due.slot).timer = kNoSlot;
        pod_due(turn, due.slot);
        break;
      }
      case Timer::Kind::kFunctionWake: {
        ledger_.function(due.slot).wake_timer = kNoSlot;
        settle(turn, due.slot);
        break;
      }
      case Timer::Kind::kFunctionPlan: {
        ledger_.function(due.slot).plan_timer = kNoSlot;
        ledger_.function(due.slot).plan_at = TimePoint::max();
        settle(turn, due.slot);
        break;
      }
      case Timer::Kind::kFunctionIdle: {
        ledger_.function(due.slot).idle_timer = kNoSlot;
        idle_due(turn, due.slot);
        break;
      }
    }
  }
  if (any) grant(turn);
  return turn;
}

void Core::arrive(Turn turn, const Arrival& arrival) {
  const Slot slot = ledger_.find(arrival.function);
  if (slot != kNoSlot) {
    ledger_.fetch(slot);
    ledger_.fetch_more(slot);
  }
  if (const auto reason = refused_on_arrival(turn, arrival, slot)) {
    turn.effects.push_back(Refuse{.invocation = arrival.invocation,
                                  .reason = *reason,
                                  .retry_after = retry_after(turn, slot, *reason)});
    return;
  }
  CHECK(ledger_.find(arrival.invocation) == kNoSlot);
  const Slot invocation =
      ledger_.add_invocation(arrival.invocation, slot, turn.now, arrival.deadline);
  settle(turn, slot);
  // Only what found no pod counts against the queue: with queue_limit 0 nobody waits, and whoever
  // finds a pod or may start one is still served.
  if (ledger_.invocation(invocation).queued) {
    if (const auto reason = refused_to_wait(turn, arrival, invocation)) {
      refuse(turn, invocation, *reason);
    } else {
      wait(turn, invocation);
    }
  }
  grant(turn);
}

std::optional<RefuseReason> Core::refused_on_arrival(const Turn& turn, const Arrival& arrival,
                                                     Slot slot) const {
  if (closing_) return RefuseReason::kNodeClosing;
  if (slot == kNoSlot) return RefuseReason::kFunctionGone;
  if (arrival.deadline <= turn.now) return RefuseReason::kDeadline;
  const Function& function = ledger_.function(slot);
  if (function.backoff.hopeless(turn.now) && function.serving() == 0) {
    return RefuseReason::kCrashLoop;
  }
  if (function.running + function.queue.size() >=
      function.limits.in_flight_max.value_or(std::numeric_limits<std::uint32_t>::max())) {
    return RefuseReason::kInFlightLimit;
  }
  if (!arrival.nested && ledger_.running() + ledger_.waiting() >= limits_.in_flight_max) {
    return RefuseReason::kNodeFull;
  }
  return std::nullopt;
}

// It is in the queue, the last of it.
std::optional<RefuseReason> Core::refused_to_wait(const Turn& turn, const Arrival& arrival,
                                                  Slot slot) const {
  const Function& function = ledger_.function(ledger_.invocation(slot).function);
  if (function.queue.size() > function.limits.queue_limit) return RefuseReason::kQueueFull;
  if (ledger_.waiting() > limits_.waiting_max) return RefuseReason::kNodeFull;
  const bool never = function.serving() == 0 && !tenants_.ever_fits(share_of(function));
  if (never) return RefuseReason::kQuota;
  // The node's queue memory: a function may use as much as it leaves free, times its weight. So the
  // greediest stops at half, the next at a quarter, and a newcomer always finds some.
  const std::uint64_t free = limits_.waiting_max - ledger_.waiting() + 1;
  if (!arrival.nested && function.queue.size() > free * function.limits.weight) {
    return RefuseReason::kQueueFull;
  }
  // It must begin within its queue timeout and end before its deadline.
  const Duration allowed = std::min(function.limits.queue_timeout,
                                    arrival.deadline - turn.now - function.service.mean());
  const Duration wait = wait_expected(function);
  return wait > Duration::zero() && wait > allowed - allowed / kWaitMargin
             ? std::optional(RefuseReason::kQueueTooLong)
             : std::nullopt;
}

// Until the last of the queue has its turn; 0: nobody knows, or further pods may come, each of
// which shortens it.
Duration Core::wait_expected(const Function& function) const {
  if (function.running >= function.plan.at_once) return wait_for_cores(function);
  const std::uint32_t starting = function.in(PodState::kStarting);
  if (!function.service.measured() || function.slots == 0) return {};
  if (function.serving() < function.pods_max && !function.wants_start) return {};
  if (starting > 0 && !function.pace.known()) return {};
  // Those that start will take their part of the queue.
  const Duration by_pace = function.pace.wait(function.queue.size()) / function.serving() *
                           (function.serving() - starting);
  return std::max(by_pace, autoscaler::expected_wait(function.queue.size(), function.service.mean(),
                                                     function.slots));
}

// As fast as its queue got shorter lately; not faster than if the cores did nothing else.
Duration Core::wait_for_cores(const Function& function) const {
  return std::max(
      autoscaler::expected_wait(function.queue.size(), function.cpu.cpu(), limits_.cores),
      function.pace.wait(function.queue.size()));
}

// Arms the timer of an invocation that starts to wait (again).
void Core::wait(Turn& turn, Slot slot) {
  Invocation& invocation = ledger_.invocation(slot);
  const Duration timeout = ledger_.function(invocation.function).limits.queue_timeout;
  invocation.since_or_until = std::min(invocation.deadline, later(turn.now, timeout));
  ledger_.timers().set(invocation.timer, invocation.since_or_until,
                       {Timer::Kind::kInvocation, slot});
}

void Core::completed(TimePoint now, Effects& effects, InvocationId id,
                     const autoscaler::CpuUse& use) {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot || ledger_.invocation(slot).pod == kNoSlot) {
    tick(now, effects);
    return;
  }
  ledger_.fetch(ledger_.invocation(slot).function);
  // The answer is here: a deadline that passed meanwhile cannot take it back.
  ledger_.timers().clear(ledger_.invocation(slot).timer);
  Turn turn = tick(now, effects);
  // Not a copy of it all: what was just written is not there yet to be read in larger pieces.
  const Invocation& invocation = ledger_.invocation(slot);
  const Slot pod_slot = invocation.pod;
  const Slot function_slot = invocation.function;
  const bool cancelled = invocation.cancelled;
  Pod& pod = ledger_.pod(pod_slot);
  Function& function = ledger_.function(function_slot);
  if (!cancelled) {
    ++pod.served;
    ++function.completed;
    if (pod.said_hello) {
      TimePoint begun = std::max(invocation.since_or_until, pod.hello_at);
      if (pod.concurrency == 1) begun = std::max(begun, pod.last_end);  // it was ahead until then
      function.service.observe(turn.now - begun);
      function.cpu.observe(use, turn.now - begun);
    }
    if (pod.revision == function.revision) function.backoff.forgive();
  }
  function.last_turn = turn.now;
  function.pace.ended(turn.now, !function.queue.empty());
  if (!ledger_.is_ahead(slot)) pod.last_end = turn.now;
  ledger_.unassign(slot, turn.now);
  ledger_.forget(slot);
  const bool tells = pod.ahead > 0 && pod.revision == function.revision && !cancelled;
  if (tells && function.ahead.ended(use.handler)) {
    ledger_.refresh_room(function_slot, turn.now);
  }
  next_begins(turn, pod);
  released(turn, pod_slot);
  settle(turn, function_slot);
  grant(turn);
}

// The one that its pod runs takes longer than the others did: none is given ahead for a while.
void Core::given_back(Turn turn, InvocationId id) {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot || ledger_.invocation(slot).pod == kNoSlot) return;
  const Slot pod = ledger_.invocation(slot).pod;
  const Slot function = ledger_.invocation(slot).function;
  const bool was_cancelled = ledger_.invocation(slot).cancelled;
  ledger_.unassign(slot, turn.now);
  if (was_cancelled) {
    ledger_.forget(slot);
  } else if (ledger_.function(function).removed) {
    refuse(turn, slot, RefuseReason::kFunctionGone);
  } else {
    --ledger_.invocation(slot).attempts;
    ledger_.requeue(slot);
    wait(turn, slot);
  }
  none_ahead(turn, function);
  next_begins(turn, ledger_.pod(pod));
  released(turn, pod);
  settle(turn, function);
  grant(turn);
}

void Core::none_ahead(Turn& turn, Slot function) {
  if (ledger_.function(function).ahead.ended(Duration::zero())) {
    ledger_.refresh_room(function, turn.now);
  }
}

// One that was cancelled while it was ahead has its whole grace from when it begins.
void Core::next_begins(Turn& turn, const Pod& pod) {
  if (pod.ahead == 0 || pod.running.empty()) return;
  const Slot front = pod.running.front();
  if (ledger_.invocation(front).cancelled) give_grace(turn, front);
}

void Core::cancelled(Turn turn, InvocationId id) {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot || ledger_.invocation(slot).cancelled) return;
  if (ledger_.invocation(slot).pod != kNoSlot) {
    return cancel(turn, slot, CancelReason::kClientLeft);
  }
  const Slot function = ledger_.invocation(slot).function;
  ledger_.forget(slot);
  settle(turn, function);
  grant(turn);
}

void Core::invocation_due(Turn& turn, Slot slot) {
  const Invocation& invocation = ledger_.invocation(slot);
  if (invocation.queued) {
    const Slot function = invocation.function;
    refuse(turn, slot,
           invocation.deadline <= turn.now ? RefuseReason::kDeadline : why_waited(turn, function));
    return settle(turn, function);
  }
  if (!invocation.cancelled) return cancel(turn, slot, CancelReason::kDeadline);
  if (ledger_.is_ahead(slot)) return give_grace(turn, slot);  // the fault is not its own
  unresponsive(turn, invocation.pod);
}

void Core::cancel(Turn& turn, Slot slot, CancelReason reason) {
  ledger_.set_cancelled(slot);
  Invocation& invocation = ledger_.invocation(slot);
  turn.effects.push_back(
      Cancel{.invocation = invocation.id, .pod = ledger_.pod(invocation.pod).id, .reason = reason});
  give_grace(turn, slot);
}

void Core::give_grace(Turn& turn, Slot slot) {
  Invocation& invocation = ledger_.invocation(slot);
  const Duration grace = ledger_.function(invocation.function).limits.cancel_grace;
  ledger_.timers().set(invocation.timer, later(turn.now, grace), {Timer::Kind::kInvocation, slot});
}

void Core::refuse(Turn& turn, Slot slot, RefuseReason reason) {
  const Invocation& invocation = ledger_.invocation(slot);
  const Slot function = invocation.function;
  turn.effects.push_back(Refuse{.invocation = invocation.id,
                                .reason = reason,
                                .retry_after = retry_after(turn, function, reason),
                                .queued = turn.now - invocation.arrived});
  ledger_.forget(slot);
  observe(turn, function);
}

void Core::refuse_all_waiting(Turn& turn, Slot slot, RefuseReason reason) {
  while (!ledger_.function(slot).queue.empty()) {
    refuse(turn, ledger_.function(slot).queue.front(), reason);
  }
}

// What to blame for a queue timeout.
RefuseReason Core::why_waited(const Turn& turn, Slot slot) const {
  const Function& function = ledger_.function(slot);
  if (function.backoff.active(turn.now)) return RefuseReason::kCrashLoop;
  if (tenants_.in_line(slot)) return RefuseReason::kQuota;
  if (function.serving() == 0 && function.wants_start) return RefuseReason::kNodeFull;
  return RefuseReason::kQueueTimeout;
}

// Until today's queue is served; 0: nobody knows.
Duration Core::wait_of_queue(const Function& function) const {
  if (function.running >= function.plan.at_once) return wait_for_cores(function);
  if (!function.service.measured() || function.slots == 0) return {};
  return std::max(
      function.pace.wait(function.queue.size()),
      autoscaler::expected_wait(function.queue.size(), function.service.mean(), function.slots));
}

Duration Core::retry_after(const Turn& turn, Slot slot, RefuseReason reason) const {
  Duration wait{};
  switch (reason) {
    case RefuseReason::kFunctionGone:  // later is no better
    case RefuseReason::kPodDied:
    case RefuseReason::kDeadline:
      return Duration::zero();
    case RefuseReason::kCrashLoop:
    case RefuseReason::kStartFailed:
      wait = ledger_.function(slot).backoff.until() - turn.now;
      break;
    case RefuseReason::kQueueFull:
    case RefuseReason::kQueueTooLong:
    case RefuseReason::kInFlightLimit:
    case RefuseReason::kQueueTimeout:
      wait = wait_of_queue(ledger_.function(slot));
      break;
    case RefuseReason::kQuota:
    case RefuseReason::kNodeFull:
    case RefuseReason::kNodeClosing:
      break;  // nobody knows: the minimum
  }
  return std::clamp(wait, kRetryAfterMin, kRetryAfterMax);
}

}  // namespace subito::scheduler
