// JSON as text of the API. What is not UTF-8 (a pod's words, a path) is replaced: dump() alone
// would throw. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace subito::api {

inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace subito::api
