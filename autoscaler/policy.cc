#include "autoscaler/policy.h"

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
  }
  CHECK(false);
}

std::string_view to_string(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kInstant:
      return "instant";
  }
  CHECK(false);
}

std::unique_ptr<Policy> make_policy(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kInstant:
      return std::make_unique<Instant>();
  }
  CHECK(false);
}

}  // namespace subito::autoscaler
