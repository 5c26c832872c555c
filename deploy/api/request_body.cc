#include "deploy/api/request_body.h"

#include <algorithm>
#include <charconv>

#include "deploy/api/time_text.h"
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

Result<std::size_t> tail_in(const Parameters& query, std::size_t most, std::size_t otherwise) {
  const auto it = query.find("tail");
  if (it == query.end()) return otherwise;
  std::size_t tail = 0;
  const char* end = it->second.data() + it->second.size();
  const auto [stop, error] = std::from_chars(it->second.data(), end, tail);
  if (error != std::errc() || stop != end || tail > most)
    return fail(ErrorCode::kInvalidArgument,
                "read query: tail must be 0 to " + std::to_string(most));
  return tail;
}

Result<std::int64_t> since_in(const Parameters& query, std::int64_t otherwise) {
  const auto it = query.find("since");
  if (it == query.end()) return otherwise;
  const auto since = parse_time(it->second);
  if (!since)
    return fail(ErrorCode::kInvalidArgument,
                "read query: since must be a time such as 2026-11-23T22:04:05Z");
  return *since;
}

const std::string& name_of(const Parameters& path) {
  const auto it = path.find("name");
  CHECK(it != path.end());
  return it->second;
}

}  // namespace subito::api
