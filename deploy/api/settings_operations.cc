// What the operations on config objects and secrets do. A secret's value comes as the body itself,
// not as JSON, so that no copy of it is made anywhere: it is gathered in locked memory.
#include <cstring>
#include <utility>

#include "deploy/api/api_handler.h"
#include "deploy/api/request_body.h"
#include "deploy/manifest/defaults.h"

namespace subito::api {

namespace {

using Json = nlohmann::ordered_json;

Result<std::string> namespace_in(const Parameters& query) {
  ASSIGN_OR_RETURN(const bool all, flag_in(query, "allNamespaces"));
  if (all) return std::string();
  const auto named = query.find("namespace");
  return named == query.end() ? std::string(manifest::kNamespace) : named->second;
}

// {"set": {"currency": "EUR"}, "unset": ["colour"]}
Result<ConfigChange> parse_change(const std::string& body) {
  ASSIGN_OR_RETURN(const Json json, parse_object(body, {"set", "unset"}));
  const Json set = json.value("set", Json::object()), unset = json.value("unset", Json::array());
  const auto wrong = [](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "read body: " + what);
  };
  if (!set.is_object()) return wrong("set must be an object of texts");
  if (!unset.is_array()) return wrong("unset must be a list of keys");
  if (set.empty() && unset.empty()) return wrong("needs set or unset");
  ConfigChange change;
  for (const auto& [key, value] : set.items()) {
    if (!value.is_string()) return wrong("set." + key + " must be text");
    change.set[key] = value.get<std::string>();
  }
  for (const Json& key : unset) {
    if (!key.is_string()) return wrong("unset must be a list of keys");
    change.unset.push_back(key.get<std::string>());
  }
  return change;
}

ObjectKind kind_of(Operation operation) {
  switch (operation) {
    case Operation::kListConfigs:
    case Operation::kGetConfig:
    case Operation::kDeleteConfig:
      return ObjectKind::kConfig;
    default:
      return ObjectKind::kSecret;
  }
}

}  // namespace

void ApiHandler::run_settings(ExchangeId id, Exchange& exchange) {
  const Operation operation = exchange.match.route->operation;
  switch (operation) {
    case Operation::kListConfigs:
    case Operation::kListSecrets:
      return list_objects(id, exchange, kind_of(operation));
    case Operation::kGetConfig:
    case Operation::kGetSecret:
      return get_object(id, exchange, kind_of(operation));
    case Operation::kChangeConfig:
      return change_config(id, exchange);
    case Operation::kSetSecret:
      return set_secret(id, exchange);
    case Operation::kDeleteConfig:
    case Operation::kDeleteSecret:
      return remove_object(id, exchange, kind_of(operation));
    case Operation::kDeleteSecretKey:
      if (auto removed = plane_.settings().remove_secret_key(name_of(exchange.match.path),
                                                             exchange.match.path.at("key"));
          !removed)
        return answer(id, removed.error());
      return send(id, {204, {}, {}}, "");
    case Operation::kRotateSecretKey: {
      const auto rotated = plane_.settings().rotate_key();
      if (!rotated) return answer(id, rotated.error());
      return answer(id, 200, Json{{"words", *rotated}}.dump());
    }
    default:
      return run_access(id, exchange);
  }
}

void ApiHandler::list_objects(ExchangeId id, const Exchange& exchange, ObjectKind kind) {
  const auto name_space = namespace_in(exchange.query);
  if (!name_space) return answer(id, name_space.error());
  const auto views = plane_.settings().list(kind, *name_space);
  if (!views) return answer(id, views.error());
  answer(id, 200, to_json(*views));
}

void ApiHandler::get_object(ExchangeId id, const Exchange& exchange, ObjectKind kind) {
  const auto view = plane_.settings().get(kind, name_of(exchange.match.path));
  if (!view) return answer(id, view.error());
  answer(id, 200, to_json(*view));
}

void ApiHandler::change_config(ExchangeId id, const Exchange& exchange) {
  const auto change = parse_change(exchange.body);
  if (!change) return answer(id, change.error());
  auto changed = plane_.settings().change_config(name_of(exchange.match.path), *change);
  if (!changed) return answer(id, changed.error());
  get_object(id, exchange, ObjectKind::kConfig);
}

bool ApiHandler::gather_secret(Exchange& exchange, std::string_view bytes) {
  if (exchange.secret.size() == 0) exchange.secret = LockedBytes(store::kObjectBytesMax);
  const bool fits = bytes.size() <= exchange.secret.size() - exchange.secret_bytes;
  if (fits) {
    std::memcpy(exchange.secret.data() + exchange.secret_bytes, bytes.data(), bytes.size());
    exchange.secret_bytes += bytes.size();
  }
  // It stands in a buffer of the server, which writes it over some time; that is now.
  wipe(const_cast<char*>(bytes.data()), bytes.size());
  return fits;
}

void ApiHandler::set_secret(ExchangeId id, Exchange& exchange) {
  const Parameters& path = exchange.match.path;
  const std::string_view value = exchange.secret.view().substr(0, exchange.secret_bytes);
  const Status set = plane_.settings().set_secret(name_of(path), path.at("key"), value);
  exchange.secret = LockedBytes();
  if (!set) return answer(id, set.error());
  get_object(id, exchange, ObjectKind::kSecret);
}

void ApiHandler::remove_object(ExchangeId id, const Exchange& exchange, ObjectKind kind) {
  const auto force = flag_in(exchange.query, "force");
  if (!force) return answer(id, force.error());
  const auto removed = plane_.settings().remove(kind, name_of(exchange.match.path), *force);
  if (!removed) return answer(id, removed.error());
  send(id, {204, {}, {}}, "");
}

}  // namespace subito::api
