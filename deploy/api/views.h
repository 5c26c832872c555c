// Views of the control plane as the JSON of the API, held to openapi.yaml by a test. Pure.
#pragma once

#include <string>
#include <vector>

#include "deploy/api/control_plane.h"

namespace subito::api {

// Each is one JSON value in one line, without a new line at its end. Texts that are not UTF-8 (what
// a pod wrote) have U+FFFD where they are not.
std::string to_json(const FunctionView& view, bool with_events);
std::string to_json(const std::vector<FunctionView>& views);  // {"items": [...]}
std::string to_json(const std::vector<RevisionView>& views);
std::string to_json(const RevisionView& view);  // with its manifest
std::string to_json(const RolloutView& view);
std::string to_json(const std::vector<PodView>& pods, const ReadyPool& ready);
// The first line of a watch: the pods as they are, {"type": "pods", "items": ..., "ready": ...}.
std::string watch_line(const std::vector<PodView>& pods, const ReadyPool& ready);
// A further one: {"type": "event", ...}.
std::string watch_line(const Event& event);
std::string to_json(const LogRecord& record);
// `missed`: so many requests before it were not told.
std::string to_json(const RequestRecord& record, std::uint64_t missed);
std::string to_json(const std::vector<DeadLetterView>& letters);
std::string to_json(const std::vector<ExceptionView>& exceptions);
std::string to_json(const NamespaceView& view);
// "2 functions, 1 config and 3 secrets are"; empty: nothing is in it.
std::string contents_words(const NamespaceView& view);
std::string to_json(const std::vector<NamespaceView>& views);
std::string to_json(const NodeInfo& info);
std::string to_json(const ObjectView& view);
std::string to_json(const std::vector<ObjectView>& views);

// True when no condition that requests need is bad.
bool is_ready(const std::vector<Condition>& conditions);
std::string to_json(const std::vector<Condition>& conditions);  // {"ready": ..., "conditions": ...}

// Of a function: live when a pod of it could be started at all, ready when calls are served. One
// that sleeps is both.
struct FunctionHealth {
  std::string name;
  bool live = true;
  bool ready = true;
  std::string state;  // in words
};
FunctionHealth health_of(const FunctionView& view);
std::string to_json(const FunctionHealth& health);

std::string to_json(const DeployReceipt& receipt);

struct Problem {
  int status = 500;
  // The last part of its `type`, stable for programs: "not-found", "manifest-invalid".
  std::string type;
  std::string detail;  // for people; may have several lines
};
std::string to_json(const Problem& problem);
// With what a person needs to see why: the last log lines, and the revision that stays.
std::string to_json(const DeployFailure& failure);
// Status and type by the error's code; its message is the detail.
Problem problem_of(const Error& error);
Problem problem_of(const DeployFailure& failure);

std::string_view to_string(PodState state);
std::string_view to_string(FunctionState state);
std::string_view to_string(RolloutState state);
std::string_view to_string(BreakerState state);
std::string_view to_string(LogLevel level);
std::string_view to_string(LogStream stream);
std::string to_string(manifest::StartMode mode);

}  // namespace subito::api
