// Stock alone on a real Redis: what expires, what comes and goes with the catalogue, and that each
// change has its event.
#include "functions/stock/stock.h"

#include <gtest/gtest.h>

#include "functions/catalogue/events.pb.h"
#include "functions/shop/test_at_once.h"
#include "functions/shop/test_function.h"
#include "functions/stock/events.pb.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

class StockTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
    ASSERT_EQ(stock_.post("/seed").status(), 200);
  }

  int reserve(const std::string& order, const std::string& product, int quantity,
              std::int64_t expires_ms = 900'000) {
    return stock_
        .post("/reservations", R"({"order":")" + order + R"(","expiresInMs":)" +
                                   std::to_string(expires_ms) + R"(,"lines":[{"productId":")" +
                                   product + R"(","quantity":)" + std::to_string(quantity) + "}]}")
        .status();
  }
  int end(const std::string& order, const std::string& how) {
    return stock_.post("/reservations/" + order + "/" + how).status();
  }
  int deliver_due(const std::string& order) {
    return stock_.ask(Request("POST", "/due", {{"ce-subject", order}})).status();
  }
  // Its time has come, without waiting for it.
  void make_due(const std::string& order) { stock_.redis({"ZADD", "stock:due", "XX", "1", order}); }
  template <typename Message>
  int deliver(const Message& message) {
    return stock_
        .ask(Request("POST", "/events", {{"ce-type", message.GetTypeName()}, {"ce-id", "1-1"}},
                     message.SerializeAsString()))
        .status();
  }
  std::string state(const std::string& order) {
    return text_of(stock_.get_json("/reservations/" + order), "state");
  }
  std::int64_t number(const std::string& product, const char* name) {
    return stock_.get_json("/stocks/" + product).at(name).get<std::int64_t>();
  }
  std::map<std::string, int> events() {
    const auto entries = stock_.redis({"XRANGE", "stock:events", "-", "+"});
    std::map<std::string, int> counts;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      ++counts[std::string(entries[i][1][1].text())];
    }
    return counts;
  }
  void expect_books_right() {
    for (const Json& level : stock_.get_json("/stocks")) {
      const std::int64_t available = level.at("amountAvailable");
      const std::int64_t reserved = level.at("reserved");
      const std::int64_t sold = level.at("sold");
      EXPECT_EQ(level.at("received"), available + reserved + sold) << level;
      EXPECT_TRUE(available >= 0 && reserved >= 0 && sold >= 0) << level;
    }
  }

  TestRedis redis_;
  TestFunction stock_{"stock", stock_router(), stock_openapi(), &redis_};
};

TEST_F(StockTest, WhatNobodyEndsInTimeGoesBack) {
  ASSERT_EQ(reserve("a", "3", 9), 201);
  EXPECT_EQ(deliver_due("a"), 409);  // not yet
  EXPECT_EQ(state("a"), "RESERVED");
  make_due("a");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(deliver_due("a"), 204);
    EXPECT_EQ(state("a"), "EXPIRED");
    EXPECT_EQ(number("3", "amountAvailable"), 999);
  }
  EXPECT_EQ(end("a", "commit"), 409);
  EXPECT_EQ(end("a", "release"), 200);
  EXPECT_EQ(state("a"), "EXPIRED");
  EXPECT_EQ(reserve("a", "3", 9), 409);
  ASSERT_EQ(reserve("b", "3", 9), 201);
  stock_.redis({"ZREM", "stock:due", "b"});
  EXPECT_EQ(deliver_due("b"), 204);  // it is not due at all
  EXPECT_EQ(state("b"), "RESERVED");
  EXPECT_EQ(end("b", "release"), 200);
  EXPECT_EQ(stock_.redis({"ZCARD", "stock:due"}).integer(), 0);
  EXPECT_EQ(events().at("shop.v1.ReservationExpired"), 1);
  EXPECT_EQ(events().at("shop.v1.ReservationReleased"), 1) << "of b alone";
  expect_books_right();
}

