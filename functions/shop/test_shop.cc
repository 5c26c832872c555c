#include "functions/shop/test_shop.h"

#include <memory>
#include <stdexcept>

namespace shop {

// The functions are known by their routers alone; each declares its own in its header.
subito::Router catalogue_router();
subito::Router stock_router();
subito::Router checkout_router();
subito::Router shopfront_router();

using subito::Request;
using subito::Response;

class TestShop::Context final : public subito::Context {
 public:
  Context(TestShop& shop, std::string function) : shop_(shop), function_(std::move(function)) {}

  std::chrono::steady_clock::time_point deadline() const override { return deadline_; }
  bool cancelled() override { return false; }
  const std::string& request_id() const override { return function_; }
  const std::string& traceparent() const override { return function_; }
  const std::string& function() const override { return function_; }
  const std::string& pod() const override { return function_; }
  subito::Logger& log() override { return logger_; }
  std::optional<std::string> setting(std::string_view name) const override {
    if (name == "seed") return "demo";
    return std::nullopt;
  }
  subito::Redis& redis(std::string_view binding) override {
    if (binding != "redis" || function_ == "shopfront") throw std::out_of_range("no such binding");
    if (!redis_) redis_ = std::make_unique<RealRedis>(shop_.redis_.socket_path(), function_);
    return *redis_;
  }
  int connect(std::string_view) override { throw std::out_of_range("no such binding"); }
  Response call(std::string_view function, const Request& request) override {
    if (shop_.away_ == function) throw subito::CallError("unavailable", "it is away");
    return shop_.ask(std::string(function), request);
  }

 private:
  class SilentLogger final : public subito::Logger {
    void write(int, std::string_view, Fields) override {}
  };
  TestShop& shop_;
  std::string function_;
  std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::unique_ptr<RealRedis> redis_;
  SilentLogger logger_;
};

TestShop::TestShop() {
  functions_.emplace("catalogue", catalogue_router());
  functions_.emplace("stock", stock_router());
  functions_.emplace("checkout", checkout_router());
  functions_.emplace("shopfront", shopfront_router());
  redis_.start();
}

Response TestShop::ask(const std::string& function, const Request& request) {
  Context context(*this, function);
  try {
    return functions_.at(function)(request, context);
  } catch (const subito::HttpError& error) {
    return Response::problem(error.status(), error.type(), error.what());
  } catch (const std::exception& error) {
    return Response::problem(500, "internal-error", error.what());
  }
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
