#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "scheduler/core.h"

namespace subito::scheduler {

void Core::pod_ready(Turn turn, PodId id, std::uint32_t ahead) {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot || ledger_.pod(slot).said_hello) return;
  ledger_.fetch(ledger_.pod(slot).function);
  Pod& pod = ledger_.pod(slot);
  // The owner starts the newest revision: one that takes several at once may say what it takes
  // ahead.
  ledger_.hello(slot, turn.now, pod.concurrency == 1 ? ahead : 0);
  if (pod.state == PodState::kReady) ledger_.timers().clear(pod.timer);
  Function& function = ledger_.function(pod.function);
  function.start.observe(turn.now - pod.requested);
  function.last_hello = turn.now;
  // A pod that was not there yet could not yield: the grace of what was cancelled begins now.
  for (Slot at = pod.running.front(); at != kNoSlot; at = ledger_.next_invocation(at)) {
    if (ledger_.invocation(at).cancelled) give_grace(turn, at);
  }
  settle(turn, pod.function);
  grant(turn);
}

void Core::pod_exited(TimePoint now, Effects& effects, PodId id, ExitKind kind,
                      std::span<const InvocationId> again) {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot) {
    tick(now, effects);
    return;
  }
  // Even what is due before the exit must no longer drain, stop or use it.
  Pod& pod = ledger_.pod(slot);
  ledger_.fetch(pod.function);
  const bool asked = !pod.serving() && !pod.start_timed_out;
  if (pod.state != PodState::kStopping) ledger_.transition(slot, PodState::kStopping, latest_);
  ledger_.timers().clear(pod.timer);
  const Slot function = pod.function;
  // Nor may it count for the minimum, when a full node makes room.
  if (!asked || !ledger_.function(function).idle.empty()) refresh_idle(function);
  Turn turn = tick(now, effects);
  if (!asked) judge_exit(turn, slot, kind);
  give_back_running(turn, slot, again);
  if (pod.planned && pod.dispatched == 0) ++ledger_.function(function).pods_unused;
  tenants_.give_back(pod.share);
  if (pod.leaves_for_quota) tenants_.remove_leaving(pod.share.tenant);
  ledger_.remove_pod(slot);
  if (ledger_.function(function).removed) {
    refuse_all_waiting(turn, function, RefuseReason::kFunctionGone);
    if (ledger_.function(function).pods.empty()) ledger_.release_function(function);
  } else {
    const Function& survivor = ledger_.function(function);
    if (survivor.backoff.hopeless(turn.now) && survivor.serving() == 0) {
      refuse_all_waiting(turn, function, RefuseReason::kCrashLoop);
    }
    if (!is_settled(turn, survivor)) settle(turn, function);
  }
  grant(turn);
}

// A pod ended unasked. Does that speak against the function's present revision?
void Core::judge_exit(Turn& turn, Slot slot, ExitKind kind) {
  const Pod& pod = ledger_.pod(slot);
  Function& function = ledger_.function(pod.function);
  if (pod.revision != function.revision) return;
  // What it had in hand may be to blame: one bad request must not shut the function for all others.
  const bool at_work = pod.said_hello && !pod.running.empty();
  const bool useful =
      pod.served > 0 || (pod.said_hello && turn.now - pod.hello_at >= kHealthyAfter);
  if (useful || at_work) return;
  function.backoff.fail(turn.now);
  note(turn, function, Decision::Kind::kBackingOff, to_string(kind));
}

void Core::give_back_running(Turn& turn, Slot slot, std::span<const InvocationId> again) {
  for (const InvocationId id : again) {
    const Slot named = ledger_.find(id);
    if (named != kNoSlot && ledger_.invocation(named).pod == slot) {
      ledger_.invocation(named).again = true;
    }
  }
  Pod& pod = ledger_.pod(slot);
  const Slot begun = pod.running.front();
  std::vector<Slot> waiting;
  while (!pod.running.empty()) {
    const Slot front = pod.running.front();
    Invocation& invocation = ledger_.invocation(front);
    if (pod.ahead > 0 && front != begun) --invocation.attempts;  // it was never begun
    const bool was_cancelled = invocation.cancelled;
    const bool goes_again = std::exchange(invocation.again, false);
    ledger_.unassign(front, turn.now);
    if (was_cancelled) {
      ledger_.forget(front);  // its client was answered, or has left
    } else if (!goes_again) {
      refuse(turn, front, RefuseReason::kPodDied);
    } else if (invocation.deadline <= turn.now) {
      refuse(turn, front, RefuseReason::kDeadline);
    } else if (invocation.attempts >= kDispatchesMax) {
      refuse(turn, front, RefuseReason::kStartFailed);
    } else {
      waiting.push_back(front);
    }
  }
  const auto younger = [this](Slot a, Slot b) {
    return ledger_.invocation(a).order > ledger_.invocation(b).order;
  };
  std::sort(waiting.begin(), waiting.end(), younger);
  for (const Slot invocation : waiting) {
    ledger_.requeue(invocation);
    wait(turn, invocation);
  }
  if (pod.ahead > 0 && begun != kNoSlot) none_ahead(turn, pod.function);
}

