// Operations of the API: is the node well, is a function. Readers of 200 and 503 are load
// balancers and people on call; both get the reasons.
#include "deploy/api/api_handler.h"

namespace subito::api {

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
