#include "scheduler/timers.h"

namespace subito::scheduler {

void Timers::set(TimerHandle& handle, TimePoint at, Timer timer) {
  if (at == TimePoint::max()) return clear(handle);
  if (handle == kNoSlot) handle = places_.take();
  Place& place = places_[handle];
  place.timer = timer;
  place.due = {at, ++sequence_};
  if (place.position == kNoSlot || at < place.listed) return list(handle);
  if (place.position == 0) correct_top();
}

void Timers::clear(TimerHandle& handle) {
  if (handle == kNoSlot) return;
  const bool top = places_[handle].position == 0;
  heap_.erase(handle, positions());
  places_.give_back(handle);
  handle = kNoSlot;
  if (top) correct_top();
}

void Timers::rest(TimerHandle handle) {
  if (handle == kNoSlot) return;
  places_[handle].due.at = TimePoint::max();
  if (places_[handle].position == 0) correct_top();
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

TimePoint Timers::next() const {
  return heap_.empty() ? TimePoint::max() : heap_.top_key().at;
}

std::optional<Timer> Timers::take_due(TimePoint now) {
  if (next() > now) return std::nullopt;
  TimerHandle handle = heap_.top();
  const Timer timer = places_[handle].timer;
  clear(handle);
  return timer;
}

}  // namespace subito::scheduler
