#include "runtime/metrics/families.h"

namespace subito::metrics {
namespace {

using namespace families;

// In the order of the page.
constexpr const Family* kAll[] = {&kNode,
                                  &kCpu,
                                  &kResident,
                                  &kCondition,
                                  &kOpenFds,
                                  &kMaxFds,
                                  &kStartTime,
                                  &kLoopCpu,
                                  &kLoopLag,
                                  &kHostCpus,
                                  &kHostCpu,
                                  &kHostMemory,
                                  &kHostPressure,
                                  &kConnections,
                                  &kGatewayLoopConnections,
                                  &kGatewayLoopRequests,
                                  &kGatewayLoopCpu,
                                  &kRouteRequests,
                                  &kRouteDuration,
                                  &kNodePods,
                                  &kNodePodsLimit,
                                  &kNodeWaiting,
                                  &kNodeWaitingLimit,
                                  &kNodeRunning,
                                  &kFunctions,
                                  &kSandboxes,
                                  &kSandboxesWanted,
                                  &kSandboxesMemory,
                                  &kTemplates,
                                  &kTemplatesMemory,
                                  &kRedisUp,
                                  &kRedisRestarts,
                                  &kCertificateEnd,
                                  &kAccessRefused,
                                  &kAuditLost,
                                  &kDecisions,
                                  &kTraceSpans,
                                  &kTraceSpansQueued,
                                  &kOverflow,
                                  &kRevision,
                                  &kInService,
                                  &kBackingOff,
                                  &kInvocations,
                                  &kRequests,
                                  &kDuration,
                                  &kQueue,
                                  &kCold,
                                  &kRepeats,
                                  &kRefused,
                                  &kRateLimited,
                                  &kFunctionCpu,
                                  &kStarts,
                                  &kStartDuration,
                                  &kExits,
                                  &kPods,
                                  &kPodsLimit,
                                  &kWaiting,
                                  &kRunning,
                                  &kMemory,
                                  &kBreakerState,
                                  &kBreakerOpened,
                                  &kBreakerRefused,
                                  &kDeliveries,
                                  &kDeadLetters,
                                  &kTriggerWaiting};

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
    case Type::kInfo:
      return "info";
  }
  return "unknown";
}

std::string sample_name(const Family& family) {
  std::string name(family.name);
  if (family.type == Type::kCounter) name += "_total";
  if (family.type == Type::kInfo) name += "_info";
  return name;
}

std::span<const Family* const> all_families() {
  return kAll;
}

std::string families_markdown() {
  std::string out = "| metric | type | labels | |\n|---|---|---|---|\n";
  for (const Family* family : kAll) {
    out += "| `" + sample_name(*family) + "` | " + std::string(to_string(family->type)) + " | " +
           std::string(family->labels) + " | " + std::string(family->help) + " |\n";
  }
  return out;
}

}  // namespace subito::metrics
