// Contracts: what a consumer expects of a provider, as a file in the consumer's folder,
// functions/checkout/contracts/stock.json. contract_test runs each against the real provider alone;
// the consumer's own tests take the same answers from it. Test code only.
//
//   {"consumer": "checkout", "provider": "stock", "interactions": [
//     {"description": "reserves", "given": [{"method": "POST", "path": "/seed"}],
//      "request": {"method": "POST", "path": "/reservations", "headers": {}, "body": {...}},
//      "response": {"status": 201, "headers": {}, "body": {"order": "o1", "n": {"$type":
//      "integer"}}}
//   }]}
//
// `given` are requests that set it up, on empty data. Of the response only what the consumer looks
// at is written: objects may have more members and the answer more headers, arrays have what is
// there. {"$type": "string"} stands for any value of that type (as JSON Schema names them),
// {"$pattern": "^a", "$example": "ab"} for a text that matches.
#pragma once

#include <subito/function.h>

#include <map>
#include <string>
#include <vector>

#include "functions/shop/json.h"

namespace shop {

struct Interaction {
  std::string description;
  std::vector<subito::Request> given;
  Json request;
  Json response;
};

struct Contract {
  std::string consumer;
  std::string provider;
  std::vector<Interaction> interactions;
};

// Throws std::runtime_error for a file that is not there, Json::exception for one that is none.
Contract read_contract(const std::string& path);

subito::Request request_of(const Json& request);

// What of `answer` is not as expected, "" if nothing is: "/order: \"o2\" is not \"o1\"".
std::string contract_fault(const Json& expected, const subito::Response& answer);

// An answer as the contract has it, for a fake of the provider: each {"$type"} is some value of its
// type, each {"$pattern"} its example. Throws std::out_of_range for an interaction that is not
// there.
subito::Response example_answer(const Contract& contract, const std::string& description);

// What a fake of the provider answers, by the descriptions of the consumer's contract with it:
//
//   ContractAnswers stock("checkout", "stock"); return stock("reserves");
class ContractAnswers {
 public:
  ContractAnswers(const std::string& consumer, const std::string& provider);
  // As example_answer(), each made once.
  const subito::Response& operator()(const std::string& description);

 private:
  Contract contract_;
  std::map<std::string, subito::Response> made_;
};

}  // namespace shop
