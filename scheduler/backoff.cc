#include "scheduler/backoff.h"

#include <algorithm>

#include "scheduler/limits.h"

namespace subito::scheduler {

Duration backoff_delay(std::uint32_t failures) {
  if (failures == 0) return Duration::zero();
  Duration delay = kBackoffFirst;
  for (std::uint32_t i = 1; i < failures && delay < kBackoffMax; ++i) delay *= kBackoffFactor;
  return std::min(delay, kBackoffMax);
}

void Backoff::fail(TimePoint now) {
  ++failures_;
  until_ = now + backoff_delay(failures_);
}

bool Backoff::hopeless(TimePoint now) const {
  return failures_ >= kCrashLoopAfter && active(now);
}

}  // namespace subito::scheduler
