// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include "functions/checkout/checkout.h"
#include "functions/checkout/order_events.h"
#include "functions/shop/contract.h"
#include "functions/shop/test_function.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

class CheckoutOpenApiTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
    checkout_.calls["catalogue"] = [](const Request&) {
      return ContractAnswers("checkout", "catalogue")("tells the prices of the products asked for");
    };
    checkout_.calls["stock"] = [this](const Request&) { return stock_; };
    checkout_.calls["payment"] = [this](const Request& request) {
      return request.path() == "/authorisations" ? payment_ : payment_says_("captures");
    };
  }

  int ask(const std::string& method, const std::string& target, const std::string& body = {},
          subito::Headers headers = {}) {
    return checkout_.ask(Request(method, target, std::move(headers), body)).status();
  }
  int order(const std::string& key, const std::string& product = "3", bool respond_async = false) {
    subito::Headers headers{{"Idempotency-Key", key}};
    if (respond_async) headers.set("Prefer", "respond-async");
    return ask("POST", "/orders", R"({"lines":[{"productId":")" + product + R"(","quantity":1}]})",
               headers);
  }
  std::string due() {
    const auto members = checkout_.redis({"ZRANGE", "checkout:due", "0", "-1"});
    return members.size() == 0 ? "" : std::string(members[0].text());
  }

  void walk_orders() {
    EXPECT_EQ(order("a"), 201);
    EXPECT_EQ(order("a"), 201);
    EXPECT_EQ(order("a", "99"), 422);
    EXPECT_EQ(order("b", "99"), 422);
    EXPECT_EQ(order("b", "99"), 422);
    EXPECT_EQ(order(""), 400);
    const std::string expecting =
        R"({"lines":[{"productId":"3","quantity":1}],"expectedTotalMinor":)";
    EXPECT_EQ(ask("POST", "/orders", expecting + "4549}", {{"Idempotency-Key", "p"}}), 409);
    EXPECT_EQ(ask("POST", "/orders", expecting + "4550}", {{"Idempotency-Key", "q"}}), 201);
    EXPECT_EQ(ask("POST", "/orders", expecting + "-1}", {{"Idempotency-Key", "r"}}), 400);
    EXPECT_EQ(ask("POST", "/orders", std::string(65537, ' '), {{"Idempotency-Key", "c"}}), 413);
    payment_ = payment_says_("declines what is beyond the credit");
    EXPECT_EQ(order("d"), 402);
    payment_ = payment_says_("authorises");
    stock_ = Response::problem(503, "storage-unavailable", "away");
    EXPECT_EQ(order("e"), 503);
    checkout_.redis({"HSET", "checkout:order:" + due(), "lease", "99999999999999"});
    EXPECT_EQ(order("e"), 409);
    checkout_.redis({"HSET", "checkout:order:" + due(), "lease", "0"});
    stock_ = stock_says_("commits");
    const std::string placed = checkout_.get_json("/customers/guest/orders").dump();
    EXPECT_EQ(placed, R"({"next":null,"orders":[]})");  // no event was delivered
  }

  void walk_due_work() {
    EXPECT_EQ(order("f", "3", true), 202);
    EXPECT_EQ(order("f", "3", true), 202);
    const std::string open = due();
    checkout_.redis({"HSET", "checkout:order:" + open, "lease", "99999999999999"});
    EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", open}}), 409);
    EXPECT_EQ(order("g", "3", true), 202);
    checkout_.redis({"HSET", "checkout:order:" + open, "lease", "0"});
    while (!due().empty()) {
      const std::string id = due();
      EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", id}}), 204);
      EXPECT_EQ(ask("GET", "/orders/" + id), 200);
    }
    EXPECT_EQ(ask("POST", "/due"), 400);
    EXPECT_EQ(ask("GET", "/orders/nobody"), 404);
  }

  void walk_history() {
    const auto entry = checkout_.redis({"XRANGE", "checkout:events", "-", "+", "COUNT", "1"})[0];
    const std::string body(entry[1][3].text());
    event_ = {{"ce-id", std::string(entry[0].text())}, {"ce-type", "shop.v1.OrderPlaced"}};
    EXPECT_EQ(ask("POST", "/events", body, event_), 204);
    EXPECT_EQ(ask("POST", "/events", "\xff", event_), 422);
    EXPECT_EQ(ask("POST", "/events", R"([{"id":"1-0","type":"shop.v1.Other"}])",
                  {{"content-type", "application/cloudevents-batch+json"}}),
              204);
    EXPECT_EQ(ask("POST", "/events", body), 400);
    EXPECT_EQ(ask("GET", "/customers/guest/orders?limit=1"), 200);
    EXPECT_EQ(ask("GET", "/customers/guest/orders?limit=0"), 400);
    EXPECT_EQ(ask("POST", "/history/rebuild"), 404);
    checkout_.settings["maintenance"] = "allow";
    EXPECT_EQ(ask("POST", "/history/rebuild"), 200);
    EXPECT_EQ(ask("GET", "/customers/guest/orders?limit=2"), 200);
  }

  void walk_without_redis() {
    redis_.kill();
    for (const char* path : {"/health", "/health/ready", "/orders/a", "/customers/a/orders"}) {
      EXPECT_EQ(ask("GET", path), 503) << path;
    }
    EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", "a"}}), 503);
    EXPECT_EQ(ask("POST", "/events", to_event(some_order(), 1).data, event_), 503);
    EXPECT_EQ(ask("POST", "/history/rebuild"), 503);
  }

  static Order some_order() {
    Order order;
    order.id = std::string(32, 'a');
    order.customer = "guest";
    return order;
  }

  TestRedis redis_;
  TestFunction checkout_{"checkout", checkout_router(), checkout_openapi(), &redis_};
  ContractAnswers stock_says_{"checkout", "stock"};
  ContractAnswers payment_says_{"checkout", "payment"};
  Response stock_ = stock_says_("commits");  // 200, to a reservation too
  Response payment_ = payment_says_("authorises");
  subito::Headers event_;
};

TEST_F(CheckoutOpenApiTest, EveryDocumentedStatusIsProduced) {
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json"}) {
    EXPECT_EQ(ask("GET", path), 200) << path;
  }
  walk_orders();
  walk_due_work();
  walk_history();
  walk_without_redis();
  checkout_.expect_all_produced();
}

}  // namespace
}  // namespace shop
