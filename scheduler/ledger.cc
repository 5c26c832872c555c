#include "scheduler/ledger.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/fetch_lines.h"

namespace subito::scheduler {
namespace {

constexpr std::uint64_t kHeldScale = 1U << 20;  // so that weights up to 1000 tell pods apart

std::size_t index(PodState state) {
  return static_cast<std::size_t>(state);
}

}  // namespace

Slot Ledger::add_function(FunctionId id) {
  const Slot slot = functions_.take();
  functions_[slot].id = id;
  function_ids_.insert(id, slot);
  return slot;
}

void Ledger::fetch(Slot slot) const {
  fetch_lines(&functions_[slot], sizeof(Function));
  evict_.fetch(slot);
}

void Ledger::fetch_more(Slot slot) const {
  const Function& function = functions_[slot];
  function.policy.fetch();
  if (!function.idle.empty()) fetch_lines(&pods_[function.idle.back()], sizeof(Pod));
}

void Ledger::fetch_invocation(Slot slot) const {
  const Invocation& invocation = invocations_[slot];
  fetch_lines(&invocation, sizeof invocation);
  if (invocation.pod != kNoSlot) fetch_lines(&pods_[invocation.pod], sizeof(Pod));
  fetch(invocation.function);
}

void Ledger::set_height(Slot slot, std::uint32_t height) {
  Function& function = functions_[slot];
  if (function.height == height) return;
  const bool stood = function.wants_start, evictable = evict_.contains(slot);
  leave_line(slot);
  set_evictable(slot, false);
  for (Slot at = function.pods.front(); at != kNoSlot; at = next_pod(at)) {
    places_.remove(function.height);
    places_.add(height);
    if (pods_[at].leaving) continue;
    soon_.remove(function.height);
    soon_.add(height);
  }
  function.height = height;
  if (stood) stand_in_line(slot);
  if (evictable) set_evictable(slot, true);
}

void Ledger::retire_function(Slot slot) {
  Function& function = functions_[slot];
  CHECK(!function.removed && function.queue.empty());
  function.removed = true;
  function_ids_.erase(function.id);
}

void Ledger::release_function(Slot slot) {
  Function& function = functions_[slot];
  CHECK(function.removed && function.pods.empty() && function.queue.empty());
  timers_.clear(function.wake_timer);
  timers_.clear(function.plan_timer);
  timers_.clear(function.idle_timer);
  leave_line(slot);
  set_evictable(slot, false);
  functions_.give_back(slot);
}

Slot Ledger::add_pod(Slot function_slot, TimePoint now) {
  Function& function = functions_[function_slot];
  const Slot slot = pods_.take();
  Pod& pod = pods_[slot];
  pod.id = pod_source_.next();
  pod.revision = function.revision;
  pod.number = ++function.pods_started;
  pod.function = function_slot;
  pod.concurrency = function.limits.concurrency;
  pod.state_since = pod.requested = now;
  pod.last_used = ++stamp_;
  pod_ids_.insert(pod.id, slot);
  function.plan_holds = false;
  function.pods.push_back(pods_, slot);
  ++function.pods_in[index(PodState::kStarting)];
  function.slots += pod.concurrency;
  ++starting_;
  places_.add(function.height);
  soon_.add(function.height);
  reindex(slot, now);
  place_in_line(function_slot);
  return slot;
}

void Ledger::transition(Slot slot, PodState to, TimePoint now) {
  Pod& pod = pods_[slot];
  CHECK(to > pod.state);
  Function& function = functions_[pod.function];
  const bool served = pod.serving();
  --function.pods_in[index(pod.state)];
  ++function.pods_in[index(to)];
  pod.state = to;
  pod.state_since = now;
  if (served) function.plan_holds = false;
  if (served && !pod.serving()) function.slots -= pod.concurrency;
  reindex(slot, now);
  place_in_line(pod.function);
}

void Ledger::hello(Slot slot, TimePoint now, std::uint32_t ahead) {
  Pod& pod = pods_[slot];
  CHECK(!pod.said_hello && (ahead == 0 || pod.concurrency == 1));
  pod.said_hello = true;
  pod.ahead = ahead;
  pod.hello_at = now;
  pod.last_used = ++stamp_;
  --starting_;
  if (pod.state == PodState::kStarting) transition(slot, PodState::kReady, now);
}

void Ledger::remove_pod(Slot slot) {
  Pod& pod = pods_[slot];
  CHECK(pod.running.empty());
  if (pod.state != PodState::kStopping) transition(slot, PodState::kStopping, pod.state_since);
  Function& function = functions_[pod.function];
  --function.pods_in[index(PodState::kStopping)];
  if (!pod.said_hello) --starting_;
  places_.remove(function.height);
  timers_.clear(pod.timer);
  function.pods.erase(pods_, slot);
  if (function.pods.empty()) function.uses = 0;
  pod_ids_.erase(pod.id);
  pods_.give_back(slot);
}

Slot Ledger::add_invocation(InvocationId id, Slot function, TimePoint now, TimePoint deadline) {
  const Slot slot = invocations_.take();
  Invocation& invocation = invocations_[slot];
  invocation.id = id;
  invocation.order = ++order_;
  invocation.function = function;
  invocation.arrived = now;
  invocation.deadline = invocation.since_or_until = deadline;
  invocation_ids_.insert(id, slot);
  enqueue(slot, kNoSlot);
  return slot;
}

void Ledger::enqueue(Slot slot, Slot before) {
  Invocation& invocation = invocations_[slot];
  CHECK(!invocation.queued && invocation.pod == kNoSlot);
  invocation.queued = true;
  Function& function = functions_[invocation.function];
  function.plan_holds = false;
  function.queue.insert(invocations_, slot, before);
  ++waiting_;
}

void Ledger::dequeue(Slot slot) {
  Invocation& invocation = invocations_[slot];
  CHECK(invocation.queued);
  invocation.queued = false;
  Function& function = functions_[invocation.function];
  function.plan_holds = false;
  function.queue.erase(invocations_, slot);
  --waiting_;
}

void Ledger::requeue(Slot slot) {
  // The queue is in order and this one is older than most: its place is near the front, behind
  // older ones that came back before.
  Slot before = functions_[invocations_[slot].function].queue.front();
  while (before != kNoSlot && invocations_[before].order < invocations_[slot].order) {
    before = next_invocation(before);
  }
  enqueue(slot, before);
}

void Ledger::assign(Slot slot, Slot pod_slot, TimePoint now) {
  Invocation& invocation = invocations_[slot];
  Pod& pod = pods_[pod_slot];
  CHECK(pod.function == invocation.function);
  CHECK(pod.serving() && pod.running.size() < capacity(pod));
  dequeue(slot);
  invocation.pod = pod_slot;
  invocation.since_or_until = now;
  ++invocation.attempts;
  pod.running.push_back(invocations_, slot);
  ++functions_[pod.function].running;
  std::uint32_t& uses = functions_[pod.function].uses;
  if (uses < std::numeric_limits<std::uint32_t>::max()) ++uses;
  ++running_;
  reindex(pod_slot, now);
}

void Ledger::unassign(Slot slot, TimePoint now) {
  Invocation& invocation = invocations_[slot];
  const Slot pod_slot = invocation.pod;
  CHECK(pod_slot != kNoSlot);
  Pod& pod = pods_[pod_slot];
  pod.running.erase(invocations_, slot);
  pod.last_used = ++stamp_;
  if (invocation.cancelled) --pod.cancelled;
  invocation.cancelled = false;
  invocation.pod = kNoSlot;
  timers_.clear(invocation.timer);
  Function& function = functions_[pod.function];
  function.plan_holds = false;
  --function.running;
  --running_;
  reindex(pod_slot, now);
}

void Ledger::forget(Slot slot) {
  Invocation& invocation = invocations_[slot];
  CHECK(invocation.pod == kNoSlot);
  if (invocation.queued) dequeue(slot);
  timers_.clear(invocation.timer);
  invocation_ids_.erase(invocation.id);
  invocations_.give_back(slot);
}

void Ledger::set_cancelled(Slot slot) {
  Invocation& invocation = invocations_[slot];
  CHECK(invocation.pod != kNoSlot && !invocation.cancelled);
  invocation.cancelled = true;
  ++pods_[invocation.pod].cancelled;
}

void Ledger::stand_in_line(Slot slot) {
  Function& function = functions_[slot];
  if (function.wants_start) return;
  function.wants_start = true;
  function.stood = ++stands_;
  ++standing_;
  place_in_line(slot);
}

void Ledger::place_in_line(Slot slot) {
  Function& function = functions_[slot];
  if (!function.wants_start) return;
  const std::uint64_t held = function.serving() * kHeldScale / function.limits.weight;
  lines_[function.height].put(slot, TurnKey{held, function.stood}, line_positions());
}

void Ledger::leave_line(Slot slot) {
  Function& function = functions_[slot];
  if (!function.wants_start) return;
  function.wants_start = false;
  --standing_;
  lines_[function.height].erase(slot, line_positions());
}

void Ledger::set_yielding(Slot slot) {
  Pod& pod = pods_[slot];
  if (pod.leaving || pod.yielding) return;
  pod.yielding = true;
  ++yielding_;
}

Slot Ledger::first_with_room() const {
  const Heap<TurnKey>* first = nullptr;
  for (std::uint32_t height = 0; height <= kHeightMax && places_.room(height) > 0; ++height) {
    const Heap<TurnKey>& line = lines_[height];
    if (!line.empty() && (first == nullptr || line.top_key() < first->top_key())) first = &line;
  }
  return first == nullptr ? kNoSlot : first->top();
}

void Ledger::set_evictable(Slot slot, bool evictable) {
  if (!evictable) return evict_.erase(slot);
  const Function& function = functions_[slot];
  const Pod& pod = pods_[function.idle.front()];
  evict_.put(slot, function.height, pod.keep_priority, pod.idle_since);
}

Slot Ledger::best_with_room(Slot slot, TimePoint now) const {
  const Function& function = functions_[slot];
  const Heap<RoomKey>& room = function.room;
  const bool ahead = function.ahead.count() > 0;
  const bool one_each = function.slots == function.serving() && !ahead;  // then the heap is empty
  // Whoever comes behind a long one would wait for it: rather in an idle pod, or a new one.
  const bool partly = !one_each && !room.empty() && !(ahead && takes_long(pods_[room.top()], now));
  const bool ready = partly && room.top_key().load < RoomKey::kStarting;
  if (!function.idle.empty()) {
    const Slot idle = function.idle.back();
    const bool busy_first = ready && ahead && pods_[room.top()].last_used > pods_[idle].last_used;
    return busy_first ? room.top() : idle;
  }
  if (ready) return room.top();
  if (!function.unused.empty()) return function.unused.front();
  return partly ? room.top() : kNoSlot;
}

bool Ledger::takes_long(const Pod& pod, TimePoint now) const {
  if (pod.running.empty() || !pod.said_hello) return false;
  const TimePoint begun = invocations_[pod.running.front()].since_or_until;
  return now - std::max(begun, pod.last_end) > Ahead::kLongCall;
}

std::uint32_t Ledger::capacity(const Pod& pod) const {
  return pod.concurrency + std::min(pod.ahead, functions_[pod.function].ahead.count());
}

void Ledger::refresh_room(Slot slot, TimePoint now) {
  for (Slot at = functions_[slot].pods.front(); at != kNoSlot; at = next_pod(at)) reindex(at, now);
}

bool Ledger::is_ahead(Slot slot) const {
  const Pod& pod = pods_[invocations_[slot].pod];
  return pod.ahead > 0 && pod.running.front() != slot;
}

// Puts the pod into every list its state and load say it belongs to, and out of the others.
void Ledger::reindex(Slot slot, TimePoint now) {
  Pod& pod = pods_[slot];
  Function& function = functions_[pod.function];
  const std::uint32_t load = pod.running.size();
  const bool starting = pod.state == PodState::kStarting;
  auto positions = [this](Slot at) -> Slot& { return pods_[at].room_position; };
  if (pod.serving() && load > 0 && load < capacity(pod)) {
    const std::uint32_t counts = function.ahead.count() > 0 ? 0 : load;
    function.room.put(slot,
                      RoomKey{(starting ? RoomKey::kStarting : 0) + counts,
                              starting ? pod.last_used : ~pod.last_used},
                      positions);
  } else {
    function.room.erase(slot, positions);
  }
  set_unused(slot, starting && load == 0);
  set_idle(slot, pod.state == PodState::kReady && load == 0, now);
  const bool leaving =
      pod.state == PodState::kStopping || (pod.state == PodState::kDraining && load == 0);
  if (leaving == pod.leaving) return;
  pod.leaving = leaving;
  if (leaving) {
    soon_.remove(function.height);
    if (std::exchange(pod.yielding, false)) --yielding_;
  } else {
    soon_.add(function.height);
  }
}

void Ledger::set_unused(Slot slot, bool unused) {
  Pod& pod = pods_[slot];
  if (pod.unused == unused) return;
  pod.unused = unused;
  Function& function = functions_[pod.function];
  if (unused) {
    function.unused.push_back(pods_, slot);
  } else {
    function.unused.erase(pods_, slot);
  }
}

void Ledger::set_idle(Slot slot, bool idle, TimePoint now) {
  Pod& pod = pods_[slot];
  if (pod.idle == idle) return;
  pod.idle = idle;
  Function& function = functions_[pod.function];
  if (idle) {
    pod.idle_since = now;
    pod.keep_priority =
        greedy_dual_.priority(function.uses, function.start.mean(), function.limits.memory_bytes);
    function.idle.push_back(pods_, slot);
  } else {
    function.idle.erase(pods_, slot);
  }
}

}  // namespace subito::scheduler
