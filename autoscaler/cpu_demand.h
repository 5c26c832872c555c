// CpuDemand: how many invocations of one function are worth running at once, by what they use of
// the CPU. More would only share the cores with those that run: none ends sooner, each pod costs a
// start and memory, and other functions wait longer for a core.
//
//   worth = cores * (cpu + apart) / cpu, rounded up
//     cpu    an invocation is on a core
//     apart  it is neither on one nor ready for one: it waits for Redis, another function, a timer
//
// Worked, with 2 cores: 5 ms on a core and 0.2 ms apart are worth 2 * 5.2 / 5 = 2.08, so 3; 0.2 ms
// on a core and 20 ms apart 202. What an invocation waits for a core counts as neither, so that a
// crowd does not make the next ones look as if they waited for something else.
//
// Only the policy `instant` looks at it. Pure integers, a value, owned by whoever observes.
#pragma once

#include <cstdint>
#include <limits>

#include "autoscaler/estimate.h"
#include "runtime/base/time.h"

namespace subito::autoscaler {

// Of one invocation, as its pod tells it. 0: not told.
struct CpuUse {
  Duration cpu{};      // on a core
  Duration waited{};   // ready to run, and waiting for one
  Duration handler{};  // from the handler's begin to its end
  friend bool operator==(const CpuUse&, const CpuUse&) = default;
};

class CpuDemand {
 public:
  // No bound: nobody knows, or it is no concern.
  static constexpr std::uint32_t kAny = std::numeric_limits<std::uint32_t>::max();
  // An eighth of the way to each observation: one that is not like the others must not decide.
  static constexpr std::uint64_t kObservationsMin = 8;

  // `service`: from its dispatch to its end. A pod that tells more than that is not believed.
  void observe(const CpuUse& use, Duration service);
  // At least 1. kAny before kObservationsMin, and with 0 cores.
  std::uint32_t worth(std::uint32_t cores) const;
  Duration cpu() const { return cpu_.mean(); }  // mean of an invocation; 0: not known

 private:
  Estimate cpu_;
  Estimate apart_;
};

}  // namespace subito::autoscaler
