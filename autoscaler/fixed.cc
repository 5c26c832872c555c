#include "autoscaler/fixed.h"

namespace subito::autoscaler {

void Fixed::observe(const Load&) {}

StartAnswer Fixed::on_waiting(const Demand& demand) {
  return {.start = true,
          .reason = demand.slots == 0 ? StartReason::kNothingRuns : StartReason::kNoPodFree};
}

Plan Fixed::plan(const Load& load) {
  return {.keep_idle = load.idle};
}

}  // namespace subito::autoscaler
