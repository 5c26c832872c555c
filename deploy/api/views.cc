#include "deploy/api/views.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "deploy/api/json_text.h"
#include "deploy/api/time_text.h"
#include "deploy/manifest/manifest.h"
#include "deploy/manifest/qualified_name.h"
#include "runtime/http/problem.h"

namespace subito::api {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kFieldsDepthMax = 32;

template <typename View, typename... Args>
Json items(const std::vector<View>& views, Json (*one)(const View&, Args...), Args... args) {
  Json list = Json::array();
  for (const View& view : views) list.push_back(one(view, args...));
  return list;
}

Json event_json(const Event& event) {
  return {{"time", time_text(event.unix_ns)},
          {"function", event.function},
          {"pod", event.pod},
          {"reason", event.reason},
          {"message", event.message}};
}

Json scaling_json(const ScalingFacts& facts) {
  Json json = {{"decision", facts.decision},
               {"waiting", facts.waiting},
               {"expectedWaitMicros", facts.expected_wait_us},
               {"podsWanted", facts.pods_wanted},
               {"serviceMicros", facts.service_us},
               {"cpuMicros", facts.cpu_us},
               {"startMicros", facts.start_us}};
  if (facts.keep_us >= 0) json["keepMicros"] = facts.keep_us;
  if (facts.decided_unix_ns != 0) json["decidedAt"] = time_text(facts.decided_unix_ns);
  return json;
}

Json breaker_json(const BreakerView& view) {
  Json json = {{"call", view.call},        {"state", to_string(view.state)},
               {"calls", view.calls},      {"failures", view.failures},
               {"onTrial", view.on_trial}, {"nextTryMicros", view.next_try_us}};
  if (view.since_unix_ns != 0) json["since"] = time_text(view.since_unix_ns);
  if (view.last_failed_unix_ns == 0) return json;
  json["lastFailure"] = view.last_failure;
  json["lastFailedAt"] = time_text(view.last_failed_unix_ns);
  return json;
}

Json rate_limit_json(const RateLimitView& view) {
  return {{"limit", view.limit}, {"words", view.words}, {"refused", view.refused}};
}

Json trigger_json(const TriggerView& view) {
  Json json = {
      {"name", view.name},           {"kind", view.kind},     {"what", view.what},
      {"path", view.path},           {"state", view.state},   {"polls", view.polls},
      {"delivered", view.delivered}, {"failed", view.failed}, {"deadLetters", view.dead_letters}};
  if (view.waiting) json["waiting"] = *view.waiting;
  if (view.next_unix_ns != 0) json["next"] = time_text(view.next_unix_ns);
  if (!view.last_failure.empty()) json["lastFailure"] = view.last_failure;
  return json;
}

Json dead_letter_json(const DeadLetterView& view) {
  return {{"id", view.id},
          {"trigger", view.trigger},
          {"time", time_text(view.unix_ns)},
          {"eventId", view.event_id},
          {"type", view.type},
          {"why", view.why},
          {"deliveries", view.deliveries}};
}

Json exception_json(const ExceptionView& view) {
  Json json = {{"function", view.function},
               {"type", view.type},
               {"place", view.place},
               {"count", view.count},
               {"firstSeen", time_text(view.first_unix_ns)},
               {"lastSeen", time_text(view.last_unix_ns)},
               {"message", view.message},
               {"revision", view.revision},
               {"pod", view.pod},
               {"frames", view.frames}};
  if (!view.request_id.empty()) json["requestId"] = view.request_id;
  if (!view.trace_id.empty()) json["traceId"] = view.trace_id;
  return json;
}

Json logs_json(const LogFacts& facts) {
  Json json = {{"lost", facts.lost}, {"unwritten", facts.unwritten}};
  if (!facts.fault.empty()) json["fault"] = facts.fault;
  return json;
}

Json function_json(const FunctionView& view, bool with_events) {
  const auto& metadata = view.manifest.metadata();
  Json json = {{"name", manifest::qualified_name(metadata)},
               {"namespace", metadata.namespace_()},
               {"revision", view.revision},
               {"state", to_string(view.state)},
               {"stateWords", view.state_words},
               {"url", view.url},
               {"pods",
                {{"starting", view.pods_starting},
                 {"idle", view.pods_idle},
                 {"busy", view.pods_busy},
                 {"draining", view.pods_draining}}},
               {"waiting", view.waiting},
               {"requestsServed", view.requests_served},
               {"requestsFailed", view.requests_failed},
               {"logs", logs_json(view.logs)},
               {"exceptions", {{"count", view.exceptions}, {"groups", view.exception_groups}}},
               {"scaling", scaling_json(view.scaling)},
               {"breakers", items(view.breakers, breaker_json)},
               {"rateLimits", items(view.rate_limits, rate_limit_json)},
               {"triggers", items(view.triggers, trigger_json)},
               {"artefact", view.artefact},
               {"createdAt", time_text(view.created_unix_ns)},
               {"deployedAt", time_text(view.deployed_unix_ns)},
               {"scaled", view.scaled},
               {"manifest", Json::parse(manifest::to_json(view.manifest))}};
  if (view.kept_template) {
    json["template"] = {{"ready", view.kept_template->ready},
                        {"memoryBytes", view.kept_template->memory_bytes},
                        {"words", view.kept_template->words}};
  }
  if (with_events) json["events"] = items(view.events, event_json);
  return json;
}

Json revision_json(const RevisionView& view) {
  return {{"function", view.function},
          {"number", view.number},
          {"current", view.current},
          {"artefact", view.artefact},
          {"createdAt", time_text(view.created_unix_ns)},
          {"trafficPercent", view.traffic_percent},
          {"message", view.message}};
}

Json namespace_json(const NamespaceView& view) {
  const manifest::Namespace& it = view.name_space;
  Json json = {
      {"name", it.name},
      {"functions", view.functions},
      {"configs", view.objects.configs},
      {"secrets", view.objects.secrets},
      {"hosts", it.hosts},
      {"pods", {{"used", view.pods}, {"limit", it.quota.pods}}},
      {"memoryBytes", {{"used", view.memory_bytes}, {"limit", it.quota.memory_bytes}}},
      {"cpuMillicores", {{"used", view.cpu_millicores}, {"limit", it.quota.cpu_millicores}}},
      {"requestsPerSecond", it.quota.requests_per_s}};
  if (it.created_unix_ns != 0) json["createdAt"] = time_text(it.created_unix_ns);
  return json;
}

Json serving_json(const ServingView& view) {
  return {{"revision", view.revision},
          {"percent", view.percent},
          {"pods", view.pods},
          {"ready", view.ready}};
}

Json pod_json(const PodView& pod) {
  return {{"name", pod.name},
          {"function", pod.function},
          {"namespace", manifest::split_qualified(pod.function).name_space},
          {"revision", pod.revision},
          {"state", to_string(pod.state)},
          {"startMode", to_string(pod.start_mode)},
          {"startMicros", pod.start_us},
          {"startedAt", time_text(pod.started_unix_ns)},
          {"requestsServed", pod.requests_served},
          {"inFlight", pod.in_flight},
          {"memoryBytes", pod.memory_bytes},
          {"hostPid", pod.host_pid}};
}

Json ready_json(const ReadyPool& ready) {
  return {{"sandboxes", ready.sandboxes},
          {"bytes", ready.bytes},
          {"templates", ready.templates},
          {"templateBytes", ready.template_bytes}};
}

// How deep the brackets of a JSON text go. A pod wrote it: readers must not recurse without bound.
int depth_of(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest;
}

Json log_json(const LogRecord& record) {
  Json json = {{"time", time_text(record.unix_ns)},
               {"function", record.function},
               {"pod", record.pod},
               {"level", to_string(record.level)},
               {"stream", to_string(record.stream)},
               {"message", record.message}};
  if (record.revision != 0) json["revision"] = record.revision;
  if (!record.request_id.empty()) json["requestId"] = record.request_id;
  if (!record.trace_id.empty()) json["traceId"] = record.trace_id;
  if (record.fields_json.empty()) return json;
  Json fields;
  if (depth_of(record.fields_json) <= kFieldsDepthMax)
    fields = Json::parse(record.fields_json, nullptr, false);
  if (!fields.is_object()) fields = {{"unparsed", record.fields_json}};
  json["fields"] = std::move(fields);
  return json;
}

}  // namespace

