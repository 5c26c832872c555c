// Instant: the default policy. It decides at each arrival by cost, without tick, window or target:
// start a pod when the expected wait for a busy one is longer than a start takes.
//
//   expected wait = waiting * service / slots
//     Slots that each serve in `service` free up once every service / slots; the last of `waiting`
//     gets the waiting-th of them. 3 waiting, 2 slots, 10 ms each: 3 * 10 / 2 = 15 ms.
//
// The mean may be wrong (one call of 10 s among thousands of 1 ms), so hoping is bounded: whoever
// has waited as long as a start takes gets one, unless one is under way. In the worst case a waiter
// loses one start's time against a seer who knew (the ski-rental argument).
#pragma once

#include "autoscaler/policy.h"

namespace subito::autoscaler {

class Instant final : public Policy {
 public:
  void observe(const Load& load) override;
  StartAnswer on_waiting(const Demand& demand) override;
  Plan plan(const Load& load) override;
};

// The formula above; the longest Duration when nothing serves.
Duration expected_wait(std::uint32_t waiting, Duration service, std::uint32_t slots);

}  // namespace subito::autoscaler
