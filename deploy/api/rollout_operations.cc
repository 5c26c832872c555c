// What the operations on rollouts, traffic and revisions do.
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "deploy/api/api_handler.h"
#include "deploy/api/request_body.h"

namespace subito::api {

namespace {

constexpr std::size_t kTrafficSharesMax = 10;

Result<std::uint64_t> number_of(const Parameters& path) {
  const std::string& text = path.at("number");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0) return number;
  return fail(ErrorCode::kInvalidArgument, "read path: a revision is a number from 1 on");
}

// A whole number that is at least 1; absent: 0.
Result<std::uint64_t> count_in(const nlohmann::ordered_json& json, const char* key) {
  if (!json.contains(key)) return std::uint64_t{0};
  const auto& value = json[key];
  if (value.is_number_integer() && value.get<std::int64_t>() >= 1)
    return static_cast<std::uint64_t>(value.get<std::int64_t>());
  return fail(ErrorCode::kInvalidArgument,
              std::string("read body: ") + key + " must be a whole number from 1 on");
}

// {"traffic": [{"revision": 3, "percent": 90}, {"revision": 4, "percent": 10}]}
Result<std::vector<TrafficShare>> parse_traffic(const std::string& body) {
  ASSIGN_OR_RETURN(const auto json, parse_object(body, {"traffic"}));
  const auto wrong = [](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "read body: " + what);
  };
  const auto list = json.find("traffic");
  if (list == json.end() || !list->is_array() || list->empty() || list->size() > kTrafficSharesMax)
    return wrong("traffic must be a list of 1 to " + std::to_string(kTrafficSharesMax) +
                 " revisions");
  std::vector<TrafficShare> shares;
  std::set<std::uint64_t> seen;
  std::uint64_t sum = 0;
  for (const auto& item : *list) {
    ASSIGN_OR_RETURN(const auto one, parse_object(item.dump(), {"revision", "percent"}));
    ASSIGN_OR_RETURN(const std::uint64_t revision, count_in(one, "revision"));
    ASSIGN_OR_RETURN(const std::uint64_t percent, count_in(one, "percent"));
    if (revision == 0 || percent == 0 || percent > 100)
      return wrong("each of traffic needs a revision and 1 to 100 percent");
    if (!seen.insert(revision).second)
      return wrong("revision " + std::to_string(revision) + " is there twice");
    sum += percent;
    shares.push_back({revision, static_cast<std::uint32_t>(percent)});
  }
  if (sum != 100)
    return wrong("the percents of traffic are " + std::to_string(sum) +
                 " together, they must be 100");
  return shares;
}

}  // namespace

void ApiHandler::run_rollout(ExchangeId id, Exchange& exchange) {
  const Parameters& path = exchange.match.path;
  switch (exchange.match.route->operation) {
    case Operation::kGetRevision:
      return get_revision(id, exchange);
    case Operation::kGetRollout:
      return get_rollout(id, name_of(path));
    case Operation::kPauseRollout:
      if (auto paused = plane_.pause_rollout(name_of(path)); !paused)
        return answer(id, paused.error());
      return get_rollout(id, name_of(path));
    case Operation::kResumeRollout:
      if (auto resumed = plane_.resume_rollout(name_of(path)); !resumed)
        return answer(id, resumed.error());
      return get_rollout(id, name_of(path));
    case Operation::kUndoRollout:
      return undo_rollout(id, exchange);
    case Operation::kSetTraffic:
      return set_traffic(id, exchange);
    default:
      return run_namespaces(id, exchange);
  }
}

void ApiHandler::get_revision(ExchangeId id, const Exchange& exchange) {
  const auto number = number_of(exchange.match.path);
  if (!number) return answer(id, number.error());
  const auto revision = plane_.get_revision(name_of(exchange.match.path), *number);
  if (!revision) return answer(id, revision.error());
  answer(id, 200, to_json(*revision));
}

void ApiHandler::get_rollout(ExchangeId id, const std::string& name) {
  const auto rollout = plane_.rollout(name);
  if (!rollout) return answer(id, rollout.error());
  answer(id, 200, to_json(*rollout));
}

void ApiHandler::undo_rollout(ExchangeId id, Exchange& exchange) {
  const auto json = parse_object(exchange.body.empty() ? "{}" : exchange.body, {"toRevision"});
  if (!json) return answer(id, json.error());
  const auto number = count_in(*json, "toRevision");
  if (!number) return answer(id, number.error());
  transition(exchange, Exchange::State::kWaiting);
  plane_.undo_rollout(name_of(exchange.match.path), *number, [this, id](auto outcome) {
    // Nothing is wrong with what was sent: it is not there, or it cannot be now.
    if (!outcome && outcome.error().error.code == ErrorCode::kNotFound)
      return answer(id, outcome.error().error);
    deployed(id, outcome);
  });
}

void ApiHandler::set_traffic(ExchangeId id, const Exchange& exchange) {
  const std::string& name = name_of(exchange.match.path);
  const auto shares = parse_traffic(exchange.body);
  if (!shares) return answer(id, shares.error());
  if (auto set = plane_.set_traffic(name, *shares); !set) return answer(id, set.error());
  get_rollout(id, name);
}

}  // namespace subito::api