std::string to_json(const FunctionView& view, bool with_events) {
  return json_text(function_json(view, with_events));
}

std::string to_json(const std::vector<FunctionView>& views) {
  return json_text({{"items", items(views, function_json, false)}});
}

std::string to_json(const std::vector<RevisionView>& views) {
  return json_text({{"items", items(views, revision_json)}});
}

std::string to_json(const RevisionView& view) {
  Json json = revision_json(view);
  json["manifest"] = Json::parse(manifest::to_json(view.manifest));
  return json_text(json);
}

std::string to_json(const RolloutView& view) {
  Json json = {{"function", view.function}, {"state", to_string(view.state)},
               {"words", view.words},       {"strategy", view.strategy},
               {"revision", view.revision}, {"serving", items(view.serving, serving_json)}};
  if (view.target != 0) json["target"] = view.target;
  if (view.previous != 0) json["previous"] = view.previous;
  if (view.changed_unix_ns != 0) json["changedAt"] = time_text(view.changed_unix_ns);
  return json_text(json);
}

std::string to_json(const std::vector<DeadLetterView>& letters) {
  return json_text({{"items", items(letters, dead_letter_json)}});
}

std::string to_json(const std::vector<ExceptionView>& exceptions) {
  return json_text({{"items", items(exceptions, exception_json)}});
}

