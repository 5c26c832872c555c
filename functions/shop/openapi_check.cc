#include "functions/shop/openapi_check.h"

#include <algorithm>

#include "functions/shop/json_schema.h"

namespace shop {
namespace {

using subito::Headers;
using subito::Request;
using subito::Response;

// Headers that the document need not have: HTTP's own and the runtime's.
const std::set<std::string> kCommonHeaders = {"content-type",  "content-length", "date",
                                              "cache-control", "connection",     "keep-alive",
                                              "x-request-id",  "server"};

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t slash = std::min(path.find('/'), path.size());
    out.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  return out;
}

// How many segments are alike to the letter, or -1 if the template does not match.
int match(const std::string& pattern, const std::string& path) {
  const std::vector<std::string> wanted = segments(pattern);
  const std::vector<std::string> given = segments(path);
  if (wanted.size() != given.size()) return -1;
  int literal = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{') && !given[i].empty()) continue;
    if (wanted[i] != given[i]) return -1;
    ++literal;
  }
  return literal;
}

std::string media_type(const Headers& headers) {
  const std::string type(headers.get("content-type").value_or(""));
  return type.substr(0, type.find(';'));
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Its statuses, and those of problems with their types, each behind the operation's name.
std::vector<std::string> documented_of(const std::string& name, const Json& operation) {
  std::vector<std::string> all;
  for (const auto& response : operation.at("responses").items()) {
    all.push_back(name + " " + response.key());
  }
  const Json& problems = member(operation, "x-problem-types");
  for (auto of_status = problems.begin(); of_status != problems.end(); ++of_status) {
    for (const Json& type : of_status.value()) {
      all.push_back(name + " " + of_status.key() + " " + type.get<std::string>());
    }
  }
  return all;
}

bool is_required(const Json& object) {
  return member(object, "required") == Json(true);
}

// A parameter or header is text; where its schema wants a number it must read as one.
std::string text_fault(std::string_view text, const Json& schema, const Json& document) {
  Json value = std::string(text);
  if (member(schema, "type") == Json("integer")) value = Json::parse(text, nullptr, false);
  return schema_fault(value, schema, document);
}

}  // namespace

OpenApiCheck::OpenApiCheck(std::string_view document)
    : document_(document.empty() ? Json() : Json::parse(document)) {}

std::string OpenApiCheck::fault(const Request& request, const Response& answer) {
  if (document_.is_null()) return "";
  const bool head = request.method() == "HEAD";
  const auto operation = find(head ? "GET" : request.method(), request.path());
  std::string fault;
  if (!operation) {
    fault = fault_of_refusal(request, answer);
  } else if (!head) {
    fault = fault_of_answer(*operation, answer);
    if (fault.empty() && answer.status() < 300) fault = fault_of_request(*operation, request);
  }
  if (fault.empty()) return "";
  return request.method() + " " + request.path() + ": " + fault;
}

std::vector<std::string> OpenApiCheck::never_produced() const {
  std::vector<std::string> missing;
  if (document_.is_null()) return missing;
  const std::lock_guard lock(mutex_);
  for (const auto& [path, item] : document_.at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method == "parameters") continue;
      for (const std::string& what : documented_of(upper(method) + " " + path, operation)) {
        if (!seen_.contains(what)) missing.push_back(what);
      }
    }
  }
  return missing;
}

std::optional<OpenApiCheck::Operation> OpenApiCheck::find(const std::string& method,
                                                          const std::string& path) const {
  std::optional<Operation> found;
  int best = -1;
  for (const auto& [pattern, item] : document_.at("paths").items()) {
    const int literal = match(pattern, path);
    if (literal <= best || !item.contains(lower(method))) continue;
    best = literal;
    found = Operation{method + " " + pattern, &item, &item.at(lower(method))};
  }
  return found;
}

bool OpenApiCheck::knows_path(const std::string& path) const {
  const Json& paths = document_.at("paths");
  for (auto at = paths.begin(); at != paths.end(); ++at) {
    if (match(at.key(), path) >= 0) return true;
  }
  return false;
}

const Json& OpenApiCheck::resolved(const Json& object) const {
  const Json& reference = member(object, "$ref");
  if (!reference.is_string()) return object;
  return document_.at(Json::json_pointer(reference.get<std::string>().substr(1)));
}

