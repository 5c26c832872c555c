#include "functions/shop/test_shop.h"

#include <functional>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace shop {

// The functions are known by their routers and documents alone; each declares them in its header.
subito::Router catalogue_router();
std::string_view catalogue_openapi();
subito::Router stock_router();
std::string_view stock_openapi();
subito::Router payment_router(std::function<void()> die);
std::string_view payment_openapi();
subito::Router checkout_router();
std::string_view checkout_openapi();
subito::Router shopfront_router();
std::string_view shopfront_openapi();

using subito::Request;
using subito::Response;

TestShop::TestShop() {
  add("catalogue", catalogue_router(), catalogue_openapi());
  add("stock", stock_router(), stock_openapi());
  // A pod that dies answers nothing: to who called it that is no answer it can use.
  add("payment", payment_router([] { throw subito::Cancelled("the pod dies"); }),
      payment_openapi());
  add("checkout", checkout_router(), checkout_openapi());
  add("shopfront", shopfront_router(), shopfront_openapi());
  for (auto& [name, function] : functions_) {
    for (const auto& other : functions_) {
      const std::string& callee = other.first;
      function.calls[callee] = [this, callee](const Request& call) {
        if (away_ == callee) throw subito::CallError("unavailable", "it is away");
        return ask(callee, call);
      };
    }
  }
  redis_.start();
}

TestTriggers TestShop::triggers(const std::string& function) {
  return TestTriggers(
      function,
      [this, function](const std::vector<std::string>& command) {
        return functions_.at(function).redis(command);
      },
      [this, function](const Request& request) { return ask(function, request).status(); });
}

void TestShop::add(const std::string& function, subito::Router router, std::string_view document) {
  const TestRedis* redis = function == "shopfront" ? nullptr : &redis_;
  functions_.emplace(std::piecewise_construct, std::forward_as_tuple(function),
                     std::forward_as_tuple(function, std::move(router), document, redis));
}

Response TestShop::ask(const std::string& function, const Request& request) {
  return functions_.at(function).ask(request);
}

Response TestShop::get(const std::string& function, const std::string& path) {
  return ask(function, Request("GET", path));
}

Response TestShop::post(const std::string& function, const std::string& path,
                        const std::string& body) {
  return ask(function, Request("POST", path, {}, body));
}

Response TestShop::order(const std::string& key, const std::string& lines,
                         const std::string& customer, subito::Headers headers) {
  headers.set("Idempotency-Key", key);
  return ask("checkout", Request("POST", "/orders", std::move(headers),
                                 "{\"customer\":\"" + customer + "\",\"lines\":" + lines + "}"));
}

Json TestShop::get_json(const std::string& function, const std::string& path) {
  return read_answer(get(function, path));
}

}  // namespace shop
