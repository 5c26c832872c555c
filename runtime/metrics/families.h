// Families: every metric that a node tells, once: what it is called, what its samples are, which
// labels they bear and what it means. The page at /metrics, the table of docs/observability.md and
// the names that `subito top` looks for are all made of these. Constants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace subito::metrics {

enum class Type : std::uint8_t { kCounter, kGauge, kHistogram, kInfo };
std::string_view to_string(Type type);  // "counter", ...

struct Family {
  std::string_view name;  // without the "_total" of a counter and the "_info" of an info
  Type type = Type::kGauge;
  std::string_view unit = {};    // then the name ends with it; empty: a number of things
  std::string_view labels = {};  // "function, code"; empty: one sample without
  std::string_view help = {};
};

// What a sample is called: the name with "_total" or "_info" where the type has one.
std::string sample_name(const Family& family);

std::span<const Family* const> all_families();

// For docs/observability.md.
std::string families_markdown();

namespace families {

using enum Type;

// The node.
inline constexpr Family kNode{"subito_node", kInfo, "", "version", "The program that tells this."};
inline constexpr Family kCpu{"process_cpu_seconds", kCounter, "seconds", "",
                             "CPU time of the node's process, pods and Redis not in it."};
inline constexpr Family kResident{"process_resident_memory_bytes", kGauge, "bytes", "",
                                  "Memory of the node's process in RAM."};
inline constexpr Family kCondition{
    "subito_node_condition", kGauge, "", "condition",
    "1 while what the node needs is well, 0 while it is not: disk, logs, audit, redis."};
inline constexpr Family kOpenFds{"process_open_fds", kGauge, "", "",
                                 "Descriptors that the node has open."};
inline constexpr Family kMaxFds{"process_max_fds", kGauge, "", "",
                                "Descriptors that it may have open."};
inline constexpr Family kStartTime{"process_start_time_seconds", kGauge, "seconds", "",
                                   "When the node began, in Unix time."};
inline constexpr Family kLoopCpu{
    "subito_loop_cpu_seconds", kCounter, "seconds", "",
    "CPU time of the loop's thread: its rate is how full the loop is."};
inline constexpr Family kLoopLag{"subito_loop_lag_seconds", kHistogram, "seconds", "",
                                 "How much later than it should a timer of the loop ran, looked at "
                                 "once a second, from the first "
                                 "reading of /metrics until nobody has read for 5 minutes."};
inline constexpr Family kHostCpus{"subito_host_cpus", kGauge, "", "", "Processors of the host."};
inline constexpr Family kHostCpu{"subito_host_cpu_seconds", kCounter, "seconds", "mode",
                                 "Time of the host's processors: busy, idle, stolen."};
inline constexpr Family kHostMemory{"subito_host_memory_bytes", kGauge, "bytes", "state",
                                    "Memory of the host: total, available."};
inline constexpr Family kHostPressure{
    "subito_host_pressure_seconds", kCounter, "seconds", "resource",
    "Time in which some process waited for the resource: cpu, memory, io. Absent where the kernel "
    "does not tell."};
inline constexpr Family kConnections{"subito_http_connections", kGauge, "", "listener",
                                     "Open connections: gateway, control."};
inline constexpr Family kGatewayLoopConnections{"subito_gateway_loop_connections", kGauge, "",
                                                "loop",
                                                "Open connections of clients, by loop; only where "
                                                "there are several (--loops), as the next two."};
inline constexpr Family kGatewayLoopRequests{"subito_gateway_loop_requests", kCounter, "", "loop",
                                             "Requests that clients made, by loop."};
inline constexpr Family kGatewayLoopCpu{
    "subito_gateway_loop_cpu_seconds", kCounter, "seconds", "loop",
    "CPU time of each loop's thread: its rate is how full the loop is. 0 is the node's."};
inline constexpr Family kRouteRequests{
    "subito_http_requests", kCounter, "", "route, code",
    "Requests that clients made, by route and class of the answer. /function/* is all that came by "
    "name, none what no route matched; code gone: the client left before the answer."};
inline constexpr Family kRouteDuration{"subito_http_request_duration_seconds", kHistogram,
                                       "seconds", "route",
                                       "From the head of a request to the head of its answer."};
inline constexpr Family kNodePods{"subito_node_pods", kGauge, "", "", "Pods of all functions."};
inline constexpr Family kNodePodsLimit{"subito_node_pods_limit", kGauge, "", "",
                                       "Most pods at once (`subito up --pods`)."};
inline constexpr Family kNodeWaiting{"subito_node_waiting", kGauge, "", "",
                                     "Invocations in the queues of all functions."};
inline constexpr Family kNodeWaitingLimit{"subito_node_waiting_limit", kGauge, "", "",
                                          "Most invocations in all queues."};
inline constexpr Family kNodeRunning{"subito_node_running", kGauge, "", "",
                                     "Invocations that pods have."};
inline constexpr Family kFunctions{"subito_node_functions", kGauge, "", "", "Functions deployed."};
inline constexpr Family kSandboxes{"subito_sandboxes_ready", kGauge, "", "",
                                   "Empty sandboxes that wait for a function."};
inline constexpr Family kSandboxesWanted{"subito_sandboxes_wanted", kGauge, "", "",
                                         "How many are to wait (`subito up --pool`)."};
inline constexpr Family kSandboxesMemory{"subito_sandboxes_memory_bytes", kGauge, "bytes", "",
                                         "Memory of the sandboxes that wait."};
inline constexpr Family kTemplates{"subito_templates", kGauge, "", "", "Templates that are kept."};
inline constexpr Family kTemplatesMemory{"subito_templates_memory_bytes", kGauge, "bytes", "",
                                         "Memory of the templates."};
inline constexpr Family kRedisUp{
    "subito_redis_up", kGauge, "", "",
    "1: the private Redis is ready. Absent with a Redis of one's own."};
inline constexpr Family kRedisRestarts{"subito_redis_restarts", kCounter, "", "",
                                       "Starts of the private Redis after it had died."};
inline constexpr Family kCertificateEnd{
    "subito_certificate_end_time_seconds", kGauge, "seconds", "",
    "When the certificate that new connections get runs out, Unix time. Absent without TLS."};
inline constexpr Family kAccessRefused{
    "subito_access_refused", kCounter, "", "",
    "Requests that were refused for want of a token, or of what it may do."};
inline constexpr Family kAuditLost{
    "subito_audit_lost", kCounter, "", "",
    "Lines of the audit log that could not be written. While none can be, changes are refused."};
inline constexpr Family kDecisions{
    "subito_scheduler_decisions", kCounter, "", "decision, reason",
    "Starts, drains and stops of pods that the policy or the scheduler decided, by reason."};
inline constexpr Family kTraceSpans{
    "subito_trace_spans", kCounter, "", "outcome",
    "Spans of sampled requests: exported, dropped (the queue was full), rejected, failed."};
inline constexpr Family kTraceSpansQueued{"subito_trace_spans_queued", kGauge, "", "",
                                          "Spans that wait to be sent."};
inline constexpr Family kOverflow{
    "subito_metrics_overflowed", kGauge, "", "label",
    "Functions, routes, breakers and triggers beyond the limit of series: they share the series "
    "_other."};

// Functions. What a function never did has no sample: a mode it never started in, a reason that
// never was.
inline constexpr Family kRevision{"subito_function_revision", kGauge, "", "function",
                                  "The current revision: it changes with each deploy."};
inline constexpr Family kInService{"subito_function_in_service", kGauge, "", "function",
                                   "0: no pod of it can be started, its artefact is gone."};
inline constexpr Family kBackingOff{"subito_function_backing_off", kGauge, "", "function",
                                    "1: its pods do not stay up, the next start waits."};
inline constexpr Family kInvocations{
    "subito_function_invocations", kCounter, "", "function, origin",
    "Invocations that ended, by who made them: client, function, trigger, operator."};
inline constexpr Family kRequests{"subito_function_requests", kCounter, "", "function, code",
                                  "Invocations that ended, by class of the answer, the node's own "
                                  "too; code gone: the caller left "
                                  "before the end."};
inline constexpr Family kDuration{"subito_function_request_duration_seconds", kHistogram, "seconds",
                                  "function",
                                  "From an invocation's arrival to the end of its answer."};
inline constexpr Family kQueue{"subito_function_queue_seconds", kHistogram, "seconds", "function",
                               "What invocations waited for a place in a pod."};
inline constexpr Family kCold{"subito_function_cold_requests", kCounter, "", "function",
                              "Invocations that waited for the start of a pod."};
inline constexpr Family kRepeats{"subito_function_repeats", kCounter, "", "function",
                                 "Invocations given to another pod after one died with them."};
inline constexpr Family kRefused{"subito_function_refused", kCounter, "", "function, reason",
                                 "Invocations that the scheduler refused, by reason."};
inline constexpr Family kRateLimited{"subito_function_rate_limited", kCounter, "",
                                     "function, limit",
                                     "Invocations refused because of a rate limit, by limit."};
inline constexpr Family kFunctionCpu{
    "subito_function_cpu_seconds", kCounter, "seconds", "function",
    "CPU time of handlers, as their pods tell it: of calls after one that took 250 µs or longer."};
inline constexpr Family kStarts{
    "subito_function_starts", kCounter, "", "function, mode, reason",
    "Pods started, by mode (pooled, fresh, template, process) and reason (waiting, minimum, "
    "planned)."};
inline constexpr Family kStartDuration{"subito_function_start_duration_seconds", kHistogram,
                                       "seconds", "function, mode",
                                       "From the decision to start a pod to its first word."};
inline constexpr Family kExits{
    "subito_function_pod_exits", kCounter, "", "function, reason",
    "Pods that ended: drained, crashed, start_failed, killed, out_of_memory. All but drained and "
    "killed are what others call restarts."};
inline constexpr Family kPods{"subito_function_pods", kGauge, "", "function, state",
                              "Pods by state: starting, idle, busy, draining, stopping."};
inline constexpr Family kPodsLimit{"subito_function_pods_limit", kGauge, "", "function",
                                   "Most pods of it at once."};
inline constexpr Family kWaiting{"subito_function_waiting", kGauge, "", "function",
                                 "Invocations in its queue."};
inline constexpr Family kRunning{"subito_function_running", kGauge, "", "function",
                                 "Invocations that its pods have."};
inline constexpr Family kMemory{"subito_function_memory_bytes", kGauge, "bytes", "function",
                                "Memory of its pods, kernel memory in it."};
inline constexpr Family kBreakerState{
    "subito_breaker_state", kGauge, "", "function, called, state",
    "Circuit breakers of calls: 1 for the state it is in: closed, open, half_open."};
inline constexpr Family kBreakerOpened{"subito_breaker_opened", kCounter, "", "function, called",
                                       "How often it opened."};
inline constexpr Family kBreakerRefused{"subito_breaker_refused", kCounter, "", "function, called",
                                        "Calls that were not made because it was open."};
inline constexpr Family kDeliveries{"subito_trigger_deliveries", kCounter, "",
                                    "function, trigger, outcome",
                                    "Deliveries of triggers: delivered, failed."};
inline constexpr Family kDeadLetters{"subito_trigger_dead_letters", kCounter, "",
                                     "function, trigger", "Deliveries that were given up."};
inline constexpr Family kTriggerWaiting{
    "subito_trigger_waiting", kGauge, "", "function, trigger",
    "Entries or due members not yet taken, at the last look. Absent where it is not known."};

}  // namespace families
}  // namespace subito::metrics
