// TestShop: the shop's functions in one process, on a real Redis; what they call goes straight to
// the other's router, and every answer is held against its function's OpenAPI document. Any number
// of threads may ask. Test code only.
#pragma once

#include <subito/function.h>

#include <map>
#include <string>

#include "functions/shop/json.h"
#include "functions/shop/test_function.h"
#include "functions/shop/test_redis.h"
#include "functions/shop/test_triggers.h"

namespace shop {

class TestShop {
 public:
  TestShop();

  // As if through the gateway. Exceptions become answers as the SDK makes them.
  subito::Response ask(const std::string& function, const subito::Request& request);
  subito::Response get(const std::string& function, const std::string& path);
  subito::Response post(const std::string& function, const std::string& path,
                        const std::string& body = {});
  subito::Response order(const std::string& key, const std::string& lines,
                         const std::string& customer = "guest", subito::Headers headers = {});
  Json get_json(const std::string& function, const std::string& path);

  // As if nothing answered for it.
  void take_away(const std::string& function) { away_ = function; }
  void bring_back() { away_.clear(); }
  // What the node would do for it: due work and events.
  TestTriggers triggers(const std::string& function);
  TestRedis& redis() { return redis_; }
  TestFunction& function(const std::string& name) { return functions_.at(name); }

 private:
  void add(const std::string& function, subito::Router router, std::string_view document);

  TestRedis redis_;
  std::map<std::string, TestFunction> functions_;
  std::string away_;
};

}  // namespace shop