std::string to_json(const std::vector<PodView>& pods, const ReadyPool& ready) {
  return json_text({{"items", items(pods, pod_json)}, {"ready", ready_json(ready)}});
}

std::string watch_line(const std::vector<PodView>& pods, const ReadyPool& ready) {
  return json_text(
      {{"type", "pods"}, {"items", items(pods, pod_json)}, {"ready", ready_json(ready)}});
}

std::string watch_line(const Event& event) {
  Json json = {{"type", "event"}};
  json.update(event_json(event));
  return json_text(json);
}

std::string to_json(const RequestRecord& record, std::uint64_t missed) {
  return json_text({{"time", time_text(record.unix_ns)},
                    {"function", record.function},
                    {"revision", record.revision},
                    {"pod", record.pod},
                    {"requestId", record.request_id},
                    {"method", record.method},
                    {"path", record.path},
                    {"status", record.status},
                    {"start", record.start},
                    {"queueMicros", record.queue_us},
                    {"startMicros", record.start_us},
                    {"handlerMicros", record.handler_us},
                    {"missed", missed}});
}

std::string to_json(const LogRecord& record) {
  return json_text(log_json(record));
}

std::string to_json(const NamespaceView& view) {
  return json_text(namespace_json(view));
}

std::string contents_words(const NamespaceView& view) {
  const std::pair<std::uint32_t, const char*> kinds[] = {{view.functions, "function"},
                                                         {view.objects.configs, "config"},
                                                         {view.objects.secrets, "secret"}};
  std::vector<std::string> parts;
  std::uint32_t total = 0;
  for (const auto& [count, noun] : kinds) {
    total += count;
    if (count > 0) parts.push_back(std::to_string(count) + " " + noun + (count == 1 ? "" : "s"));
  }
  std::string words;
  for (std::size_t i = 0; i < parts.size(); ++i)
    words += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return words.empty() ? words : words + (total == 1 ? " is" : " are");
}

std::string to_json(const std::vector<NamespaceView>& views) {
  return json_text({{"items", items(views, namespace_json)}});
}

std::string to_json(const NodeInfo& info) {
  return json_text({{"version", info.version},
                    {"gatewayUrl", info.gateway_url},
                    {"dataFolder", info.data_folder},
                    {"startedAt", time_text(info.started_unix_ns)},
                    {"pid", info.pid}});
}