TEST_F(StockTest, TheTimeOfExpiryIsByTheClockOfRedis) {
  const auto now = stock_.redis({"TIME"});
  const std::int64_t ms = std::stoll(std::string(now[0].text())) * 1000;
  ASSERT_EQ(reserve("a", "3", 1, 60'000), 201);
  const auto score = stock_.redis({"ZSCORE", "stock:due", "a"});
  const std::int64_t due = std::stoll(std::string(score.text()));
  EXPECT_GE(due, ms + 60'000);
  EXPECT_LT(due, ms + 120'000);
  ASSERT_EQ(end("a", "commit"), 200);
  EXPECT_TRUE(stock_.redis({"ZSCORE", "stock:due", "a"}).is_nil());
  EXPECT_EQ(deliver_due("a"), 204);  // late, and for nothing
  EXPECT_EQ(state("a"), "COMMITTED");
  EXPECT_EQ(reserve("b", "3", 1, 0), 400);
  EXPECT_EQ(reserve("b", "3", 1, 86'400'001), 400);
}

TEST_F(StockTest, ExpiryThatRacesWithCommitSellsOrGivesBackAndNeverBoth) {
  for (int round = 0; round < 20; ++round) {
    const std::string order = "r" + std::to_string(round);
    const std::int64_t sold = number("3", "sold");
    ASSERT_EQ(reserve(order, "3", 3), 201);
    make_due(order);
    at_once([&](int client) { return client % 2 ? end(order, "commit") : deliver_due(order); });
    const bool committed = state(order) == "COMMITTED";
    EXPECT_EQ(number("3", "sold"), sold + (committed ? 3 : 0));
    EXPECT_EQ(number("3", "reserved"), 0);
  }
  const auto counts = events();
  const auto count = [&](const char* type) { return counts.contains(type) ? counts.at(type) : 0; };
  EXPECT_EQ(count("shop.v1.ReservationCommitted") + count("shop.v1.ReservationExpired"), 20);
  expect_books_right();
}

TEST_F(StockTest, AReleaseThatRacesWithItsReservationGivesThePiecesBack) {
  for (int round = 0; round < 40; ++round) {
    const std::string order = "r" + std::to_string(round);
    const auto statuses = at_once([&](int client) {
      return client % 8 == 0 ? reserve(order, "3", 3) : end(order, "release");
    });
    EXPECT_EQ(statuses.count(500) + statuses.count(503), 0u);
    EXPECT_EQ(end(order, "release"), 200);
    ASSERT_EQ(number("3", "reserved"), 0) << "in round " << round;
  }
  expect_books_right();
}

TEST_F(StockTest, WhatHasEndedIsForgottenAfterAMonthAndAKeyAfterADay) {
  constexpr std::int64_t kDay = 86'400;
  const auto left = [this](const std::string& key) { return stock_.redis({"TTL", key}).integer(); };
  ASSERT_EQ(reserve("a", "3", 1), 201);
  EXPECT_EQ(left("stock:reservation:a"), -1) << "what is reserved stays";
  ASSERT_EQ(end("a", "commit"), 200);
  EXPECT_GT(left("stock:reservation:a"), 29 * kDay);
  EXPECT_LE(left("stock:reservation:a"), 30 * kDay);
  ASSERT_EQ(stock_
                .ask(Request("POST", "/stocks/4/restock", {{"Idempotency-Key", "k"}},
                             R"({"quantity":3})"))
                .status(),
            200);
  EXPECT_GT(left("stock:restock:4:k"), kDay - 60);
  EXPECT_LE(left("stock:restock:4:k"), kDay);
}

TEST_F(StockTest, MorePiecesThanTheBooksHoldAreRefused) {
  stock_.redis({"HSET", "stock:level:4", "received", "999999999999", "sold", "999999999999"});
  EXPECT_EQ(stock_.post("/stocks/4/restock", R"({"quantity":2})").status(), 422);
  EXPECT_EQ(stock_.post("/stocks/4/restock", R"({"quantity":1})").status(), 200);
  expect_books_right();
}

TEST_F(StockTest, NeverOversellsWhileReservationsExpire) {
  const auto sold = at_once([&](int client) {
    const std::string order = "c" + std::to_string(client);
    if (reserve(order, "1", 1) != 201) return std::string("none");
    if (client % 3 == 0) {
      make_due(order);
      deliver_due(order);
    }
    end(order, "commit");
    return state(order);
  });
  EXPECT_EQ(number("1", "sold"), sold.contains("COMMITTED") ? sold.at("COMMITTED") : 0);
  EXPECT_LE(number("1", "sold"), 5);
  expect_books_right();
}

TEST_F(StockTest, ARestockThatIsRepeatedWithItsKeyCountsOnce) {
  const auto counts = at_once([&](int) {
    return stock_
        .ask(Request("POST", "/stocks/4/restock", {{"Idempotency-Key", "k"}}, R"({"quantity":3})"))
        .headers()
        .get("idempotency-replayed")
        .has_value();
  });
  EXPECT_EQ(counts, (std::map<bool, int>{{false, 1}, {true, kClients - 1}}));
  EXPECT_EQ(number("4", "received"), 3);
  EXPECT_EQ(stock_.post("/stocks/4/restock", R"({"quantity":3})").status(), 200);
  EXPECT_EQ(number("4", "received"), 6);
  EXPECT_EQ(events().at("shop.v1.StockReceived"), 2);
}

TEST_F(StockTest, LevelsComeAndGoWithTheProductsOfTheCatalogue) {
  v1::ProductCreated created;
  created.set_product_id("1001");
  created.set_sku("77");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(deliver(created), 204);
  EXPECT_EQ(stock_.get_json("/stocks/1001").at("sku"), "77");
  EXPECT_EQ(number("1001", "amountAvailable"), 0);
  ASSERT_EQ(stock_.post("/stocks/1001/restock", R"({"quantity":3})").status(), 200);
  EXPECT_EQ(deliver(created), 204);  // again, and late
  EXPECT_EQ(number("1001", "amountAvailable"), 3);
  ASSERT_EQ(reserve("a", "1001", 1), 201);

  v1::ProductDeleted deleted;
  deleted.set_product_id("1001");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(deliver(deleted), 204);
  EXPECT_EQ(stock_.get_json("/stocks/1001").at("withdrawn"), true);
  EXPECT_EQ(stock_.get_json("/stocks").size(), 5U) << "those of the seed: it is listed no more";
  EXPECT_EQ(reserve("b", "1001", 1), 409);
  EXPECT_EQ(stock_.post("/stocks/1001/restock", R"({"quantity":3})").status(), 409);
  EXPECT_EQ(end("a", "commit"), 200);
  EXPECT_EQ(number("1001", "sold"), 1);
  EXPECT_EQ(events().at("shop.v1.ProductWithdrawn"), 1);
  expect_books_right();
}

TEST_F(StockTest, NewsOfAProductBeforeTheSeedLeaveItsPiecesToTheSeed) {
  stock_.redis({"DEL", "stock:level:3"});
  v1::ProductCreated created;
  created.set_product_id("3");
  created.set_sku("54326745");
  EXPECT_EQ(deliver(created), 204);
  EXPECT_EQ(number("3", "amountAvailable"), 0);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(stock_.post("/seed").status(), 200);
  EXPECT_EQ(number("3", "amountAvailable"), 999);
}

TEST_F(StockTest, TheSeedBringsNothingBackThatWasWithdrawn) {
  stock_.redis({"DEL", "stock:level:3"});
  v1::ProductDeleted deleted;
  deleted.set_product_id("3");
  EXPECT_EQ(deliver(deleted), 204);
  EXPECT_EQ(stock_.post("/seed").body(), "{\"added\":0}\n");
  EXPECT_EQ(number("3", "amountAvailable"), 0);
  EXPECT_EQ(stock_.get_json("/stocks").size(), 4U);
}

TEST_F(StockTest, NewsOfAProductInTheWrongOrderEndAsIfInTheRight) {
  v1::ProductDeleted deleted;
  deleted.set_product_id("1001");
  v1::ProductCreated created;
  created.set_product_id("1001");
  EXPECT_EQ(deliver(deleted), 204);
  EXPECT_EQ(number("1001", "amountAvailable"), 0) << "it has a level";
  EXPECT_EQ(deliver(created), 204);
  EXPECT_EQ(stock_.get_json("/stocks/1001").at("withdrawn"), true);
  EXPECT_EQ(events().at("shop.v1.ProductStocked"), 5) << "those of the seed";
  created.set_product_id("a b");
  EXPECT_EQ(deliver(created), 400);
  EXPECT_EQ(deliver(v1::ProductChanged()), 204);
}

TEST_F(StockTest, EachChangeHasItsEventAndNothingElseHasOne) {
  const std::map<std::string, int> seeded{{"shop.v1.ProductStocked", 5}};
  EXPECT_EQ(events(), seeded);
  EXPECT_EQ(stock_.post("/seed").status(), 200);
  EXPECT_EQ(reserve("a", "4", 1), 409);
  EXPECT_EQ(end("a", "commit"), 404);
  EXPECT_EQ(events(), seeded);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reserve("b", "3", 2), i == 0 ? 201 : 200);
    EXPECT_EQ(reserve("c", "3", 2), i == 0 ? 201 : 409);
    EXPECT_EQ(end("c", "release"), 200);
    EXPECT_EQ(end("d", "release"), 200);
  }
  EXPECT_EQ(end("b", "commit"), 200);
  EXPECT_EQ(events(), (std::map<std::string, int>{{"shop.v1.ProductStocked", 5},
                                                  {"shop.v1.ReservationCommitted", 1},
                                                  {"shop.v1.ReservationMade", 2},
                                                  {"shop.v1.ReservationReleased", 2}}));
  const auto last = stock_.redis({"XREVRANGE", "stock:events", "+", "-", "COUNT", "1"});
  v1::ReservationCommitted committed;
  ASSERT_TRUE(committed.ParseFromString(std::string(last[0][1][3].text())));
  EXPECT_EQ(committed.order_id(), "b");
  ASSERT_EQ(committed.lines_size(), 1);
  EXPECT_EQ(committed.lines(0).quantity(), 2);
}

TEST_F(StockTest, EveryEndTellsItsOrderAndItsLines) {
  const auto last = [this](const std::string& type, int lines) {
    const auto entry = stock_.redis({"XREVRANGE", "stock:events", "+", "-", "COUNT", "1"})[0][1];
    EXPECT_EQ(entry[1].text(), "shop.v1." + type);
    v1::ReservationReturned told;  // all ends have the same fields
    ASSERT_TRUE(told.ParseFromString(std::string(entry[3].text())));
    EXPECT_EQ(told.order_id(), "a" + type);
    ASSERT_EQ(told.lines_size(), lines);
    if (lines == 0) return;
    EXPECT_EQ(told.lines(0).product_id(), "3");
    EXPECT_EQ(told.lines(0).quantity(), 2);
  };
  for (const char* type : {"ReservationReleased", "ReservationReturned", "ReservationExpired"}) {
    ASSERT_EQ(reserve("a" + std::string(type), "3", 2), 201);
  }
  ASSERT_EQ(end("aReservationReleased", "release"), 200);
  last("ReservationReleased", 1);
  ASSERT_EQ(end("aReservationReturned", "commit"), 200);
  ASSERT_EQ(end("aReservationReturned", "release"), 200);
  last("ReservationReturned", 1);
  make_due("aReservationExpired");
  ASSERT_EQ(deliver_due("aReservationExpired"), 204);
  last("ReservationExpired", 1);
  stock_.redis({"DEL", "stock:reservation:aReservationReleased"});
  ASSERT_EQ(end("aReservationReleased", "release"), 200);  // of what never was
  last("ReservationReleased", 0);
}

TEST_F(StockTest, AListThatDidNotChangeIsNotSentAgain) {
  const std::string tag(*stock_.get("/stocks").headers().get("etag"));
  const auto status = [&] {
    return stock_.ask(Request("GET", "/stocks", {{"If-None-Match", tag}})).status();
  };
  EXPECT_EQ(status(), 304);
  ASSERT_EQ(reserve("a", "3", 1), 201);
  EXPECT_EQ(status(), 200);
}

}  // namespace
}  // namespace shop
