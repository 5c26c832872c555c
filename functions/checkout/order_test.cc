#include "functions/checkout/order.h"

#include <gtest/gtest.h>

#include <set>

#include "functions/checkout/checkout.h"

namespace shop {
namespace {

TEST(OrderTest, TellsItsMoneyExactly) {
  Order order{"f00", OrderStatus::kCompleted, {{"1", 3, 120}, {"3", 1, 4550}}, 4910, ""};
  EXPECT_EQ(to_json(order),
            R"({"id":"f00","status":"COMPLETED","lines":[)"
            R"({"productId":"1","quantity":3,"unitPrice":1.2,"unitPriceMinor":120},)"
            R"({"productId":"3","quantity":1,"unitPrice":45.5,"unitPriceMinor":4550}],)"
            R"("total":49.1,"totalMinor":4910,"currency":"GBP"})"
            "\n");
}

TEST(OrderTest, TellsWhyItWasCancelledAndNoPriceThatWasNeverFixed) {
  Order order{"f00", OrderStatus::kCancelled, {{"1", 3, {}}}, {}, "unknown-product"};
  EXPECT_EQ(to_json(order),
            R"({"id":"f00","status":"CANCELLED","lines":[)"
            R"({"productId":"1","quantity":3,"unitPrice":null,"unitPriceMinor":null}],)"
            R"("total":null,"totalMinor":null,"currency":"GBP","reason":"unknown-product"})"
            "\n");
}

TEST(OrderTest, GoesForwardsOnly) {
  using enum OrderStatus;
  for (const OrderStatus status : {kNew, kReserved, kCompleted, kCancelled}) {
    EXPECT_EQ(status_of_text(to_string(status)), status);
    EXPECT_FALSE(may_become(kCompleted, status));
    EXPECT_FALSE(may_become(kCancelled, status));
    EXPECT_FALSE(may_become(status, kNew));
  }
  EXPECT_FALSE(may_become(kNew, kCompleted));
  EXPECT_THROW(status_of_text("new"), std::invalid_argument);
}

TEST(OrderTest, HasAnIdThatNobodyGuesses) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(random_order_id());
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(ids.begin()->size(), 32u);
}

TEST(IdempotencyKeyTest, MustBeThereAndPlain) {
  const auto key = [](const std::string& value) {
    return idempotency_key(subito::Request("POST", "/orders", {{"Idempotency-Key", value}}));
  };
  EXPECT_EQ(key("abc-1"), "abc-1");
  EXPECT_THROW(key(""), subito::HttpError);
  EXPECT_THROW(key("a b"), subito::HttpError);
  EXPECT_THROW(key(std::string(129, 'a')), subito::HttpError);
  EXPECT_THROW(idempotency_key(subito::Request("POST", "/orders")), subito::HttpError);
}

}  // namespace
}  // namespace shop
