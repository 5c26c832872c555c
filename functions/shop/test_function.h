// TestFunction: one function of the shop in the process of a test, every answer of it held against
// its OpenAPI document. Test code only.
#pragma once

#include <subito/testing.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "functions/shop/json.h"
#include "functions/shop/openapi_check.h"
#include "functions/shop/test_redis.h"

namespace shop {

class TestFunction {
 public:
  using Callee = subito::testing::TestContext::Callee;

  // `document` is its openapi.json; an empty one is not checked. Without a Redis it has no binding.
  TestFunction(std::string name, subito::Router router, std::string_view document,
               const TestRedis* redis);

  // As if through the gateway. An answer that is not as documented fails the test. Any number of
  // threads may ask, once settings and calls are set.
  subito::Response ask(const subito::Request& request);
  subito::Response get(const std::string& target) { return ask({"GET", target}); }
  subito::Response post(const std::string& target, const std::string& body = {}) {
    return ask({"POST", target, {}, body});
  }
  Json get_json(const std::string& target) { return read_answer(get(target)); }
  // A command to the function's own corner of Redis, as itself: the prefix is yours to write.
  subito::RedisReply redis(const std::vector<std::string>& command);

  // Fails the test for each (operation, status) that is documented and was not produced so far.
  void expect_all_produced() const;
  OpenApiCheck& check() { return check_; }

  std::map<std::string, std::string, std::less<>> settings{{"seed", "demo"}};
  std::map<std::string, Callee> calls;  // what it may call

 private:
  const std::string name_;
  const subito::Router router_;
  OpenApiCheck check_;
  const TestRedis* const redis_;
};

}  // namespace shop
