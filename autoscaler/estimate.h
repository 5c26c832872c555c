// Estimate: a running mean of durations that follows change: how long a function serves, how long
// its pods take to start. Owned by whoever observes; a value, no thread of its own.
//
// Integers only, so that live node and simulator get the same digits on any machine. The mean moves
// an eighth of the way to each observation (as TCP's round-trip time does, RFC 6298): after a step
// from 10 ms to 20 ms it reads 15 ms after 6 observations and 19 ms after 18.
#pragma once

#include <cstdint>

#include "runtime/base/time.h"

namespace subito::autoscaler {

class Estimate {
 public:
  Estimate() = default;
  // `prior` is answered until the first observation replaces it.
  explicit Estimate(Duration prior) : mean_(prior) {}

  void observe(Duration value);
  Duration mean() const { return mean_; }
  bool measured() const { return count_ > 0; }
  std::uint64_t count() const { return count_; }

 private:
  Duration mean_{};
  std::uint64_t count_ = 0;
};

}  // namespace subito::autoscaler
