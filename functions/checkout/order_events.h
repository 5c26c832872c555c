// The events of an order (events.proto) and what they are worth: the order is the fold of its
// events. Pure, but for unix_ms().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "functions/checkout/order.h"
#include "functions/shop/event.h"

namespace shop {

// What a reader of an event learns: the order after it.
struct OrderChanged {
  Order order;
  std::int64_t time_ms = 0;  // Unix time
};

// The event that the order came to its status.
Event to_event(const Order& order, std::int64_t time_ms);

bool is_order_event(std::string_view type);
// Throws std::invalid_argument for data that is no such message, or no order.
OrderChanged order_changed(const Event& event);

// The order after the next event, from nothing on. Throws std::invalid_argument when the event does
// not come next: another version, a step that an order does not take, another order.
Order fold(const std::optional<Order>& before, const Event& event);

// The clock of this machine.
std::int64_t unix_ms();

}  // namespace shop
