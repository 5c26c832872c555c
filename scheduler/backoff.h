// Backoff: how long a function whose pods end as soon as they start may not start another.
// One per function, inside its record; the constants and their meaning are in limits.h.
#pragma once

#include <cstdint>

#include "runtime/base/time.h"

namespace subito::scheduler {

class Backoff {
 public:
  void fail(TimePoint now);
  void forgive() { *this = {}; }

  std::uint32_t failures() const { return failures_; }  // in a row
  TimePoint until() const { return until_; }
  bool active(TimePoint now) const { return now < until_; }
  // So many failures that nobody should wait for the next try.
  bool hopeless(TimePoint now) const;

 private:
  std::uint32_t failures_ = 0;
  TimePoint until_{};
};

// 0 before the first failure.
Duration backoff_delay(std::uint32_t failures);

}  // namespace subito::scheduler
