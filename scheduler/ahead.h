// Ahead: how many invocations a pod of concurrency 1 gets behind the one that it runs.
//
// To hand over one invocation at a time costs a wakeup of the pod and one of the node, tens of
// microseconds together; a handler that takes 5 µs is idle for most of that. Behind it others can
// wait in the pod instead of in the node, and go over many at a time:
//
//   count = kAheadWait / mean time of a handler
//     5 µs: 20; 40 µs: 2; over 100 µs: none. So who waits in a pod waits 100 µs, as a mean.
//
// Nobody knows how long the next handler takes, and who waits behind a long one cannot go elsewhere
// until its pod gives it back. So a function has to show kShortCallsMin calls in a row that are no
// longer than kLongCall, and a longer one, or one of which nothing is told, begins that anew.
//
// One per function, inside its record. Pure.
#pragma once

#include <cstdint>

#include "autoscaler/estimate.h"
#include "runtime/base/time.h"

namespace subito::scheduler {

class Ahead {
 public:
  static constexpr Duration kAheadWait = std::chrono::microseconds(100);
  static constexpr Duration kLongCall = std::chrono::milliseconds(1);
  static constexpr std::uint32_t kShortCallsMin = 64;

  // An invocation ended whose handler took so long; 0: not told. True: count() has changed. Small
  // changes are not followed: it counts for all pods of the function.
  bool ended(Duration handler);
  std::uint32_t count() const { return count_; }

 private:
  std::uint32_t wanted() const;

  autoscaler::Estimate handler_;
  std::uint32_t short_calls_ = 0;  // in a row, kShortCallsMin at most
  std::uint32_t count_ = 0;
};

}  // namespace subito::scheduler
