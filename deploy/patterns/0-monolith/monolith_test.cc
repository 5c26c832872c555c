// The monolith is the shop: every answer is held against the OpenAPI document of the service, and
// every contract of the shop is kept by it. Nobody delivers its due work and events but itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "functions/shop/contract.h"
#include "functions/shop/json.h"
#include "functions/shop/test_http.h"
#include "functions/shop/test_redis.h"

namespace shop {
namespace {

constexpr std::chrono::seconds kPatience{20};

// A monolith and its Redis, empty.
class Monolith {
 public:
  Monolith() {
    redis_.start();
    process_ = TestProcess({SUBITO_MONOLITH, "--listen", "unix:" + socket()},
                           {"REDIS_URL=unix:" + redis_.socket_path(), "SETTING_SEED=demo",
                            "TRIGGER_STOCK_DUE=due stock:due /function/stock/due",
                            "TRIGGER_PRODUCTS=stream catalogue:events /function/stock/events",
                            "TRIGGER_CHECKOUT_DUE=due checkout:due /function/checkout/due",
                            "TRIGGER_HISTORY=stream checkout:events /function/checkout/events"});
    EXPECT_TRUE(eventually([&] { return ask("GET", "/health/live").status == 200; }));
  }

  std::string socket() const { return folder_.path() + "/monolith.sock"; }
  HttpAnswer ask(const std::string& method, const std::string& path,
                 const std::string& headers = {}, const std::string& body = {}) const {
    return http(socket(), method, path, headers, body);
  }
  // Of a service, by its name; the answer must be as documented.
  HttpAnswer ask_service(const std::string& service, const std::string& method,
                         const std::string& path, const std::string& headers = {},
                         const std::string& body = {}) {
    const std::string root = "/function/" + service;
    if (!checks_.contains(service)) {
      checks_.try_emplace(service, ask("GET", root + "/openapi.json").body);
    }
    const HttpAnswer answer = ask(method, root + path, headers, body);
    EXPECT_EQ(http_fault(checks_.at(service), method, path, headers, body, answer), "")
        << service << " answers what its openapi.json does not say";
    return answer;
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

 private:
  TestRedis redis_{true};
  TestFolder folder_;
  TestProcess process_;
  std::map<std::string, OpenApiCheck> checks_;
};

class MonolithOfTheShopTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
};

TEST_F(MonolithOfTheShopTest, SellsAndTellsItsHistoryByItself) {
  Monolith shop;
  ASSERT_EQ(shop.ask("POST", "/seed").status, 200);
  const Json offers = Json::parse(shop.ask("GET", "/products").body);
  ASSERT_EQ(offers.size(), 5U);
  EXPECT_EQ(offers.at(0).at("amountAvailable"), 5);
  EXPECT_NE(shop.ask("GET", "/").body.find("Subito Shop"), std::string::npos);
  const HttpAnswer order =
      shop.ask("POST", "/orders", "Idempotency-Key: a\r\n",
               R"({"customer":"guest","lines":[{"productId":"3","quantity":2}]})");
  ASSERT_EQ(order.status, 201) << order.body;
  const std::string id = Json::parse(order.body).at("id");
  EXPECT_TRUE(Monolith::eventually([&] {
    return shop.ask("GET", "/customers/guest/orders").body.find(id) != std::string::npos;
  })) << "its own events make the history";
  EXPECT_EQ(Json::parse(shop.ask_service("stock", "GET", "/stocks/3").body).at("sold"), 2);
}

TEST_F(MonolithOfTheShopTest, DueWorkEndsAnOrderThatNobodyWaitsFor) {
  Monolith shop;
  ASSERT_EQ(shop.ask("POST", "/seed").status, 200);
  const HttpAnswer order =
      shop.ask("POST", "/orders", "Idempotency-Key: a\r\nPrefer: respond-async\r\n",
               R"({"customer":"guest","lines":[{"productId":"3","quantity":1}]})");
  ASSERT_EQ(order.status, 202) << order.body;
  const std::string id = Json::parse(order.body).at("id");
  EXPECT_TRUE(Monolith::eventually([&] {
    return Json::parse(shop.ask("GET", "/orders/" + id).body).at("status") == "COMPLETED";
  }));
}

TEST_F(MonolithOfTheShopTest, LevelsComeWithProducts) {
  Monolith shop;
  ASSERT_EQ(shop.ask("POST", "/seed").status, 200);
  const HttpAnswer made =
      shop.ask_service("catalogue", "POST", "/products", "Content-Type: application/json\r\n",
                       R"({"sku":"A-1","name":"Lamp","priceMinor":350})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string id = Json::parse(made.body).at("id");
  EXPECT_TRUE(Monolith::eventually(
      [&] { return shop.ask("GET", "/function/stock/stocks/" + id).status == 200; }));
}

// As contract_test does with the service alone.
TEST_F(MonolithOfTheShopTest, KeepsEveryContract) {
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SUBITO_SHOP_FUNCTIONS)) {
    if (entry.path().parent_path().filename() != "contracts") continue;
    const Contract contract = read_contract(entry.path().string());
    for (const Interaction& one : contract.interactions) {
      Monolith shop;
      const auto send = [&](const subito::Request& request) {
        std::string headers;
        for (const auto& [name, value] : request.headers().fields()) {
          headers.append(name).append(": ").append(value).append("\r\n");
        }
        std::string target = request.path();
        if (!request.query_string().empty()) target += "?" + request.query_string();
        return shop.ask_service(contract.provider, request.method(), target, headers,
                                request.body());
      };
      for (const auto& request : one.given) EXPECT_LT(send(request).status, 300);
      const HttpAnswer answer = send(request_of(one.request));
      EXPECT_EQ(contract_fault(one.response, response_of(answer)), "")
          << contract.provider << ": " << one.description;
      ++kept;
    }
  }
  EXPECT_GT(kept, 5U);
}

}  // namespace
}  // namespace shop
