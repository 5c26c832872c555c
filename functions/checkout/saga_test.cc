#include "functions/checkout/saga.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

#include <map>
#include <set>

namespace shop {
namespace {

using subito::CallError;
using subito::Request;
using subito::Response;

// Orders and records in memory. A lease lasts until let_go().
class MemoryOrderStore final : public OrderStore {
 public:
  struct Record {
    std::string fingerprint;
    std::string order;
    bool leased = true;
    std::optional<StoredAnswer> answer;
  };

  Begun begin(const std::string& key, const Order& order, std::chrono::milliseconds) override {
    const auto [at, fresh] =
        records.try_emplace(key, Record{to_text(order.lines), order.id, true, {}});
    Record& record = at->second;
    using Outcome = Begun::Outcome;
    if (fresh) {
      orders[order.id] = order;
      return {Outcome::kStarted, order, {}};
    }
    if (record.fingerprint != to_text(order.lines)) return {Outcome::kMismatch, {}, {}};
    if (record.answer) return {Outcome::kReplay, orders.at(record.order), *record.answer};
    if (record.leased) return {Outcome::kInFlight, {}, {}};
    record.leased = true;
    return {Outcome::kResumed, orders.at(record.order), {}};
  }
  bool change(const std::string& key, const Order& order, OrderStatus from,
              OrderStore::Record record, const StoredAnswer& answer) override {
    if (orders.at(order.id).status != from) return false;
    orders[order.id] = order;
    if (record == OrderStore::Record::kAnswer) records.at(key).answer = answer;
    if (record == OrderStore::Record::kForget) records.erase(key);
    return true;
  }
  void let_go(const std::string& key) override { records.at(key).leased = false; }
  std::optional<Order> find(const std::string& id) override { return orders.at(id); }

  std::map<std::string, Record> records;
  std::map<std::string, Order> orders;
};

// Stock of one product, "3", as scripts.h has it. `fault` runs before or after a step is done.
struct FakeStock {
  std::int64_t available = 5;
  std::int64_t sold = 0;
  std::map<std::string, std::pair<std::string, std::int64_t>> reservations;
  std::string refuse;  // answer 503 to paths that end with this, doing nothing
  std::string lose;    // do it, but lose the answer
  int calls = 0;

  Response operator()(const Request& request) {
    ++calls;
    const std::string& path = request.path();
    if (!refuse.empty() && path.ends_with(refuse)) {
      return Response::problem(503, "storage-unavailable", "Redis is away");
    }
    Response answer = path == "/reservations" ? reserve(request) : end(path);
    if (!lose.empty() && path.ends_with(lose)) throw CallError("unavailable", "the pod died");
    return answer;
  }

  Response reserve(const Request& request) {
    const Json body = Json::parse(request.body());
    const std::int64_t quantity = read_lines(body).front().quantity;
    auto [at, fresh] = reservations.try_emplace(text_of(body, "order"), "RESERVED", quantity);
    if (!fresh && at->second.first == "RELEASED") {
      return Response::problem(409, "reservation-released", "too late");
    }
    if (!fresh) return Response::json("{}");
    if (quantity > available) {
      reservations.erase(at);
      return Response::problem(409, "out-of-stock", "product 3: too few");
    }
    available -= quantity;
    return Response::json("{}", 201);
  }

  Response end(const std::string& path) {
    const bool commit = path.ends_with("/commit");
    const std::string order = path.substr(14, 32);
    auto& [state, quantity] = reservations[order];
    const std::string wanted = commit ? "COMMITTED" : "RELEASED";
    if (state == wanted) return Response::json("{}");
    if (state != "RESERVED" && !(state.empty() && !commit)) {
      return Response::problem(409, "reservation-ended", state);
    }
    state = wanted;
    (commit ? sold : available) += quantity;
    return Response::json("{}");
  }
};

class SagaTest : public testing::Test {
 protected:
  SagaTest() {
    context_.on_call("catalogue", [this](const Request& request) {
      EXPECT_EQ(request.path(), "/products");
      return Response::json(catalogue_);
    });
    context_.on_call("stock", [this](const Request& request) { return stock_(request); });
  }

