#include "autoscaler/policy.h"

#include "autoscaler/fixed.h"
#include "autoscaler/instant.h"
#include "runtime/base/check.h"

namespace subito::autoscaler {

std::string_view to_string(StartReason reason) {
  switch (reason) {
    case StartReason::kNothingRuns:
      return "no pod runs";
    case StartReason::kServiceUnknown:
      return "nobody knows yet how long busy pods take";
    case StartReason::kWaitCostsMore:
      return "waiting costs more than starting";
    case StartReason::kWaitedLongEnough:
      return "no pod was free for as long as a start takes";
    case StartReason::kStartCostsMore:
      return "starting costs more than waiting";
    case StartReason::kNoPodFree:
      return "no pod is free";
  }
  CHECK(false);
}

std::string_view to_string(PlanReason reason) {
  switch (reason) {
    case PlanReason::kIdleTime:
      return "idle pods stay for their time";
  }
  CHECK(false);
}

std::string_view to_string(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kInstant:
      return "instant";
    case PolicyKind::kFixed:
      return "fixed";
  }
  CHECK(false);
}

std::unique_ptr<Policy> make_policy(const PolicyOptions& options) {
  switch (options.kind) {
    case PolicyKind::kInstant:
      return std::make_unique<Instant>();
    case PolicyKind::kFixed:
      return std::make_unique<Fixed>();
  }
  CHECK(false);
}

}  // namespace subito::autoscaler
