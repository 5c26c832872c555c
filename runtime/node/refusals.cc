#include "runtime/node/refusals.h"

#include <utility>

#include "deploy/manifest/units.h"
#include "runtime/base/check.h"
#include "runtime/http/path.h"

namespace subito::node {
namespace {

using scheduler::RefuseReason;

std::string milliseconds_words(Duration duration) {
  return manifest::format_duration_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// "within spec.timeout 30s", or what the one who called allows.
std::string time_limit(const InvocationRecord& record) {
  const Duration allowed = record.deadline - record.arrived;
  if (record.revision == nullptr || allowed < record.revision->timeout)
    return "within the " + scheduler::words(allowed) + " that its caller allows";
  return "within spec.timeout " + milliseconds_words(record.revision->timeout);
}

std::string scaling_limit(const InvocationRecord& record, const char* field, std::int64_t value) {
  if (record.revision == nullptr) return "";
  return " (spec.scaling." + std::string(field) + " " + std::to_string(value) + ")";
}

const manifest::Scaling& scaling_of(const InvocationRecord& record) {
  return record.revision == nullptr ? manifest::Scaling::default_instance()
                                    : record.revision->manifest.spec().scaling();
}

std::string queue_timeout_words(const InvocationRecord& record) {
  const Duration waited =
      record.revision == nullptr ? Duration::zero() : record.revision->scaling.queue_timeout;
  return "no pod became free in " + milliseconds_words(waited) +
         ", and the function has as many as it can or may" +
         scaling_limit(record, "max", scaling_of(record).max()) + "; try again later";
}

std::string quota_words(const InvocationRecord& record) {
  const std::string name =
      record.revision == nullptr ? "NAME" : record.revision->manifest.metadata().namespace_();
  return "the quota of namespace " + name + " leaves no room for another pod (`subito namespace " +
         "describe " + name + "`); try again later";
}

struct RefusalText {
  const char* type;
  std::string detail;
};

RefusalText text_of(const InvocationRecord& record, RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kQueueFull:
      return {"queue-full",
              "as many requests wait for this function as may" +
                  scaling_limit(record, "queueLimit", scaling_of(record).queue_limit()) +
                  "; try again later"};
    case RefuseReason::kQueueTooLong:
      return {"queue-too-long",
              "those that wait for this function already take longer than the request may wait" +
                  scaling_limit(record, "max", scaling_of(record).max()) + "; try again later"};
    case RefuseReason::kInFlightLimit:
      return {"in-flight-limit",
              "as many requests of this function are under way as may be" +
                  scaling_limit(record, "inFlightMax", scaling_of(record).in_flight_max()) +
                  "; try again later"};
    case RefuseReason::kQueueTimeout:
      return {"queue-timeout", queue_timeout_words(record)};
    case RefuseReason::kDeadline:
      return {"deadline-exceeded", "no pod was free " + time_limit(record)};
    case RefuseReason::kCrashLoop:
      return {"crash-loop", "the function's pods end as soon as they start"};
    case RefuseReason::kFunctionGone:
      return {"function-not-found", "there is no such function"};
    case RefuseReason::kQuota:
      return {"quota", quota_words(record)};
    case RefuseReason::kNodeFull:
      return {"node-full", "the node has no room for another pod; try again later"};
    case RefuseReason::kPodDied:
      return {"pod-died", "the pod ended before it answered"};
    case RefuseReason::kStartFailed:
      return {"start-failed", "no pod of the function came up"};
    case RefuseReason::kNodeClosing:
      return {"node-closing", "the node is shutting down"};
  }
  CHECK(false);
}

Failure failure_of(int status, const char* type, std::string detail) {
  Failure failure;
  failure.status = status;
  failure.type = type;
  failure.detail = std::move(detail);
  return failure;
}

}  // namespace

Failure refusal_of(const InvocationRecord& record, RefuseReason reason) {
  RefusalText text = text_of(record, reason);
  return failure_of(scheduler::http_status(reason), text.type, std::move(text.detail));
}

Failure deadline_passed(const InvocationRecord& record) {
  return failure_of(504, "deadline-exceeded", "the function did not answer " + time_limit(record));
}

Failure body_too_large(const Revision& revision) {
  const auto bytes = static_cast<std::int64_t>(revision.body_bytes_max);
  return failure_of(413, "body-too-large",
                    "the body is larger than spec.bodyMax " + manifest::format_size_bytes(bytes));
}

std::optional<Failure> trigger_fault_of(const Invocation& request, const Revision& revision) {
  const bool outside = request.origin == Origin::kClient || request.origin == Origin::kFunction;
  if (!outside || revision.trigger_paths.empty()) return std::nullopt;
  const auto found = revision.trigger_paths.find(http::percent_decode_leniently(request.path));
  if (found == revision.trigger_paths.end()) return std::nullopt;
  return failure_of(403, "trigger-path",
                    "the path is of trigger " + found->second +
                        " alone; give what others may ask a path of its own, or deliver by hand "
                        "with `subito invoke`");
}

std::optional<Failure> fault_of(const InvocationRecord& record) {
  const Revision& revision = *record.revision;
  if (auto failure = trigger_fault_of(record.request, revision)) return failure;
  if (!revision.out_of_service.empty())
    return failure_of(503, "out-of-service",
                      "the function cannot run: " + revision.out_of_service + "; deploy it again");
  if (record.request.content_length.value_or(0) > revision.body_bytes_max)
    return body_too_large(revision);
  return std::nullopt;
}

}  // namespace subito::node