std::string OpenApiCheck::fault_of_refusal(const Request& request, const Response& answer) const {
  const int status = answer.status();
  if (!knows_path(request.path())) {
    return status == 404 ? "" : std::to_string(status) + " for a path that is not documented";
  }
  const bool allow = answer.headers().get("allow").has_value();
  if (allow && (status == 405 || (status == 204 && request.method() == "OPTIONS"))) return "";
  return std::to_string(status) + " for a method that is not documented";
}

std::string OpenApiCheck::fault_of_answer(const Operation& operation, const Response& answer) {
  const std::string status = std::to_string(answer.status());
  const Json& responses = operation.operation->at("responses");
  if (!responses.contains(status)) return status + " is not documented: " + answer.body();
  const Json& documented = resolved(responses.at(status));
  saw(operation.name + " " + status);
  std::string fault = fault_of_headers(documented, answer);
  if (fault.empty()) fault = fault_of_content(documented, answer);
  if (fault.empty()) fault = fault_of_problem(operation, answer);
  return fault.empty() ? "" : status + ": " + fault;
}

void OpenApiCheck::saw(const std::string& what) {
  const std::lock_guard lock(mutex_);
  seen_.insert(what);
}

std::string OpenApiCheck::fault_of_problem(const Operation& operation, const Response& answer) {
  if (media_type(answer.headers()) != "application/problem+json") return "";
  const std::string status = std::to_string(answer.status());
  const std::string type = text_of(Json::parse(answer.body()), "type");
  const Json& types = member(member(*operation.operation, "x-problem-types"), status.c_str());
  if (std::find(types.begin(), types.end(), Json(type)) == types.end()) {
    return "the problem's type \"" + type + "\" is not documented";
  }
  saw(operation.name + " " + status + " " + type);
  return "";
}

std::string OpenApiCheck::fault_of_content(const Json& documented, const Response& answer) const {
  const Json& content = member(documented, "content");
  const std::string type = media_type(answer.headers());
  if (content.is_null()) {
    return answer.body().empty() ? "" : "a body, where none is documented: " + answer.body();
  }
  if (!content.contains(type)) return "content type \"" + type + "\" is not documented";
  if (!type.ends_with("json")) return "";
  const Json body = Json::parse(answer.body(), nullptr, false);
  if (body.is_discarded()) return "the body is no JSON: " + answer.body();
  if (type == "application/problem+json" && member(body, "status") != Json(answer.status())) {
    return "the problem's status is another: " + answer.body();
  }
  return schema_fault(body, member(content.at(type), "schema"), document_);
}

std::string OpenApiCheck::fault_of_headers(const Json& documented, const Response& answer) const {
  std::set<std::string> known = kCommonHeaders;
  const Json& headers = member(documented, "headers");
  for (auto at = headers.begin(); at != headers.end(); ++at) {
    known.insert(lower(at.key()));
    const Json& header = resolved(at.value());
    const auto value = answer.headers().get(at.key());
    if (!value && is_required(header)) return "header " + at.key() + " is missing";
    const std::string fault = value ? text_fault(*value, header.at("schema"), document_) : "";
    if (!fault.empty()) return "header " + at.key() + fault;
  }
  for (const auto& field : answer.headers().fields()) {
    if (!known.contains(field.first)) return "header " + field.first + " is not documented";
  }
  return "";
}

std::string OpenApiCheck::fault_of_request(const Operation& operation,
                                           const Request& request) const {
  std::set<std::string> names;
  for (const Json* owner : {operation.path, operation.operation}) {
    for (const Json& given : member(*owner, "parameters")) {
      const Json& parameter = resolved(given);
      const std::string name = text_of(parameter, "name");
      const std::string where = text_of(parameter, "in");
      std::optional<std::string> value;
      if (where == "query") {
        names.insert(name);
        value = request.query(name);
      } else if (where == "header") {
        value = request.header(name);
      } else {
        continue;  // of the path: it matched
      }
      if (!value && is_required(parameter)) return "taken without " + name;
      const std::string fault = value ? text_fault(*value, parameter.at("schema"), document_) : "";
      if (!fault.empty()) return "taken with " + name + fault;
    }
  }
  const Json& body = member(*operation.operation, "requestBody");
  if (body.is_null()) return "";
  if (request.body().empty()) return is_required(body) ? "taken without a body" : "";
  const Json& schema = body.at("content").at("application/json").at("schema");
  const std::string fault =
      schema_fault(Json::parse(request.body(), nullptr, false), schema, document_);
  return fault.empty() ? "" : "taken with a body that is not documented: " + fault;
}

}  // namespace shop
