// What each operation of the API does.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "deploy/api/api_handler.h"
#include "deploy/api/request_body.h"
#include "deploy/api/time_text.h"
#include "deploy/manifest/defaults.h"
#include "deploy/manifest/elf_check.h"
#include "deploy/manifest/manifest.h"
#include "deploy/manifest/qualified_name.h"
#include "runtime/base/check.h"
#include "runtime/http/problem.h"

namespace subito::api {

namespace {

using Json = nlohmann::ordered_json;

struct DeployRequest {
  manifest::Function function;
  std::string artefact;
  DeployOptions options;
};

using DeployRequestOrProblem = tl::expected<DeployRequest, Problem>;

tl::unexpected<Problem> wrong(int status, std::string type, std::string detail) {
  return tl::unexpected<Problem>(Problem{status, std::move(type), std::move(detail)});
}

DeployRequestOrProblem parse_deploy(const std::string& body, const std::string& name) {
  const auto json = parse_object(body, {"manifest", "artefact", "check", "traffic", "message"});
  if (!json) return tl::unexpected<Problem>(problem_of(json.error()));
  const auto manifest = json->find("manifest"), artefact = json->find("artefact");
  if (manifest == json->end() || artefact == json->end() || !artefact->is_string())
    return wrong(400, "invalid-argument", "read body: needs manifest and artefact");
  const Json check = json->value("check", Json(true)), traffic = json->value("traffic", Json(true));
  if (!check.is_boolean() || !traffic.is_boolean())
    return wrong(400, "invalid-argument", "read body: check and traffic must be true or false");
  const Json message = json->value("message", Json(""));
  if (!message.is_string() || message.get_ref<const std::string&>().size() > kMessageBytesMax)
    return wrong(400, "invalid-argument",
                 "read body: message must be text of at most " + std::to_string(kMessageBytesMax) +
                     " bytes");
  auto function = manifest::from_json(manifest->dump());
  if (!function) return wrong(422, "manifest-invalid", function.error().message);
  if (const std::string own = manifest::qualified_name(function->metadata()); own != name)
    return wrong(
        422, "manifest-invalid",
        "metadata.name: with its namespace it is '" + own + "', the path says '" + name + "'");
  manifest::apply_defaults(*function);
  return DeployRequest{std::move(*function),
                       artefact->get<std::string>(),
                       {check.get<bool>(), traffic.get<bool>(), message.get<std::string>()}};
}

// A count of pods in a scale request; absent when it is not there.
Result<std::optional<std::int32_t>> count_of(const Json& json, const char* key, int lowest) {
  constexpr std::int64_t kHighest = 1000;
  if (!json.contains(key)) return std::optional<std::int32_t>();
  const Json& value = json[key];
  if (!value.is_number_integer() || value.get<std::int64_t>() < lowest ||
      value.get<std::int64_t>() > kHighest)
    return fail(ErrorCode::kInvalidArgument, std::string("read body: ") + key + " must be " +
                                                 std::to_string(lowest) + " to 1000");
  return std::optional<std::int32_t>(value.get<std::int32_t>());
}

// {"id": "history/1-0"}, or {"all": true} and perhaps {"trigger": "history"}.
Result<DeadLetterChoice> parse_choice(const std::string& body) {
  ASSIGN_OR_RETURN(const Json json, parse_object(body, {"id", "all", "trigger"}));
  const Json all = json.value("all", Json(false));
  const auto text = [&](const char* key) { return json.value(key, Json("")); };
  if (!all.is_boolean() || !text("id").is_string() || !text("trigger").is_string())
    return fail(ErrorCode::kInvalidArgument,
                "read body: id and trigger must be text, all true or false");
  DeadLetterChoice choice;
  choice.id = text("id").get<std::string>();
  choice.trigger = text("trigger").get<std::string>();
  if (choice.id.empty() != all.get<bool>())
    return fail(ErrorCode::kInvalidArgument, "read body: needs either id or all");
  return choice;
}

}  // namespace

void ApiHandler::run(ExchangeId id, Exchange& exchange) {
  const Parameters& path = exchange.match.path;
  switch (exchange.match.route->operation) {
    case Operation::kHealth:
      return answer(id, 200, R"({"status":"ok"})");
    case Operation::kReady:
      return ready(id);
    case Operation::kFunctionHealth:
      return function_health(id, name_of(path));
    case Operation::kVersion:
      return answer(id, 200, to_json(plane_.node_info()));
    case Operation::kListFunctions:
      return list_functions(id, exchange);
    case Operation::kGetFunction:
      return get_function(id, name_of(path));
    case Operation::kRemoveFunction:
      return remove_function(id, exchange);
    case Operation::kDeploy:
      return deploy(id, exchange);
    case Operation::kScale:
      return scale(id, exchange);
    case Operation::kListRevisions:
      return list_revisions(id, name_of(path));
    case Operation::kListPods:
      return list_pods(id, exchange);
    case Operation::kWatchEvents:
      return watch(id, exchange);
    case Operation::kFindArtefact:
      return find_artefact(id, exchange);
    case Operation::kPutArtefact:
      break;  // streams: begin_upload()
    default:
      return run_rollout(id, exchange);
  }
  CHECK(false);
}

void ApiHandler::run_what_was_said(ExchangeId id, Exchange& exchange) {
  switch (exchange.match.route->operation) {
    case Operation::kLogs:
    case Operation::kSelectedLogs:
      return logs(id, exchange);
    case Operation::kFollowRequests:
      return requests(id, exchange);
    case Operation::kListExceptions:
      return list_exceptions(id, exchange);
    case Operation::kListDeadLetters:
    case Operation::kReplayDeadLetters:
    case Operation::kDeleteDeadLetters:
      return run_dead_letters(id, exchange);
    default:
      return run_settings(id, exchange);
  }
}

void ApiHandler::run_dead_letters(ExchangeId id, Exchange& exchange) {
  const Operation operation = exchange.match.route->operation;
  if (operation == Operation::kListDeadLetters) return list_dead_letters(id, exchange);
  CHECK(operation == Operation::kReplayDeadLetters || operation == Operation::kDeleteDeadLetters);
  settle_dead_letters(id, exchange);
}

void ApiHandler::list_functions(ExchangeId id, const Exchange& exchange) {
  const auto selection = selected(exchange.query);
  if (!selection) return answer(id, selection.error());
  std::vector<FunctionView> views = plane_.list_functions();
  std::erase_if(views, [&](const FunctionView& view) {
    return !selection->contains(manifest::qualified_name(view.manifest.metadata()));
  });
  answer(id, 200, to_json(views));
}

void ApiHandler::get_function(ExchangeId id, const std::string& name) {
  const auto view = plane_.get_function(name);
  if (!view) return answer(id, view.error());
  answer(id, 200, to_json(*view, true));
}

void ApiHandler::list_revisions(ExchangeId id, const std::string& name) {
  const auto revisions = plane_.list_revisions(name);
  if (!revisions) return answer(id, revisions.error());
  answer(id, 200, to_json(*revisions));
}

void ApiHandler::remove_function(ExchangeId id, Exchange& exchange) {
  transition(exchange, Exchange::State::kWaiting);
  plane_.remove(name_of(exchange.match.path), [this, id](Status status) {
    if (!status) return answer(id, status.error());
    send(id, {204, {}, {}}, "");
  });
}

void ApiHandler::list_pods(ExchangeId id, const Exchange& exchange) {
  const auto selection = selected(exchange.query);
  if (!selection) return answer(id, selection.error());
  std::vector<PodView> pods = plane_.list_pods();
  std::erase_if(pods, [&](const PodView& pod) { return !selection->contains(pod.function); });
  answer(id, 200, to_json(pods, plane_.ready_pool()));
}

void ApiHandler::deploy(ExchangeId id, Exchange& exchange) {
  const std::string name = name_of(exchange.match.path);
  const auto request = parse_deploy(exchange.body, name);
  if (!request) return answer(id, request.error());
  const auto path = store_.artefact_path(request->artefact);
  if (!path) {
    const bool missing = path.error().code == ErrorCode::kNotFound;
    return answer(id, missing ? Problem{409, "artefact-missing", path.error().message}
                              : problem_of(path.error()));
  }
  if (auto facts = manifest::check_elf_file(*path, "binary of " + name); !facts)
    return answer(id, Problem{422, "binary-refused", facts.error().message});
  transition(exchange, Exchange::State::kWaiting);
  plane_.begin_deploy(request->function, request->artefact, request->options,
                      [this, id](auto outcome) { deployed(id, outcome); });
}

void ApiHandler::deployed(ExchangeId id, const DeployOutcome& outcome) {
  if (outcome) return answer(id, 200, to_json(*outcome));
  const DeployFailure& failure = outcome.error();
  if (Exchange* exchange = find(id)) exchange->problem = problem_of(failure).type;
  send(id,
       {problem_of(failure).status, {{"content-type", std::string(http::kProblemContentType)}}, {}},
       to_json(failure) + "\n");
}

void ApiHandler::scale(ExchangeId id, const Exchange& exchange) {
  const std::string& name = name_of(exchange.match.path);
  const auto json = parse_object(exchange.body, {"min", "max"});
  if (!json) return answer(id, json.error());
  const auto min = count_of(*json, "min", 0);
  if (!min) return answer(id, min.error());
  const auto max = count_of(*json, "max", 1);
  if (!max) return answer(id, max.error());
  if (!*min && !*max)
    return answer(id, Problem{400, "invalid-argument", "read body: needs min or max"});
  if (auto scaled = plane_.scale(name, *min, *max); !scaled) return answer(id, scaled.error());
  get_function(id, name);
}

void ApiHandler::list_dead_letters(ExchangeId id, Exchange& exchange) {
  const auto trigger = exchange.query.find("trigger");
  const std::string wanted = trigger == exchange.query.end() ? "" : trigger->second;
  transition(exchange, Exchange::State::kWaiting);
  plane_.list_dead_letters(name_of(exchange.match.path), wanted, [this, id](const auto& letters) {
    if (!letters) return answer(id, letters.error());
    answer(id, 200, to_json(*letters));
  });
}

void ApiHandler::settle_dead_letters(ExchangeId id, Exchange& exchange) {
  const auto choice = parse_choice(exchange.body);
  if (!choice) return answer(id, choice.error());
  DeadLetterChoice settled = *choice;
  settled.replay = exchange.match.route->operation == Operation::kReplayDeadLetters;
  transition(exchange, Exchange::State::kWaiting);
  plane_.settle_dead_letters(name_of(exchange.match.path), settled, [this, id](const auto& count) {
    if (!count) return answer(id, count.error());
    answer(id, 200, Json{{"count", *count}}.dump());
  });
}

// One that the disk has damaged is none: whoever asks sends it again, which mends it. To read it
// all takes a while, so another thread does. One at a time is looked at: beside it a stored one
// counts as whole, as who asks for many would keep the disk and the threads from others.
void ApiHandler::find_artefact(ExchangeId id, Exchange& exchange) {
  const std::string& hash = exchange.match.path.at("sha256");
  auto path = store_.artefact_path(hash);
  if (!path) return answer(id, path.error());
  if (!artefact_check_.expired()) return answer(id, 200, Json{{"sha256", hash}}.dump());
  transition(exchange, Exchange::State::kWaiting);
  const auto whole = std::make_shared<bool>(false);
  artefact_check_ = whole;
  exchange.sync = std::make_unique<Background>(
      loop_, [whole, path = *std::move(path), hash] { *whole = store::is_whole(path, hash); },
      [this, id, whole, hash] {
        if (*whole) return answer(id, 200, Json{{"sha256", hash}}.dump());
        answer(
            id,
            Error{ErrorCode::kNotFound,
                  "find artefact " + hash + ": what is stored of it is damaged; send it again", 0});
      });
}

void ApiHandler::begin_upload(ExchangeId id, Exchange& exchange) {
  if (!store::is_artefact_hash(exchange.match.path.at("sha256")))
    return answer(id, Problem{400, "invalid-argument",
                              "store artefact: its name must be its SHA-256 in lower-case hex"});
  auto writer = store_.begin_artefact();
  if (!writer) return answer(id, writer.error());
  exchange.upload.emplace(std::move(*writer));
  transition(exchange, Exchange::State::kUploading);
}

// The disk takes its time for a binary; requests are served meanwhile.
void ApiHandler::sync_upload(ExchangeId id, Exchange& exchange) {
  auto file = exchange.upload->duplicate();
  if (!file) return answer(id, file.error());
  transition(exchange, Exchange::State::kWaiting);
  struct Sync {
    UniqueFd file;
    Status status;
  };
  const auto sync = std::make_shared<Sync>(Sync{*std::move(file), {}});
  exchange.sync = std::make_unique<Background>(
      loop_,
      [sync] {
        if (::fsync(sync->file.get()) != 0) sync->status = errno_error("store artefact");
      },
      [this, id, sync] { finish_upload(id, sync->status); });
}

void ApiHandler::finish_upload(ExchangeId id, const Status& synced) {
  if (!synced) return answer(id, synced.error());
  Exchange& exchange = *find(id);  // it owns the sync that calls this
  exchange.upload->mark_synced();
  const auto hash = exchange.upload->finish(exchange.match.path.at("sha256"));
  if (!hash) return answer(id, hash.error());
  answer(id, 200, Json{{"sha256", *hash}}.dump());
}

void ApiHandler::watch(ExchangeId id, Exchange& exchange) {
  const auto selection = selected(exchange.query);
  if (!selection) return answer(id, selection.error());
  const auto one = exchange.query.find("function");
  const std::string function = one == exchange.query.end() ? "" : one->second;
  std::vector<PodView> pods = plane_.list_pods();
  std::erase_if(pods, [&](const PodView& pod) { return !selection->contains(pod.function); });
  if (!may_stream(id)) return;
  begin_stream(id, exchange, watch_line(pods, plane_.ready_pool()) + "\n", false);
  exchange.subscription =
      plane_.subscribe_events(function, [this, id, selection = *selection](const Event& event) {
        if (selection.contains(event.function)) send_line(id, watch_line(event));
      });
}

}  // namespace subito::api
