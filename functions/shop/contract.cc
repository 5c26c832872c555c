#include "functions/shop/contract.h"

#include <fstream>
#include <stdexcept>

#include "functions/shop/json_schema.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

bool is_type(const Json& expected) {
  return expected.is_object() && expected.size() == 1 && expected.contains("$type");
}

bool is_pattern(const Json& expected) {
  return expected.is_object() && expected.contains("$pattern");
}

// Of what stands for many values the schema; null for a value.
Json schema_of(const Json& expected) {
  if (is_type(expected)) return {{"type", expected.at("$type")}};
  if (is_pattern(expected)) return {{"type", "string"}, {"pattern", expected.at("$pattern")}};
  return {};
}

std::string difference(const Json& expected, const Json& given, const std::string& at) {
  const std::string where = (at.empty() ? "/" : at) + ": ";
  if (const Json schema = schema_of(expected); !schema.is_null()) {
    const std::string fault = schema_fault(given, schema, {});
    return fault.empty() ? "" : where + fault.substr(3);  // behind "/: "
  }
  if (expected.is_object() && given.is_object()) {
    for (const auto& [name, value] : expected.items()) {
      if (!given.contains(name)) return where + "\"" + name + "\" is missing";
      const std::string fault = difference(value, given.at(name), at + "/" + name);
      if (!fault.empty()) return fault;
    }
    return "";
  }
  if (expected.is_array() && given.is_array() && expected.size() == given.size()) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string fault = difference(expected[i], given[i], at + "/" + std::to_string(i));
      if (!fault.empty()) return fault;
    }
    return "";
  }
  return expected == given ? "" : where + given.dump() + " is not " + expected.dump();
}

Json example_of(const Json& expected) {
  if (is_type(expected)) {
    const Json& type = expected.at("$type");
    if (type == "string") return "text";
    if (type == "integer" || type == "number") return 1;
    if (type == "boolean") return true;
    return type == "array" ? Json::array() : type == "object" ? Json::object() : Json();
  }
  if (is_pattern(expected)) return expected.at("$example");
  Json example = expected;
  if (expected.is_structured()) {
    for (Json& part : example) part = example_of(part);
  }
  return example;
}

const char* content_type(int status) {
  return status >= 400 ? "application/problem+json" : "application/json";
}

}  // namespace

Request request_of(const Json& request) {
  subito::Headers headers;
  const Json& given = member(request, "headers");
  for (auto at = given.begin(); at != given.end(); ++at) {
    headers.set(at.key(), at.value().get<std::string>());
  }
  const Json& body = member(request, "body");
  return Request(request.at("method").get<std::string>(), request.at("path").get<std::string>(),
                 std::move(headers), body.is_null() ? "" : body.dump());
}

Contract read_contract(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("read contract " + path + ": it is not there");
  const Json json = Json::parse(file);
  Contract contract{
      json.at("consumer").get<std::string>(), json.at("provider").get<std::string>(), {}};
  for (const Json& one : json.at("interactions")) {
    Interaction interaction{text_of(one, "description"), {}, one.at("request"), one.at("response")};
    for (const Json& request : member(one, "given"))
      interaction.given.push_back(request_of(request));
    contract.interactions.push_back(std::move(interaction));
  }
  return contract;
}

std::string contract_fault(const Json& expected, const Response& answer) {
  if (expected.at("status") != Json(answer.status())) {
    return "status " + std::to_string(answer.status()) + ": " + answer.body();
  }
  const Json& headers = member(expected, "headers");
  for (auto at = headers.begin(); at != headers.end(); ++at) {
    const auto value = answer.headers().get(at.key());
    if (!value) return "header " + at.key() + " is missing";
    const std::string fault = difference(at.value(), std::string(*value), "");
    if (!fault.empty()) return "header " + at.key() + " " + fault;
  }
  const Json& body = member(expected, "body");
  if (body.is_null()) return "";
  const auto type = answer.headers().get("content-type");
  if (type != content_type(answer.status())) return "its content type is another";
  return difference(body, read_answer(answer), "");
}

Response example_answer(const Contract& contract, const std::string& description) {
  for (const Interaction& one : contract.interactions) {
    if (one.description != description) continue;
    const int status = one.response.at("status").get<int>();
    const Json& body = member(one.response, "body");
    Response answer(status);
    if (!body.is_null()) {
      answer.body() = example_of(body).dump();
      answer.header("content-type", content_type(status));
    }
    const Json& headers = member(one.response, "headers");
    for (auto at = headers.begin(); at != headers.end(); ++at) {
      answer.header(at.key(), example_of(at.value()).get<std::string>());
    }
    return answer;
  }
  throw std::out_of_range("contract of " + contract.consumer + " with " + contract.provider +
                          ": nothing is described as " + description);
}

ContractAnswers::ContractAnswers(const std::string& consumer, const std::string& provider)
    : contract_(read_contract(std::string(SUBITO_SHOP_FUNCTIONS) + "/" + consumer + "/contracts/" +
                              provider + ".json")) {}

const Response& ContractAnswers::operator()(const std::string& description) {
  const auto made = made_.find(description);
  if (made != made_.end()) return made->second;
  return made_.emplace(description, example_answer(contract_, description)).first->second;
}

}  // namespace shop
