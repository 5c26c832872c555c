#include "deploy/api/request_body.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace subito::api {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Result<nlohmann::ordered_json> parse_object(const std::string& text,
                                            const std::vector<std::string>& keys) {
  bool too_deep = false;
  const auto callback = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kJsonDepthMax;
    return !too_deep;
  };
  Json json = Json::parse(text, callback, false);
  if (too_deep)
    return fail(ErrorCode::kInvalidArgument,
                "read body: nested deeper than " + std::to_string(kJsonDepthMax) + " levels");
  if (!json.is_object())
    return fail(ErrorCode::kInvalidArgument, "read body: must be a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return fail(ErrorCode::kInvalidArgument, "read body: there is no field '" + key + "'");
  }
  return json;
}

Result<bool> flag_in(const Parameters& query, const char* name) {
  const auto it = query.find(name);
  if (it == query.end() || it->second == "false") return false;
  if (it->second == "true") return true;
  return fail(ErrorCode::kInvalidArgument,
              std::string("read query: ") + name + " must be true or false");
}

const std::string& name_of(const Parameters& path) {
  const auto it = path.find("name");
  CHECK(it != path.end());
  return it->second;
}

}  // namespace subito::api
