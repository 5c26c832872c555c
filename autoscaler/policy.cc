#include "autoscaler/policy.h"

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
    case StartReason::kPlanWantsMore:
      return "more pods are wanted than there are";
    case StartReason::kPlanDecides:
      return "there are as many pods as are wanted";
  }
  CHECK(false);
}

std::string_view to_string(PlanReason reason) {
  switch (reason) {
    case PlanReason::kIdleTime:
      return "idle pods stay for their time";
    case PlanReason::kAverage:
      return "the average concurrency of the stable window";
    case PlanReason::kPanic:
      return "the panic window saw a burst";
    case PlanReason::kDelayed:
      return "scaling down is delayed";
    case PlanReason::kExpected:
      return "a call is expected";
    case PlanReason::kToZero:
      return "the last pods wait for the grace before zero";
  }
  CHECK(false);
}

std::string_view to_string(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kInstant:
      return "instant";
    case PolicyKind::kConcurrency:
      return "concurrency";
    case PolicyKind::kFixed:
      return "fixed";
    case PolicyKind::kHistogram:
      return "histogram";
  }
  CHECK(false);
}

std::optional<std::string_view> fault(const PolicyOptions& options) {
  using std::chrono::hours;
  using std::chrono::seconds;
  const auto within = [](auto value, auto least, auto most) {
    return least <= value && value <= most;
  };
  const ConcurrencyOptions& c = options.concurrency;
  if (!within(c.stable_window, seconds(6), hours(1))) return "stable_window must be 6 s to 1 h";
  if (!within(c.to_zero_grace, seconds(0), hours(1))) return "to_zero_grace must be 0 to 1 h";
  if (!within(c.scale_down_delay, seconds(0), hours(1))) return "scale_down_delay must be 0 to 1 h";
  if (!within(c.utilization_percent, 1u, 100u)) return "utilization must be 1 to 100 %";
  if (!within(c.panic_window_percent, 1u, 100u)) return "panic window must be 1 to 100 %";
  if (!within(c.panic_threshold_percent, 110u, 1000u))
    return "panic threshold must be 110 to 1000 %";
  if (c.max_scale_up_rate < 2) return "max_scale_up_rate must be at least 2";
  if (c.max_scale_down_rate < 2) return "max_scale_down_rate must be at least 2";
  if (c.activation_scale == 0) return "activation_scale must be at least 1";
  return std::nullopt;
}

}  // namespace subito::autoscaler
