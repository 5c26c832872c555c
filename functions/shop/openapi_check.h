// OpenApiCheck: a function's answers held against its OpenAPI document. Test code only.
//
// An answer fits if the document has its path, method and status, the content type and the body's
// schema, every header that is required and no other, and, where the request was taken (2xx), what
// was asked: parameters and body. A path or method that is not in the document must be refused as
// the router does. The types of problems (RFC 9457) are those that the operation lists by status:
//
//   "x-problem-types": {"404": ["unknown-product"], "503": ["storage-unavailable"]}
//
// Any number of threads may ask.
#pragma once

#include <subito/function.h>

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "functions/shop/json.h"

namespace shop {

class OpenApiCheck {
 public:
  // Throws Json::parse_error. An empty document fits everything.
  explicit OpenApiCheck(std::string_view document);

  // What is not as documented, "" if nothing is: "GET /products/9: 404 is not documented".
  std::string fault(const subito::Request& request, const subito::Response& answer);

  // What is documented and fault() has never seen: "GET /products/{id} 404", and with its type
  // "GET /products/{id} 404 unknown-product".
  std::vector<std::string> never_produced() const;

 private:
  struct Operation {
    std::string name;  // "GET /products/{id}"
    const Json* path = nullptr;
    const Json* operation = nullptr;
  };

  std::optional<Operation> find(const std::string& method, const std::string& path) const;
  void saw(const std::string& what);
  bool knows_path(const std::string& path) const;
  const Json& resolved(const Json& object) const;
  std::string fault_of_refusal(const subito::Request& request,
                               const subito::Response& answer) const;
  std::string fault_of_answer(const Operation& operation, const subito::Response& answer);
  std::string fault_of_problem(const Operation& operation, const subito::Response& answer);
  std::string fault_of_content(const Json& documented, const subito::Response& answer) const;
  std::string fault_of_headers(const Json& documented, const subito::Response& answer) const;
  std::string fault_of_request(const Operation& operation, const subito::Request& request) const;

  const Json document_;
  mutable std::mutex mutex_;
  std::set<std::string> seen_;
};

}  // namespace shop
