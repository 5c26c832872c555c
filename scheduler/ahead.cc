#include "scheduler/ahead.h"

#include <algorithm>
#include <utility>

namespace subito::scheduler {

bool Ahead::ended(Duration handler) {
  const bool is_short = handler > Duration::zero() && handler <= kLongCall;
  short_calls_ = is_short ? std::min(short_calls_ + 1, kShortCallsMin) : 0;
  if (handler > Duration::zero()) handler_.observe(handler);
  const std::uint32_t now = wanted();
  const bool alike = now > 0 && count_ > 0 && now < 2 * count_ && count_ < 2 * now;
  return !alike && std::exchange(count_, now) != now;
}

std::uint32_t Ahead::wanted() const {
  if (short_calls_ < kShortCallsMin) return 0;
  const Duration each = std::max<Duration>(handler_.mean(), std::chrono::microseconds(1));
  return static_cast<std::uint32_t>(kAheadWait / each);
}

}  // namespace subito::scheduler
