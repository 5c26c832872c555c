#include "functions/checkout/order.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <utility>

namespace shop {
namespace {

TEST(OrderTest, TellsItsMoneyExactly) {
  const Order order{"f00", OrderStatus::kCompleted, 4, "ada", {{"1", 3, 120}, {"3", 1, 4550}}, 4910,
                    "",    1'764'146'351'007};
  EXPECT_EQ(to_json(order),
            R"({"id":"f00","status":"COMPLETED","lines":[)"
            R"({"productId":"1","quantity":3,"unitPrice":1.2,"unitPriceMinor":120},)"
            R"({"productId":"3","quantity":1,"unitPrice":45.5,"unitPriceMinor":4550}],)"
            R"("total":49.1,"totalMinor":4910,"currency":"GBP","customer":"ada",)"
            R"("placedAt":"2025-11-26T08:39:11.007Z","version":4})");
}

TEST(OrderTest, TellsWhyItWasCancelledAndNoPriceThatWasNeverFixed) {
  const Order order{"f00", OrderStatus::kCancelled, 2, "ada", {{"1", 3, {}}},
                    {},    "out-of-stock",          0};
  EXPECT_EQ(to_json(order),
            R"({"id":"f00","status":"CANCELLED","lines":[)"
            R"({"productId":"1","quantity":3,"unitPrice":null,"unitPriceMinor":null}],)"
            R"("total":null,"totalMinor":null,"currency":"GBP","customer":"ada",)"
            R"("placedAt":"1970-01-01T00:00:00.000Z","version":2,"reason":"out-of-stock"})");
}

TEST(OrderTest, GoesForwardsOnly) {
  using enum OrderStatus;
  const auto all = {kNew, kReserved, kAuthorised, kCompleted, kCancelled};
  const std::set<std::pair<OrderStatus, OrderStatus>> steps = {
      {kNew, kReserved},  {kReserved, kAuthorised}, {kAuthorised, kCompleted},
      {kNew, kCancelled}, {kReserved, kCancelled},  {kAuthorised, kCancelled}};
  for (const OrderStatus from : all) {
    EXPECT_EQ(status_of_text(to_string(from)), from);
    for (const OrderStatus to : all) {
      EXPECT_EQ(may_become(from, to), steps.contains({from, to}))
          << to_string(from) << " to " << to_string(to);
    }
  }
  EXPECT_THROW(status_of_text("new"), std::invalid_argument);
}

TEST(OrderTest, HasAnIdThatNobodyGuesses) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(random_order_id());
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(ids.begin()->size(), 32u);
}

}  // namespace
}  // namespace shop
