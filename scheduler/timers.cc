#include "scheduler/timers.h"

namespace subito::scheduler {

void Timers::set(TimerHandle& handle, TimePoint at, Timer timer) {
  if (at == TimePoint::max()) return clear(handle);
  if (handle == kNoSlot) handle = places_.take();
  places_[handle].timer = timer;
  heap_.put(handle, Key{at, ++sequence_}, positions());
}

void Timers::clear(TimerHandle& handle) {
  if (handle == kNoSlot) return;
  heap_.erase(handle, positions());
  places_.give_back(handle);
  handle = kNoSlot;
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
