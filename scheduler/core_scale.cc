#include <algorithm>
#include <tuple>
#include <vector>

#include "runtime/base/check.h"
#include "scheduler/core.h"

namespace subito::scheduler {
namespace {

std::string_view why_started(StartWhy why, const autoscaler::Plan& plan,
                             const autoscaler::StartAnswer& answer) {
  switch (why) {
    case StartWhy::kWaiting:
      return to_string(answer.reason);
    case StartWhy::kMinimum:
      return to_string(why);
    case StartWhy::kPlanned:
      return to_string(plan.reason);
  }
  CHECK(false);
}

}  // namespace

// Makes true again what must be true of a function after anything happened to it: nobody waits
// while a pod has room, nobody waits without a start or a time to look again, the minimum is kept,
// and idle pods beyond it have a time to go.
void Core::settle(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  if (function.removed) return;
  ledger_.timers().clear(function.wake_timer);
  const autoscaler::Load load = load_of(turn, function);
  function.policy.observe(load);
  replan(turn, slot, load);
  keep_minimum(turn, slot);  // first: whoever waits finds room in these pods
  keep_planned(turn, slot);
  serve(turn, slot);
  if (function.queue.empty() && function.serving() >= pods_min(function)) {
    leave_lines(slot);
  }
  refresh_idle(slot);
}

// Nothing that settle() looks at has changed since it last did, and no idle pod's time depends on
// it: most ends of pods.
bool Core::is_settled(const Turn& turn, const Function& function) const {
  return plan_holds(turn, function) && function.queue.empty() && function.idle.empty() &&
         !function.wants_start && function.wake_timer == kNoSlot && !tenants_.any_quota() &&
         function.serving() >= pods_min(function) && function.serving() >= pods_planned(function);
}

void Core::serve(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  while (!function.queue.empty()) {
    const Slot front = function.queue.front();
    const Invocation& invocation = ledger_.invocation(front);
    if (invocation.since_or_until <= turn.now) {  // due in this very tick, its timer is yet to come
      refuse(turn, front,
             invocation.deadline <= turn.now ? RefuseReason::kDeadline : why_waited(turn, slot));
    } else if (cores_are_busy(turn, slot)) {
      break;
    } else if (const Slot pod = ledger_.best_with_room(slot, turn.now); pod != kNoSlot) {
      dispatch(turn, front, pod);
    } else if (!start_for_waiting(turn, slot)) {
      break;
    }
  }
}

// As many run as the plan finds worth. Sees to it that somebody looks again. Those ahead do not
// run.
bool Core::cores_are_busy(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  if (function.running < function.plan.at_once || function.ahead.count() > 0) return false;
  const Duration stall = std::max(kStallMin, kStallServices * function.service.mean());
  const TimePoint stalled = later(function.last_turn, stall);
  if (stalled <= turn.now) return false;
  note(turn, function, Decision::Kind::kCoresBusy, "the cores are busy with those that run",
       wait_for_cores(function));
  wake(slot, stalled);
  return true;
}

void Core::dispatch(Turn& turn, Slot slot, Slot pod_slot) {
  ledger_.assign(slot, pod_slot, turn.now);
  Invocation& invocation = ledger_.invocation(slot);
  ledger_.function(invocation.function).last_turn = turn.now;
  Pod& pod = ledger_.pod(pod_slot);
  ++pod.dispatched;
  auto& effect = turn.add<Dispatch>();
  effect.invocation = invocation.id;
  effect.pod = pod.id;
  effect.cold = !pod.said_hello;
  effect.queued = turn.now - invocation.arrived;
  effect.attempt = invocation.attempts;
  ledger_.timers().set(invocation.timer, invocation.deadline, {Timer::Kind::kInvocation, slot});
}

void Core::keep_minimum(Turn& turn, Slot slot) {
  const Function& function = ledger_.function(slot);
  while (function.serving() < pods_min(function)) {
    if (held_back(turn, slot) || !start_pod(turn, slot, StartWhy::kMinimum, {})) break;
  }
}

// Somebody waits and no pod has room. True when a pod was started: now one has.
bool Core::start_for_waiting(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  const TimePoint arrived = ledger_.invocation(function.queue.front()).arrived;
  const autoscaler::StartAnswer answer =
      function.policy.on_waiting({.now = turn.now,
                                  .waiting = function.queue.size(),
                                  .slots = function.slots,
                                  .pods = function.serving(),
                                  .starting = function.in(PodState::kStarting),
                                  .hoped = turn.now - std::max(arrived, function.last_hello),
                                  .service_measured = function.service.measured(),
                                  .service = function.service.mean(),
                                  .start = function.start.mean()});
  if (!answer.start) {
    CHECK(answer.ask_again_after > Duration::zero());
    note(turn, function, Decision::Kind::kWaitForPod, to_string(answer.reason),
         answer.expected_wait);
    wake(slot, later(turn.now, answer.ask_again_after));
    return false;
  }
  if (function.serving() >= function.pods_max) {
    note(turn, function, Decision::Kind::kAtMaximum, to_string(answer.reason),
         answer.expected_wait);
    return false;  // until a pod has room, or the maximum is raised
  }
  if (held_back(turn, slot)) return false;
  return start_pod(turn, slot, StartWhy::kWaiting, answer);
}

// Crashes forbid a start now. Sees to it that somebody looks again.
bool Core::held_back(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  const Backoff& backoff = function.backoff;
  // After a failure one pod at a time tries, and its hello or exit comes back here.
  const bool one_tries = backoff.failures() > 0 && function.in(PodState::kStarting) > 0;
  if (!one_tries && !backoff.active(turn.now)) return false;
  if (!one_tries) wake(slot, backoff.until());
  note(turn, function, Decision::Kind::kBackingOff, "its pods ended as soon as they started");
  return true;
}

bool Core::start_pod(Turn& turn, Slot slot, StartWhy why, const autoscaler::StartAnswer& answer) {
  if (!room_in_quota(turn, slot) || !room_on_node(turn, slot)) return false;
  if (granted_ == slot) granted_ = kNoSlot;  // one place a turn
  if (quota_granted_ == slot) quota_granted_ = kNoSlot;
  Function& function = ledger_.function(slot);
  const Slot pod_slot = ledger_.add_pod(slot, turn.now);
  Pod& pod = ledger_.pod(pod_slot);
  pod.share = share_of(function);
  tenants_.take(pod.share);
  pod.planned = why == StartWhy::kPlanned;
  function.pods_planned += static_cast<std::uint64_t>(pod.planned);
  auto& effect = turn.add<StartPod>();
  effect.pod = pod.id;
  effect.function = function.id;
  effect.revision = pod.revision;
  effect.number = pod.number;
  effect.why = why;
  effect.policy = answer.reason;
  effect.plan = function.plan.reason;
  effect.waiting = function.queue.size();
  ledger_.timers().set(pod.timer, later(turn.now, function.limits.start_timeout),
                       {Timer::Kind::kPod, pod_slot});
  note(turn, function, Decision::Kind::kStarted, why_started(why, function.plan, answer),
       answer.expected_wait);
  return true;
}

// Is there a place for one more pod, and is it this function's turn? If not it stands in line.
bool Core::room_on_node(Turn& turn, Slot slot) {
  const bool pods_full = ledger_.places().room(ledger_.function(slot).height) == 0;
  const bool starts_full = ledger_.starting() >= limits_.starting_max;
  const bool others_first =
      granted_ != slot && ledger_.anyone_in_line() && ledger_.first_with_room() != kNoSlot;
  if (!pods_full && !starts_full && !others_first) return true;
  note(turn, ledger_.function(slot),
       pods_full ? Decision::Kind::kNodeFull : Decision::Kind::kStartsFull,
       others_first ? "others stand in line" : "the node is at its limit");
  ledger_.stand_in_line(slot);
  return false;
}

// The earlier of two times to look again wins.
void Core::wake(Slot slot, TimePoint at) {
  Function& function = ledger_.function(slot);
  if (function.wake_timer != kNoSlot && function.wake_at <= at) return;
  function.wake_at = at;
  ledger_.timers().set(function.wake_timer, at, {Timer::Kind::kFunctionWake, slot});
}

// A place that came free goes to the first in line that may have it, who may stand in it again.
// Then idle pods make room.
void Core::grant(Turn& turn) {
  if (tenants_.any_to_look_at()) grant_quotas(turn);
  while (ledger_.anyone_in_line() && ledger_.starting() < limits_.starting_max) {
    granted_ = ledger_.first_with_room();
    if (granted_ == kNoSlot) break;
    ledger_.leave_line(granted_);
    settle(turn, granted_);
    granted_ = kNoSlot;
  }
  if (tenants_.any_to_look_at()) grant_quotas(turn);
  evict(turn);
}

// One place for each that stands in line; those free or freed in a moment count.
void Core::evict(Turn& turn) {
  if (!ledger_.anyone_in_line()) return;
  Places soon = ledger_.places_soon();
  for (std::uint32_t height = 0; height <= kHeightMax && ledger_.evictable(); ++height) {
    for (std::uint32_t left = ledger_.line_length(height); left > 0;) {
      if (const std::uint32_t free = std::min(left, soon.room(height)); free > 0) {
        soon.add(height, free);
        left -= free;
        continue;
      }
      const Slot owner = ledger_.evict_first(soon.helped_from(height));
      if (owner == kNoSlot) break;
      const Slot pod = ledger_.function(owner).idle.front();
      soon.remove(ledger_.function(owner).height);
      ledger_.give_up(pod);
      drain(turn, pod, DrainReason::kEvicted);
    }
  }
}

// A busy function that has more places for its weight than one that stands in line would have with
// one more gives a place up, though it has work: else a flood would keep what it got first. Places
// free, freed in a moment or given up already are enough for as many in line.
bool Core::yields(const Function& function) const {
  if (!ledger_.anyone_in_line() || ledger_.starting() >= limits_.starting_max) return false;
  if (function.queue.empty() || function.serving() <= pods_min(function)) return false;
  const Places& soon = ledger_.places_soon();
  for (std::uint32_t height = 0; height <= kHeightMax; ++height) {
    if (ledger_.line_length(height) <= soon.room(height) + ledger_.yielding()) continue;
    if (function.height < soon.helped_from(height)) continue;
    const Function& other = ledger_.function(ledger_.first_in_line(height));
    if (std::uint64_t{function.serving()} * other.limits.weight >
        (std::uint64_t{other.serving()} + 1) * function.limits.weight) {
      return true;
    }
  }
  return false;
}

std::uint32_t Core::pods_min(const Function& function) const {
  return closing_ ? 0 : function.limits.pods_min;
}

bool Core::evictable(const Function& function) const {
  return !function.removed && !function.idle.empty() && function.serving() > pods_min(function);
}

bool Core::has_surplus(const Function& function) const {
  return evictable(function) && function.serving() > pods_planned(function);
}

void Core::refresh_idle(Slot slot) {
  Function& function = ledger_.function(slot);
  ledger_.set_evictable(slot, evictable(function));
  if (tenants_.any_quota()) {
    const std::uint32_t tenant = function.limits.tenant;
    tenants_.set_idle(tenant, slot, tenants_.has_quota(tenant) && evictable(function));
  }
  if (!has_surplus(function)) return ledger_.timers().rest(function.idle_timer);
  const TimePoint since = ledger_.pod(function.idle.front()).idle_since;
  ledger_.timers().set(function.idle_timer, later(since, function.plan.keep_idle),
                       {Timer::Kind::kFunctionIdle, slot});
}

void Core::idle_due(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  const auto plan_again = [&] {
    if (!plan_holds(turn, function)) replan(turn, slot, load_of(turn, function));
  };
  for (plan_again(); has_surplus(function); plan_again()) {
    const Slot oldest = function.idle.front();
    if (later(ledger_.pod(oldest).idle_since, function.plan.keep_idle) > turn.now) break;
    let_go(turn, oldest, closing_ ? DrainReason::kClosing : DrainReason::kIdle);
  }
  refresh_idle(slot);
}

// Drains what is beyond the maximum: the least loaded, of these the longest idle.
void Core::trim(Turn& turn, Slot slot) {
  Function& function = ledger_.function(slot);
  if (function.serving() <= function.pods_max) return;
  std::vector<Slot> serving;
  for (Slot at = function.pods.front(); at != kNoSlot; at = ledger_.next_pod(at)) {
    if (ledger_.pod(at).serving()) serving.push_back(at);
  }
  const auto key = [this](Slot at) {
    const Pod& pod = ledger_.pod(at);
    return std::tuple(pod.running.size(), !pod.idle, pod.idle_since, pod.number);
  };
  std::sort(serving.begin(), serving.end(), [&](Slot a, Slot b) { return key(a) < key(b); });
  serving.resize(serving.size() - function.pods_max);
  for (const Slot at : serving) drain(turn, at, DrainReason::kScaledDown);
}

void Core::note(const Turn& turn, Function& function, Decision::Kind kind, std::string_view reason,
                Duration expected_wait) const {
  function.last = {.kind = kind,
                   .at = turn.now,
                   .waiting = function.queue.size(),
                   .expected_wait = expected_wait,
                   .start_cost = function.start.mean(),
                   .pods_wanted = function.plan.pods_wanted,
                   .reason = reason};
}

}  // namespace subito::scheduler
