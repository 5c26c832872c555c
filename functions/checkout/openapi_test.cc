// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include <utility>

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
    checkout_.calls["catalogue"] = [this](const Request&) { return catalogue_; };
    checkout_.calls["stock"] = [this](const Request& request) {
      if (request.path() == "/reservations") return reserve_;
      return request.path().ends_with("/commit") ? commit_ : release_;
    };
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
    reserve_ = away_;
    EXPECT_EQ(order("cancelled"), 503);
    release_ = away_;
    EXPECT_EQ(order("e"), 503);
    checkout_.redis({"HSET", "checkout:order:" + due(), "lease", "99999999999999"});
    EXPECT_EQ(order("e"), 409);
    checkout_.redis({"HSET", "checkout:order:" + due(), "lease", "0"});
    reserve_ = release_ = stock_says_("commits");
    const std::string placed = checkout_.get_json("/customers/guest/orders").dump();
    EXPECT_EQ(placed, R"({"next":null,"orders":[]})");  // no event was delivered
  }

  void walk_refusals() {
    const auto refused = [this](int status) {
      EXPECT_EQ(order("refused-" + std::to_string(++refusals_)), status);
      reserve_ = commit_ = stock_says_("commits");
      payment_ = payment_says_("authorises");
    };
    for (const char* what :
         {"says what is short", "does not reserve for an order that was released"}) {
      reserve_ = stock_says_(what);
      refused(409);
    }
    for (const char* type : {"withdrawn", "reservation-ended"}) {
      reserve_ = Response::problem(409, type, "as stock says it");
      refused(409);
    }
    reserve_ = stock_says_("does not reserve other lines for the same order");
    refused(422);
    commit_ = stock_says_("does not commit what was never reserved");
    refused(409);
    payment_ = payment_says_("does not authorise for an order that was voided");
    refused(409);
    payment_ = payment_says_("does not know a customer");
    refused(422);
    payment_ = Response::problem(422, "unsupported-currency", "as payment says it");
    refused(422);
  }

  void walk_wrong_orders() {
    const subito::Headers key{{"Idempotency-Key", "wrong"}};
    for (const char* body : {"{", R"({"lines":[]})", R"({"customer":"a b","lines":[]})"}) {
      EXPECT_EQ(ask("POST", "/orders", body, key), 400) << body;
    }
    std::string products;
    std::string lines;
    for (int i = 1; i <= 10; ++i) {
      const std::string id = "\"" + std::to_string(i) + "\"";
      products += (i > 1 ? "," : "") + (R"({"priceMinor":1000000000000,"id":)" + id) + "}";
      lines += (i > 1 ? "," : "") + (R"({"quantity":1000000,"productId":)" + id) + "}";
    }
    const Response priced = std::exchange(catalogue_, Response::json("[" + products + "]"));
    EXPECT_EQ(ask("POST", "/orders", R"({"lines":[)" + lines + "]}", key), 422);
    catalogue_ = priced;
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
    for (const char* type : {"shop.v1.Other", "shop.v1.OrderPlaced"}) {  // the second unreadable
      const std::string one = R"({"id":"1-0","type":"shop.v1.Other"},{"id":"2-0","type":")";
      const std::string batch = "[" + one + type + R"(","data_base64":"/w=="}])";
      EXPECT_EQ(
          ask("POST", "/events", batch, {{"content-type", "application/cloudevents-batch+json"}}),
          204);
    }
    EXPECT_EQ(ask("POST", "/events", body), 400);
    EXPECT_EQ(ask("GET", "/customers/guest/orders?limit=1"), 200);
    EXPECT_EQ(ask("GET", "/customers/guest/orders?limit=0"), 400);
    EXPECT_EQ(ask("GET", "/customers/guest/orders?cursor=x"), 400);
    EXPECT_EQ(ask("GET", "/customers/a%20b/orders"), 400);
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
    EXPECT_EQ(order("z"), 503);
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
  const Response away_ = Response::problem(503, "storage-unavailable", "away");
  Response catalogue_ =
      ContractAnswers("checkout", "catalogue")("tells the prices of the products asked for");
  Response reserve_ = stock_says_("commits");  // 200, as to a reservation that was made before
  Response commit_ = reserve_;
  Response release_ = reserve_;
  Response payment_ = payment_says_("authorises");
  subito::Headers event_;
  int refusals_ = 0;
};

TEST_F(CheckoutOpenApiTest, EveryDocumentedStatusIsProduced) {
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json"}) {
    EXPECT_EQ(ask("GET", path), 200) << path;
  }
  walk_orders();
  walk_refusals();
  walk_wrong_orders();
  walk_due_work();
  walk_history();
  walk_without_redis();
  checkout_.expect_all_produced();
}

}  // namespace
}  // namespace shop
