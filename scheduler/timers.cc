#include "scheduler/timers.h"

#include <algorithm>

namespace subito::scheduler {
namespace {

// Set and cleared with each invocation and start; the others mostly come due.
bool is_timeout(Timer::Kind kind) {
  return kind == Timer::Kind::kInvocation || kind == Timer::Kind::kPod;
}

}  // namespace

void Timers::set(TimerHandle& handle, TimePoint at, Timer timer) {
  if (at == TimePoint::max()) return clear(handle);
  if (handle == kNoSlot) handle = places_.take();
  Place& place = places_[handle];
  place.timer = timer;
  place.due = {at, ++sequence_};
  if (place.lane != kNoLane) leave_lane(handle);
  const bool for_lane = is_timeout(timer.kind) || at <= asked_;
  if (for_lane && place.position == kNoSlot && enter_lane(handle)) return;
  if (place.position == kNoSlot || at < place.listed) return list(handle);
  if (place.position == 0) correct_top();
}

void Timers::clear(TimerHandle& handle) {
  if (handle == kNoSlot) return;
  if (places_[handle].lane != kNoLane) leave_lane(handle);
  const bool top = places_[handle].position == 0;
  heap_.erase(handle, positions());
  places_.give_back(handle);
  handle = kNoSlot;
  if (top) correct_top();
}

void Timers::rest(TimerHandle handle) {
  if (handle == kNoSlot) return;
  if (places_[handle].lane != kNoLane) leave_lane(handle);
  places_[handle].due.at = TimePoint::max();
  if (places_[handle].position == 0) correct_top();
}

// Into the lane that ends latest, not behind it: so each delay comes to have a lane of its own.
// False: all end behind it.
bool Timers::enter_lane(TimerHandle handle) {
  Place& place = places_[handle];
  Lane* best = nullptr;
  for (Lane& lane : lanes_) {
    if (lane.last <= place.due.at && (best == nullptr || best->last < lane.last)) best = &lane;
  }
  if (best == nullptr) return false;
  place.lane = static_cast<std::uint8_t>(best - lanes_.data());
  best->places.push_back(places_, handle);
  best->last = place.due.at;
  if (best->places.front() == handle) {
    best->first = place.due;
    lanes_next_ = std::min(lanes_next_, place.due.at);
  }
  return true;
}

void Timers::leave_lane(TimerHandle handle) {
  Lane& lane = lanes_[places_[handle].lane];
  places_[handle].lane = kNoLane;
  const bool was_first = lane.places.front() == handle;
  const bool was_last = lane.places.back() == handle;
  lane.places.erase(places_, handle);
  if (lane.places.empty()) {
    lane.first.at = TimePoint::max();
    lane.last = TimePoint::min();
  } else if (was_first) {
    lane.first = places_[lane.places.front()].due;
  } else if (was_last) {
    lane.last = places_[lane.places.back()].due.at;
  }
  if (!was_first) return;
  lanes_next_ = lanes_.front().first.at;
  for (const Lane& other : lanes_) lanes_next_ = std::min(lanes_next_, other.first.at);
}

// Puts it where it is due.
void Timers::list(TimerHandle handle) {
  Place& place = places_[handle];
  place.listed = place.due.at;
  heap_.put(handle, place.due, positions());
}

void Timers::correct_top() {
  while (!heap_.empty()) {
    const TimerHandle top = heap_.top();
    const Key& due = places_[top].due;
    if (due == heap_.top_key()) return;
    if (due.at == TimePoint::max()) {
      heap_.erase(top, positions());
    } else {
      list(top);
    }
  }
}

// Of which there must be one.
TimerHandle Timers::first() const {
  const Lane& lane = *std::min_element(
      lanes_.begin(), lanes_.end(), [](const Lane& a, const Lane& b) { return a.first < b.first; });
  const bool in_heap = !heap_.empty() && (lane.places.empty() || heap_.top_key() < lane.first);
  return in_heap ? heap_.top() : lane.places.front();
}

Timer Timers::take_first() {
  TimerHandle handle = first();
  const Timer timer = places_[handle].timer;
  clear(handle);
  return timer;
}

}  // namespace subito::scheduler
