// Operations of the API: is the node well, is a function. Readers of 200 and 503 are load
// balancers and people on call; both get the reasons.
#include <algorithm>

#include "deploy/api/api_handler.h"
#include "deploy/api/json_text.h"
#include "deploy/api/time_text.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::api {

bool is_ready(const std::vector<Condition>& conditions) {
  return std::all_of(conditions.begin(), conditions.end(), [](const Condition& condition) {
    return condition.ok || !condition.requests_need_it;
  });
}

std::string to_json(const std::vector<Condition>& conditions) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Condition& condition : conditions) {
    nlohmann::ordered_json item = {{"name", condition.name},
                                   {"ok", condition.ok},
                                   {"requestsNeedIt", condition.requests_need_it},
                                   {"since", time_text(condition.since_unix_ns)}};
    if (!condition.fault.empty()) item["fault"] = condition.fault;
    list.push_back(std::move(item));
  }
  return json_text({{"ready", is_ready(conditions)}, {"conditions", std::move(list)}});
}

FunctionHealth health_of(const FunctionView& view) {
  FunctionHealth health;
  health.name = manifest::qualified_name(view.manifest.metadata());
  health.live = !view.out_of_service;
  health.ready = view.state != FunctionState::kFailing;
  health.state = view.state_words;
  return health;
}

std::string to_json(const FunctionHealth& health) {
  return json_text({{"name", health.name},
                    {"live", health.live},
                    {"ready", health.ready},
                    {"state", health.state}});
}

void ApiHandler::ready(ExchangeId id) {
  const std::vector<Condition> conditions = plane_.conditions();
  answer(id, is_ready(conditions) ? 200 : 503, to_json(conditions));
}

void ApiHandler::function_health(ExchangeId id, const std::string& name) {
  const auto view = plane_.get_function(name);
  if (!view) return answer(id, view.error());
  const FunctionHealth health = health_of(*view);
  answer(id, health.ready ? 200 : 503, to_json(health));
}

}  // namespace subito::api
