#include "scheduler/limits.h"

#include <algorithm>

namespace subito::scheduler {

std::uint32_t pods_max_default(const NodeLimits& node) {
  return std::max(1u, node.pods_max - node.pods_max / 4);
}

namespace {

std::optional<std::string_view> fault_of_times(const FunctionLimits& limits) {
  if (limits.queue_timeout <= Duration::zero()) return "queue_timeout must be above 0";
  if (limits.idle_timeout < Duration::zero()) return "idle_timeout must not be negative";
  if (limits.start_timeout <= Duration::zero()) return "start_timeout must be above 0";
  if (limits.drain_timeout <= Duration::zero()) return "drain_timeout must be above 0";
  if (limits.cancel_grace <= Duration::zero()) return "cancel_grace must be above 0";
  if (limits.start_prior < Duration::zero()) return "start_prior must not be negative";
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> fault(const FunctionLimits& limits) {
  if (limits.pods_max == 0u) return "pods_max must be at least 1";
  if (limits.pods_max && *limits.pods_max < limits.pods_min) return "pods_max is below pods_min";
  if (limits.concurrency == 0) return "concurrency must be at least 1";
  if (limits.memory_bytes == 0) return "memory_bytes must be at least 1";
  if (limits.weight == 0 || limits.weight > kWeightMax) return "weight must be 1 to 1000";
  if (limits.in_flight_max == 0u) return "in_flight_max must be at least 1";
  if (limits.tenant >= kTenantsMax) return "tenant must be below 65536";
  if (limits.height > kHeightMax) return "height must be at most 16";
  if (const auto wrong = fault_of_times(limits)) return wrong;
  return autoscaler::fault(limits.policy);
}

std::optional<std::string_view> fault(const NodeLimits& limits) {
  if (limits.pods_max == 0) return "pods_max must be at least 1";
  if (limits.starting_max == 0) return "starting_max must be at least 1";
  if (limits.waiting_max == 0) return "waiting_max must be at least 1";
  if (limits.in_flight_max == 0) return "in_flight_max must be at least 1";
  if (limits.cores > 4096) return "cores must be at most 4096";
  if (limits.pod_dispatches_max == 0) return "pod_dispatches_max must be at least 1";
  return std::nullopt;
}

}  // namespace subito::scheduler