  Response place(const std::string& key = "k", std::int64_t quantity = 2) {
    return Saga(key, context_, store_).place({{"3", quantity, {}}});
  }

  Order only_order() {
    EXPECT_EQ(store_.orders.size(), 1u);
    return store_.orders.begin()->second;
  }

  // Each piece is somewhere, and no order is left between states.
  void expect_settled() {
    std::int64_t sold = 0;
    for (const auto& [id, order] : store_.orders) {
      if (order.status == OrderStatus::kCompleted) sold += order.lines.front().quantity;
      EXPECT_TRUE(order.status == OrderStatus::kCompleted ||
                  order.status == OrderStatus::kCancelled)
          << to_string(order.status);
    }
    EXPECT_EQ(stock_.sold, sold);
    EXPECT_EQ(stock_.available, 5 - sold);
  }

  std::string catalogue_ = R"([{"id":"3","price":45.5,"priceMinor":4550,"currency":"GBP"}])";
  FakeStock stock_;
  subito::testing::TestContext context_;
  MemoryOrderStore store_;
};

TEST_F(SagaTest, CompletesAnOrderAndReplaysItsAnswer) {
  const Response first = place();
  EXPECT_EQ(first.status(), 201);
  EXPECT_NE(first.body().find("\"total\":91,\"totalMinor\":9100,\"currency\":\"GBP\""),
            std::string::npos)
      << first.body();
  EXPECT_EQ(first.headers().get("location"), "/orders/" + only_order().id);
  const int calls = stock_.calls;
  const Response second = place();
  EXPECT_EQ(second.status(), 201);
  EXPECT_EQ(second.body(), first.body());
  EXPECT_EQ(second.headers().get("location"), first.headers().get("location"));
  EXPECT_EQ(stock_.calls, calls);
  expect_settled();
}

TEST_F(SagaTest, RefusesTheSameKeyForAnotherOrder) {
  EXPECT_EQ(place("k", 2).status(), 201);
  EXPECT_EQ(place("k", 1).status(), 422);
  expect_settled();
}

TEST_F(SagaTest, RefusesASecondRequestWhileTheFirstIsInFlight) {
  context_.on_call("catalogue", [this](const Request&) {
    EXPECT_EQ(place().status(), 409);
    return Response::json(catalogue_);
  });
  EXPECT_EQ(place().status(), 201);
  expect_settled();
}

TEST_F(SagaTest, WhatIsShortIsRefusedAndStaysRefused) {
  const Response answer = place("k", 6);
  EXPECT_EQ(answer.status(), 409);
  EXPECT_NE(answer.body().find("product 3"), std::string::npos);
  stock_.available = 7;
  EXPECT_EQ(place("k", 6).status(), 409);
  stock_.available = 5;
  EXPECT_EQ(only_order().reason, "out-of-stock");
  expect_settled();
}

TEST_F(SagaTest, RefusesAnUnknownProductAndATotalBeyondCounting) {
  catalogue_ = "[]";
  EXPECT_EQ(place("a").status(), 422);
  catalogue_ = R"([{"id":"3","priceMinor":9223372036854775807}])";
  EXPECT_EQ(place("b").status(), 422);
  for (const auto& [order, held] : stock_.reservations) EXPECT_EQ(held.first, "RELEASED");
  expect_settled();
}

TEST_F(SagaTest, WithoutACatalogueNothingIsOrderedAndTheKeyIsFree) {
  context_.fail_call("catalogue", "unavailable");
  EXPECT_EQ(place().status(), 503);
  expect_settled();
  catalogue_ = "not a list";
  context_.on_call("catalogue", [this](const Request&) { return Response::json(catalogue_); });
  EXPECT_EQ(place().status(), 503);
  expect_settled();
}

TEST_F(SagaTest, WhenStockFailsTheOrderIsCancelledAndNothingHeld) {
  stock_.refuse = "/reservations";
  EXPECT_EQ(place().status(), 503);
  EXPECT_EQ(only_order().status, OrderStatus::kCancelled);
  expect_settled();
  stock_.refuse = "";
  EXPECT_EQ(place().status(), 201);
  expect_settled();
}

TEST_F(SagaTest, AReservationWhoseAnswerIsLostIsReleased) {
  stock_.lose = "/reservations";
  EXPECT_EQ(place().status(), 503);
  EXPECT_EQ(stock_.available, 5);
  expect_settled();
}

TEST_F(SagaTest, WithoutStockTheOrderStaysOpenUntilItIsAskedAgain) {
  context_.fail_call("stock", "unavailable");
  const Response open = place();
  EXPECT_EQ(open.status(), 503);
  EXPECT_NE(open.body().find("order-open"), std::string::npos);
  EXPECT_EQ(only_order().status, OrderStatus::kNew);
  context_.on_call("stock", [this](const Request& request) { return stock_(request); });
  EXPECT_EQ(place().status(), 201);
  expect_settled();
}

TEST_F(SagaTest, ACommitWhoseAnswerIsLostIsFinishedWhenAskedAgain) {
  stock_.lose = "/commit";
  EXPECT_EQ(place().status(), 503);
  EXPECT_EQ(only_order().status, OrderStatus::kReserved);
  stock_.lose = "";
  EXPECT_EQ(place().status(), 201);
  EXPECT_EQ(stock_.sold, 2);
  expect_settled();
}

TEST_F(SagaTest, ThePriceIsFixedOnceReserved) {
  stock_.refuse = "/commit";
  EXPECT_EQ(place().status(), 503);
  stock_.refuse = "";
  catalogue_ = R"([{"id":"3","priceMinor":99900}])";
  const Response answer = place();
  EXPECT_NE(answer.body().find("\"totalMinor\":9100"), std::string::npos) << answer.body();
  expect_settled();
}

TEST_F(SagaTest, AReservationThatWasReleasedMeanwhileCancelsTheOrder) {
  stock_.refuse = "/commit";
  EXPECT_EQ(place().status(), 503);
  stock_.refuse = "";
  stock_.end("/reservations/" + only_order().id + "/release");
  EXPECT_EQ(place().status(), 409);
  EXPECT_EQ(only_order().status, OrderStatus::kCancelled);
  expect_settled();
}

// Every call to stock fails once, before or after its effect; asking again settles it each time.
TEST_F(SagaTest, SettlesWhicheverCallFailsAndHow) {
  for (const char* step : {"/reservations", "/commit", "/release"}) {
    for (const bool lost : {false, true}) {
      FakeStock fresh;
      (lost ? fresh.lose : fresh.refuse) = step;
      stock_ = fresh;
      store_.orders.clear();
      store_.records.clear();
      (void)place();
      stock_.lose = stock_.refuse = "";
      EXPECT_EQ(place().status(), 201) << step << (lost ? " lost" : " refused");
      expect_settled();
    }
  }
}

// The first is told that stock is short and stalls past its lease; meanwhile pieces come in, a
// second reserves them for the same order and dies. Then the first goes on and refuses.
TEST_F(SagaTest, WhatAnotherReservedForAnOrderThatIsRefusedIsReleased) {
  int reservations = 0;
  context_.on_call("stock", [&](const Request& request) {
    const Response answer = stock_(request);
    if (request.path() != "/reservations") return answer;
    if (++reservations == 2) throw std::runtime_error("the pod dies");
    stock_.available = 6;
    store_.let_go("k");
    EXPECT_THROW((void)place("k", 6), std::runtime_error);
    EXPECT_EQ(stock_.available, 0);
    return answer;
  });
  EXPECT_EQ(place("k", 6).status(), 409);
  EXPECT_EQ(only_order().status, OrderStatus::kCancelled);
  EXPECT_EQ(stock_.available, 6);
}

TEST_F(SagaTest, OnlyOneOfTwoThatWorkOnAnOrderGetsThrough) {
  stock_.refuse = "/commit";
  EXPECT_EQ(place().status(), 503);
  stock_.refuse = "";
  context_.on_call("stock", [this](const Request& request) {
    Order other = only_order();  // another pod, first by a hair
    other.status = OrderStatus::kCompleted;
    store_.orders[other.id] = other;
    return stock_(request);
  });
  EXPECT_EQ(place().status(), 409);
  EXPECT_EQ(stock_.sold, 2);
}

}  // namespace
}  // namespace shop
