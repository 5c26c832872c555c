#include "functions/shop/test_shop.h"

#include <subito/testing.h>

namespace shop {

// The functions are known by their routers alone; each declares its own in its header.
subito::Router catalogue_router();
subito::Router stock_router();
subito::Router checkout_router();
subito::Router shopfront_router();

using subito::Request;
using subito::Response;

TestShop::TestShop() {
  functions_.emplace("catalogue", catalogue_router());
  functions_.emplace("stock", stock_router());
  functions_.emplace("checkout", checkout_router());
  functions_.emplace("shopfront", shopfront_router());
  redis_.start();
}

Response TestShop::ask(const std::string& function, const Request& request) {
  subito::testing::TestContext context({.function = function});
  context.settings["seed"] = "demo";
  if (function != "shopfront") context.use_redis("redis", redis_.address_of(function));
  for (const auto& [name, router] : functions_) {
    context.on_call(name, [this, callee = name](const Request& call) {
      if (away_ == callee) throw subito::CallError("unavailable", "it is away");
      return ask(callee, call);
    });
  }
  return answer_of(functions_.at(function), request, context);
}

Response TestShop::get(const std::string& function, const std::string& path) {
  return ask(function, Request("GET", path));
}

Response TestShop::post(const std::string& function, const std::string& path,
                        const std::string& body) {
  return ask(function, Request("POST", path, {}, body));
}

Response TestShop::order(const std::string& key, const std::string& lines) {
  return ask("checkout",
             Request("POST", "/orders", {{"Idempotency-Key", key}}, "{\"lines\":" + lines + "}"));
}

Json TestShop::get_json(const std::string& function, const std::string& path) {
  return read_answer(get(function, path));
}

}  // namespace shop
