// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include "functions/shop/test_function.h"
#include "functions/stock/stock.h"

namespace shop {
namespace {

using subito::Request;

class StockOpenApiTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
  }

  int ask(const std::string& method, const std::string& target, const std::string& body = {},
          subito::Headers headers = {}) {
    return stock_.ask(Request(method, target, std::move(headers), body)).status();
  }
  static std::string reservation(const std::string& order, const std::string& product, int n) {
    return R"({"order":")" + order + R"(","lines":[{"productId":")" + product + R"(","quantity":)" +
           std::to_string(n) + "}]}";
  }

  void walk_levels() {
    EXPECT_EQ(ask("GET", "/stocks"), 200);
    EXPECT_EQ(ask("GET", "/stocks", {}, {{"If-None-Match", "*"}}), 304);
    EXPECT_EQ(ask("GET", "/stocks/1"), 200);
    EXPECT_EQ(ask("GET", "/stocks/1", {}, {{"If-None-Match", "*"}}), 304);
    EXPECT_EQ(ask("GET", "/stocks/99"), 404);
    const std::string one = R"({"quantity":1})";
    EXPECT_EQ(ask("POST", "/stocks/1/restock", one), 200);
    for (const char* body : {"{}", "{"}) {
      EXPECT_EQ(ask("POST", "/stocks/1/restock", body), 400) << body;
    }
    EXPECT_EQ(ask("POST", "/stocks/1/restock", one, {{"Idempotency-Key", "a b"}}), 400);
    stock_.redis({"HSET", "stock:level:5", "received", "999999999999", "sold", "999999999998"});
    EXPECT_EQ(ask("POST", "/stocks/5/restock", R"({"quantity":9})"), 422);
    EXPECT_EQ(ask("POST", "/stocks/99/restock", one), 404);
    EXPECT_EQ(ask("POST", "/stocks/1/restock", std::string(65537, ' ')), 413);
    EXPECT_EQ(ask("POST", "/stocks/1/restock", one, {{"Idempotency-Key", "a"}}), 200);
    EXPECT_EQ(ask("POST", "/stocks/1/restock", R"({"quantity":2})", {{"Idempotency-Key", "a"}}),
              422);
    EXPECT_EQ(ask("POST", "/events", "\xff", {{"ce-type", "shop.v1.ProductDeleted"}}), 400);
    EXPECT_EQ(ask("POST", "/events", "\x0a\x01\x34", {{"ce-type", "shop.v1.ProductDeleted"}}), 204);
    EXPECT_EQ(ask("POST", "/stocks/4/restock", one), 409);
  }

  void walk_reservations() {
    EXPECT_EQ(ask("POST", "/reservations", reservation("a", "3", 1)), 201);
    EXPECT_EQ(ask("POST", "/reservations", reservation("a", "3", 1)), 200);
    for (const char* body :
         {"[]", "{}", R"({"order":"b","lines":[]})",
          R"({"order":"b","lines":[{"productId":"3","quantity":1}],"expiresInMs":0})"}) {
      EXPECT_EQ(ask("POST", "/reservations", body), 400) << body;
    }
    EXPECT_EQ(ask("POST", "/reservations", reservation("b", "99", 1)), 404);
    for (const char* product : {"1", "4"}) {
      EXPECT_EQ(ask("POST", "/reservations", reservation("b", product, 99)), 409) << product;
    }
    EXPECT_EQ(ask("POST", "/reservations", std::string(65537, ' ')), 413);
    EXPECT_EQ(ask("POST", "/reservations", reservation("a", "3", 2)), 422);
    EXPECT_EQ(ask("GET", "/reservations/a"), 200);
    EXPECT_EQ(ask("GET", "/reservations/a%20b"), 400);
    EXPECT_EQ(ask("GET", "/reservations/b"), 404);
    EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", "a"}}), 409);
    EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", "b"}}), 204);
    EXPECT_EQ(ask("POST", "/due"), 400);
    EXPECT_EQ(ask("POST", "/reservations/a/commit"), 200);
    EXPECT_EQ(ask("POST", "/reservations/a%20b/commit"), 400);
    EXPECT_EQ(ask("POST", "/reservations/b/commit"), 404);
    EXPECT_EQ(ask("POST", "/reservations/b/release"), 200);
    EXPECT_EQ(ask("POST", "/reservations/b/commit"), 409);
    EXPECT_EQ(ask("POST", "/reservations", reservation("b", "3", 1)), 409) << "released";
    EXPECT_EQ(ask("POST", "/reservations", reservation("x", "3", 1)), 201);
    stock_.redis({"ZADD", "stock:due", "1", "x"});
    EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", "x"}}), 204);
    EXPECT_EQ(ask("POST", "/reservations", reservation("x", "3", 1)), 409) << "expired";
    EXPECT_EQ(ask("POST", "/reservations/a%20b/release"), 400);
    EXPECT_EQ(ask("POST", "/reservations/a/release"), 200);
  }

  void walk_without_redis() {
    redis_.kill();
    for (const char* path :
         {"/health", "/health/ready", "/stocks", "/stocks/1", "/reservations/a"}) {
      EXPECT_EQ(ask("GET", path), 503) << path;
    }
    for (const char* path : {"/reservations/a/commit", "/reservations/a/release", "/seed"}) {
      EXPECT_EQ(ask("POST", path), 503) << path;
    }
    EXPECT_EQ(ask("POST", "/stocks/1/restock", R"({"quantity":1})"), 503);
    EXPECT_EQ(ask("POST", "/reservations", reservation("a", "3", 1)), 503);
    EXPECT_EQ(ask("POST", "/due", {}, {{"ce-subject", "a"}}), 503);
    EXPECT_EQ(ask("POST", "/events", "\x0a\x01\x34", {{"ce-type", "shop.v1.ProductDeleted"}}), 503);
  }

  TestRedis redis_;
  TestFunction stock_{"stock", stock_router(), stock_openapi(), &redis_};
};

TEST_F(StockOpenApiTest, EveryDocumentedStatusIsProduced) {
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json"}) {
    EXPECT_EQ(ask("GET", path), 200) << path;
  }
  EXPECT_EQ(ask("POST", "/seed"), 200);
  walk_levels();
  walk_reservations();
  walk_without_redis();
  stock_.settings.clear();
  EXPECT_EQ(ask("POST", "/seed"), 404);
  stock_.expect_all_produced();
}

}  // namespace
}  // namespace shop
