#include "deploy/api/schema_check.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace subito::api {

namespace {

using Json = nlohmann::json;

Json to_json(const YAML::Node& node) {
  if (node.IsMap()) {
    Json out = Json::object();
    for (const auto& pair : node) out[pair.first.as<std::string>()] = to_json(pair.second);
    return out;
  }
  if (node.IsSequence()) {
    Json out = Json::array();
    for (const auto& item : node) out.push_back(to_json(item));
    return out;
  }
  if (node.IsNull()) return nullptr;
  if (node.Tag() == "!") return node.as<std::string>();
  const Json plain = Json::parse(node.as<std::string>(), nullptr, false);
  return plain.is_boolean() || plain.is_number() ? plain : Json(node.as<std::string>());
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  return false;
}

// Values that a property of that schema must not have. Objects have a judge of their own.
std::vector<Json> forbidden_values(const Json& schema) {
  std::vector<Json> values;
  for (const Json& value : {Json(true), Json("1"), Json(1.5), Json::array(), Json(nullptr)}) {
    if (schema.at("type") != "object" && !has_type(value, schema.at("type")))
      values.push_back(value);
  }
  if (schema.contains("minimum")) values.push_back(schema.at("minimum").get<int>() - 1);
  if (schema.contains("maximum")) values.push_back(schema.at("maximum").get<int>() + 1);
  return values;
}

}  // namespace

OpenApi::OpenApi(const std::string& path) : root_(to_json(YAML::LoadFile(path))) {}

std::vector<std::string> OpenApi::operations() const {
  std::vector<std::string> found;
  for (const auto& [path, item] : root_.at("paths").items()) {
    for (const auto& [key, operation] : item.items()) {
      std::string method = key;
      for (char& c : method) c = static_cast<char>(std::toupper(c));
      if (key != "parameters") found.push_back(method + " " + path);
    }
  }
  return found;
}

std::vector<std::string> OpenApi::query_of(const std::string& path,
                                           const std::string& method) const {
  std::vector<std::string> names;
  const Json& operation = root_.at("paths").at(path).at(lower(method));
  for (const Json& parameter : operation.value("parameters", Json::array())) {
    if (resolve(parameter).at("in") == "query") names.push_back(resolve(parameter).at("name"));
  }
  return names;
}

std::string OpenApi::extension(const std::string& path, const std::string& method,
                               const std::string& key) const {
  return root_.at("paths").at(path).at(lower(method)).value(key, "");
}

std::vector<Json> OpenApi::forbidden_bodies(const std::string& path, const std::string& method,
                                            const Json& good) const {
  const Json& body = root_.at("paths").at(path).at(lower(method)).at("requestBody");
  const Json& schema = resolve(body.at("content").at("application/json").at("schema"));
  std::vector<Json> bodies;
  const auto add = [&](const std::string& name, const Json& value) {
    bodies.push_back(good);
    bodies.back()[name] = value;
  };
  if (!schema.value("additionalProperties", true)) add("unknownField", 1);
  for (const Json& name : schema.value("required", Json::array())) {
    bodies.push_back(good);
    bodies.back().erase(name.get<std::string>());
  }
  for (const auto& [name, property] : schema.at("properties").items()) {
    for (const Json& value : forbidden_values(resolve(property))) add(name, value);
  }
  return bodies;
}

const Json& OpenApi::resolve(const Json& node) const {
  if (!node.contains("$ref")) return node;
  return root_.at(Json::json_pointer(node.at("$ref").get<std::string>().substr(1)));
}

std::string OpenApi::wrong_with(const std::string& path, const std::string& method, int status,
                                const std::string& content_type, const std::string& body) const {
  const Json& responses = root_.at("paths").at(path).at(lower(method)).at("responses");
  const std::string code = std::to_string(status);
  const bool any_failure = status >= 400 && responses.contains("default");
  if (!responses.contains(code) && !any_failure) return "status " + code + " is not described";
  const Json& response = resolve(responses.at(responses.contains(code) ? code : "default"));
  if (!response.contains("content")) return body.empty() ? "" : "a body is not described";
  if (!response.at("content").contains(content_type))
    return "content type " + content_type + " is not described";
  const Json& schema = response.at("content").at(content_type).at("schema");
  std::string wrong;
  std::istringstream lines(body);
  std::string line;
  const bool many = content_type == "application/x-ndjson";
  while (std::getline(lines, line, many ? '\n' : '\0')) {
    const Json value = Json::parse(line, nullptr, false);
    if (value.is_discarded()) return "the body is not JSON: " + line;
    check(schema, value, "", wrong);
  }
  return wrong;
}

void OpenApi::check(const Json& node, const Json& value, const std::string& at,
                    std::string& wrong) const {
  static const std::set<std::string> kKnown = {"type",        "properties", "additionalProperties",
                                               "required",    "items",      "enum",
                                               "description", "minimum",    "maximum"};
  const Json& schema = resolve(node);
  for (const auto& [keyword, unused] : schema.items()) {
    if (!kKnown.contains(keyword)) wrong += at + ": keyword " + keyword + " is not checked\n";
  }
  if (schema.contains("type") && !has_type(value, schema.at("type"))) {
    wrong += at + ": is " + value.dump() + ", not " + schema.at("type").dump() + "\n";
    return;
  }
  if (schema.contains("enum")) {
    const Json& allowed = schema.at("enum");
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
      wrong += at + ": is " + value.dump() + ", not in " + allowed.dump() + "\n";
  }
  if (schema.contains("minimum") && value < schema.at("minimum")) wrong += at + ": too small\n";
  if (schema.contains("maximum") && value > schema.at("maximum")) wrong += at + ": too large\n";
  if (value.is_array() && schema.contains("items")) {
    for (const Json& item : value) check(schema.at("items"), item, at + "[]", wrong);
  }
  if (value.is_object()) check_object(schema, value, at, wrong);
}

void OpenApi::check_object(const Json& schema, const Json& value, const std::string& at,
                           std::string& wrong) const {
  for (const Json& name : schema.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>()))
      wrong += at + "." + name.get<std::string>() + ": is missing\n";
  }
  if (!schema.contains("properties")) return;
  const Json& properties = schema.at("properties");
  for (const auto& [name, child] : value.items()) {
    if (properties.contains(name))
      check(properties.at(name), child, at + "." + name, wrong);
    else if (!(at.ends_with(".metadata")))  // of a manifest: described elsewhere
      wrong += at + "." + name + ": is not described\n";
  }
}

}  // namespace subito::api
