#include "autoscaler/instant.h"

#include <algorithm>
#include <limits>

namespace subito::autoscaler {
namespace {

// Asked again no sooner than this, so that a start measured as 0 cannot make a timer spin.
constexpr Duration kAskAgainMin = std::chrono::microseconds(10);

}  // namespace

Duration expected_wait(std::uint32_t waiting, Duration service, std::uint32_t slots) {
  if (slots == 0) return Duration::max();
  // 2^32 waiting at over 2 s each would leave 63 bits: a wait that long is as good as endless.
  const auto each = service.count();
  if (each > 0 && waiting > std::numeric_limits<Duration::rep>::max() / each) {
    return Duration::max();
  }
  return Duration(each * waiting / slots);
}

StartAnswer Instant::on_waiting(const Demand& demand) {
  if (demand.slots == 0) return {.start = true, .reason = StartReason::kNothingRuns};
  if (!demand.service_measured) return {.start = true, .reason = StartReason::kServiceUnknown};
  const Duration wait = expected_wait(demand.waiting, demand.service, demand.slots);
  if (wait > demand.start) {
    return {.start = true, .reason = StartReason::kWaitCostsMore, .expected_wait = wait};
  }
  const Duration patience = std::max(demand.start, kAskAgainMin);
  // A pod that starts is the answer to the waiting already: one start for many waiters.
  if (demand.starting == 0 && demand.hoped >= patience) {
    return {.start = true, .reason = StartReason::kWaitedLongEnough, .expected_wait = wait};
  }
  const Duration left = patience - demand.hoped;
  return {.start = false,
          .reason = StartReason::kStartCostsMore,
          .expected_wait = wait,
          .ask_again_after = left > Duration::zero() ? std::max(left, kAskAgainMin) : patience};
}

void Instant::observe(const Load&) {}

Plan Instant::plan(const Load& load) {
  return {.keep_idle = load.idle};
}

}  // namespace subito::autoscaler