void Core::pod_due(Turn& turn, Slot slot) {
  Pod& pod = ledger_.pod(slot);
  if (pod.state == PodState::kDraining) return stop(turn, slot, StopReason::kDrainTimeout);
  CHECK(pod.state == PodState::kStarting);
  pod.start_timed_out = true;
  stop(turn, slot, StopReason::kStartTimeout);
}

// An invocation left the pod.
void Core::released(Turn& turn, Slot slot) {
  Pod& pod = ledger_.pod(slot);
  if (pod.state == PodState::kStopping) return;
  if (pod.overdue && pod.cancelled == 0) pod.overdue = false;  // it came to itself
  if (pod.overdue && pod.cancelled == pod.running.size()) {
    return stop(turn, slot, StopReason::kUnresponsive);
  }
  // Here, not when it is dispatched to: whoever says it is free settles the function after it. With
  // a concurrency above 1 it gets a few more meanwhile.
  if (pod.serving() && pod.dispatched >= limits_.pod_dispatches_max) {
    return drain(turn, slot, DrainReason::kWornOut);
  }
  if (pod.serving() && yields(ledger_.function(pod.function))) {
    drain(turn, slot, DrainReason::kYielded);
    return ledger_.set_yielding(slot);
  }
  if (pod.serving() && yields_quota(ledger_.function(pod.function))) {
    leave_for_quota(slot);
    return drain(turn, slot, DrainReason::kYielded);
  }
  if (pod.state == PodState::kDraining && pod.running.empty()) {
    const Duration timeout = ledger_.function(pod.function).limits.drain_timeout;
    ledger_.timers().set(pod.timer, later(turn.now, timeout), {Timer::Kind::kPod, slot});
  }
}

// A cancelled invocation did not yield within its grace.
void Core::unresponsive(Turn& turn, Slot slot) {
  Pod& pod = ledger_.pod(slot);
  if (pod.state == PodState::kStopping) return;
  // Not unwilling, not there yet: its start has a deadline of its own.
  if (!pod.said_hello) return;
  pod.overdue = true;
  // Those ahead cannot begin before it ends, and lose nothing by another pod.
  if (pod.ahead > 0 || pod.cancelled == pod.running.size()) {
    return stop(turn, slot, StopReason::kUnresponsive);
  }
  if (pod.state == PodState::kReady) drain(turn, slot, DrainReason::kUnresponsive);
}

void Core::drain(Turn& turn, Slot slot, DrainReason reason) {
  let_go(turn, slot, reason);
  refresh_idle(ledger_.pod(slot).function);
}

// As drain(), for who refreshes the idle pods of the function by itself.
void Core::let_go(Turn& turn, Slot slot, DrainReason reason) {
  Pod& pod = ledger_.pod(slot);
  Function& function = ledger_.function(pod.function);
  auto& effect = turn.add<DrainPod>();
  effect.pod = pod.id;
  effect.function = function.id;
  effect.reason = reason;
  effect.idle = pod.idle ? turn.now - pod.idle_since : Duration::zero();
  effect.served = pod.served;
  effect.unused = pod.planned && pod.dispatched == 0;
  ledger_.transition(slot, PodState::kDraining, turn.now);
  // What runs is never cut short: it gets until its own deadline and the grace after that.
  TimePoint until = later(turn.now, function.limits.drain_timeout);
  for (Slot at = pod.running.front(); at != kNoSlot; at = ledger_.next_invocation(at)) {
    const TimePoint deadline = ledger_.invocation(at).deadline;
    if (deadline == TimePoint::max()) continue;
    until = std::max(until, later(deadline, function.limits.cancel_grace));
  }
  ledger_.timers().set(pod.timer, until, {Timer::Kind::kPod, slot});
  note(turn, function, Decision::Kind::kDrained, to_string(reason));
}

void Core::stop(Turn& turn, Slot slot, StopReason reason) {
  Pod& pod = ledger_.pod(slot);
  Function& function = ledger_.function(pod.function);
  turn.effects.push_back(StopPod{.pod = pod.id, .function = function.id, .reason = reason});
  ledger_.transition(slot, PodState::kStopping, turn.now);
  ledger_.timers().clear(pod.timer);
  note(turn, function, Decision::Kind::kStopped, to_string(reason));
  settle(turn, pod.function);
}

}  // namespace subito::scheduler
