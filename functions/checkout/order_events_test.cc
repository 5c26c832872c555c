#include "functions/checkout/order_events.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace shop {
namespace {

Order placed() {
  Order order;
  order.id = std::string(32, 'a');
  order.customer = "guest";
  order.lines = {{"1", 2, {}}, {"3", 1, {}}};
  order.placed_ms = 1'764'146'351'000;
  order.expected_minor = 0;
  return order;
}

Order next(Order order, OrderStatus status) {
  order.status = status;
  ++order.version;
  return order;
}

TEST(OrderEventsTest, TheOrderIsTheFoldOfItsEvents) {
  Order order = placed();
  std::optional<Order> folded = fold({}, to_event(order, 1));
  EXPECT_EQ(folded, order);
  order = next(order, OrderStatus::kReserved);
  order.lines.at(0).price_minor = 120;
  order.lines.at(1).price_minor = 0;
  order.total_minor = 240;
  EXPECT_EQ(folded = fold(folded, to_event(order, 2)), order);
  order = next(order, OrderStatus::kAuthorised);
  EXPECT_EQ(folded = fold(folded, to_event(order, 3)), order);
  Order cancelled = next(order, OrderStatus::kCancelled);
  cancelled.reason = "reservation-lost";
  EXPECT_EQ(fold(folded, to_event(cancelled, 4)), cancelled);
  order = next(order, OrderStatus::kCompleted);
  EXPECT_EQ(fold(folded, to_event(order, 4)), order);
}

TEST(OrderEventsTest, WhatDoesNotComeNextIsRefused) {
  const Order first = placed();
  const Order second = next(first, OrderStatus::kReserved);
  EXPECT_THROW(fold({}, to_event(second, 1)), std::invalid_argument);
  EXPECT_THROW(fold(first, to_event(first, 1)), std::invalid_argument);
  EXPECT_THROW(fold(first, to_event(next(second, OrderStatus::kAuthorised), 1)),
               std::invalid_argument);
  EXPECT_THROW(fold(first, to_event(next(first, OrderStatus::kCompleted), 1)),
               std::invalid_argument);
  Order other = second;
  other.customer = "bob";
  EXPECT_THROW(fold(first, to_event(other, 1)), std::invalid_argument);
}

TEST(OrderEventsTest, AnEventSaysWhatItIsAndWhen) {
  const Event event = to_event(placed(), 42);
  EXPECT_EQ(event.type, "shop.v1.OrderPlaced");
  EXPECT_TRUE(is_order_event(event.type));
  EXPECT_EQ(order_changed(event).time_ms, 42);
  EXPECT_EQ(order_changed(event).order, placed());
}

TEST(OrderEventsTest, WhatIsNoEventOfAnOrderIsRefused) {
  const Event event = to_event(placed(), 42);
  EXPECT_FALSE(is_order_event("shop.v1.ProductCreated"));
  EXPECT_FALSE(is_order_event(""));
  for (const Event& bad : {Event{"shop.v1.ProductCreated", event.data}, Event{event.type, "\xff"},
                           Event{event.type, ""}, Event{"", event.data}}) {
    EXPECT_THROW(order_changed(bad), std::invalid_argument) << bad.type;
  }
}

}  // namespace
}  // namespace shop