std::string to_json(const DeployReceipt& receipt) {
  Json json = {{"name", receipt.name},       {"revision", receipt.revision},
               {"url", receipt.url},         {"unchanged", receipt.unchanged},
               {"checked", receipt.checked}, {"rolling", receipt.rolling},
               {"aside", receipt.aside}};
  if (receipt.checked) {
    json["startMode"] = to_string(receipt.start_mode);
    json["startMicros"] = receipt.start_us;
  }
  return json_text(json);
}

std::string to_json(const Problem& problem) {
  return http::problem_json(problem.status, problem.type, problem.detail);
}

std::string to_json(const DeployFailure& failure) {
  Json json = Json::parse(to_json(problem_of(failure)));
  json["lastLogs"] = items(failure.last_logs, log_json);
  json["currentRevision"] = failure.current_revision;
  return json_text(json);
}

Problem problem_of(const Error& error) {
  // The node's own files and system calls: no fault of whoever asked.
  const bool own = error.os_errno != 0 && error.code != ErrorCode::kResourceExhausted;
  if (own) return {500, "internal-error", error.message};
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return {400, "invalid-argument", error.message};
    case ErrorCode::kNotFound:
      return {404, "not-found", error.message};
    case ErrorCode::kAlreadyExists:
      return {409, "already-exists", error.message};
    case ErrorCode::kPermissionDenied:
      return {403, "permission-denied", error.message};
    case ErrorCode::kFailedPrecondition:
      return {409, "failed-precondition", error.message};
    case ErrorCode::kResourceExhausted:
      if (error.os_errno != 0) return {507, "insufficient-storage", error.message};
      return {429, "resource-exhausted", error.message};
    case ErrorCode::kCancelled:
    case ErrorCode::kUnavailable:
      return {503, "unavailable", error.message};
    case ErrorCode::kDeadlineExceeded:
      return {504, "deadline-exceeded", error.message};
    case ErrorCode::kProtocol:
      return {502, "protocol-error", error.message};
    case ErrorCode::kInternal:
      break;
  }
  return {500, "internal-error", error.message};
}

// Whatever kept the pod from coming up, it is the deploy that cannot be processed; only what has to
// do with another deploy is a conflict, and a full disk is nobody's manifest's fault.
Problem problem_of(const DeployFailure& failure) {
  if (failure.error.code == ErrorCode::kFailedPrecondition || failure.error.os_errno == ENOSPC) {
    return problem_of(failure.error);
  }
  // Refused for what the manifest says: nothing was started.
  const bool by_manifest = failure.error.code == ErrorCode::kInvalidArgument ||
                           failure.error.code == ErrorCode::kAlreadyExists;
  if (by_manifest && failure.error.os_errno == 0)
    return {422, "manifest-invalid", failure.error.message};
  return {422, "deploy-failed", failure.error.message};
}

std::string_view to_string(PodState state) {
  switch (state) {
    case PodState::kStarting:
      return "starting";
    case PodState::kIdle:
      return "idle";
    case PodState::kBusy:
      return "busy";
    case PodState::kDraining:
      return "draining";
    case PodState::kStopped:
      return "stopped";
  }
  return "unknown";
}

std::string_view to_string(FunctionState state) {
  switch (state) {
    case FunctionState::kAsleep:
      return "asleep";
    case FunctionState::kStarting:
      return "starting";
    case FunctionState::kReady:
      return "ready";
    case FunctionState::kFailing:
      return "failing";
  }
  return "unknown";
}

std::string_view to_string(RolloutState state) {
  switch (state) {
    case RolloutState::kComplete:
      return "complete";
    case RolloutState::kProgressing:
      return "progressing";
    case RolloutState::kPaused:
      return "paused";
    case RolloutState::kFailed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half-open";
  }
  return "unknown";
}

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

std::string_view to_string(LogStream stream) {
  switch (stream) {
    case LogStream::kSdk:
      return "sdk";
    case LogStream::kStdout:
      return "stdout";
    case LogStream::kSystem:
      return "system";
  }
  return "unknown";
}

std::string to_string(manifest::StartMode mode) {
  std::string name = manifest::StartMode_Name(mode);
  for (char& c : name) c = static_cast<char>(c - 'A' + 'a');
  return name;
}

}  // namespace subito::api
