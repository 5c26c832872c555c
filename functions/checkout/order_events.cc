#include "functions/checkout/order_events.h"

#include <array>
#include <chrono>
#include <stdexcept>
#include <type_traits>

#include "functions/checkout/events.pb.h"
#include "functions/shop/money.h"

namespace shop {
namespace {

struct EventType {
  OrderStatus status;
  std::string_view name;
};
constexpr std::array<EventType, 5> kEventTypes = {
    {{OrderStatus::kNew, "shop.v1.OrderPlaced"},
     {OrderStatus::kReserved, "shop.v1.OrderReserved"},
     {OrderStatus::kAuthorised, "shop.v1.OrderAuthorised"},
     {OrderStatus::kCompleted, "shop.v1.OrderCompleted"},
     {OrderStatus::kCancelled, "shop.v1.OrderCancelled"}}};

[[noreturn]] void bad_event(std::string_view what) {
  throw std::invalid_argument("read event: " + std::string(what));
}

// Runs `use` with an empty message of the type that belongs to the status.
template <typename Use>
auto with_message(OrderStatus status, Use use) {
  switch (status) {
    case OrderStatus::kNew:
      return use(v1::OrderPlaced());
    case OrderStatus::kReserved:
      return use(v1::OrderReserved());
    case OrderStatus::kAuthorised:
      return use(v1::OrderAuthorised());
    case OrderStatus::kCompleted:
      return use(v1::OrderCompleted());
    case OrderStatus::kCancelled:
      break;
  }
  return use(v1::OrderCancelled());
}

void write_snapshot(const Order& order, v1::OrderSnapshot& out) {
  out.set_order(order.id);
  out.set_version(order.version);
  out.set_customer(order.customer);
  for (const Line& line : order.lines) {
    v1::OrderLine& added = *out.add_lines();
    added.set_product_id(line.product);
    added.set_quantity(line.quantity);
    if (line.price_minor) added.set_unit_price_minor(*line.price_minor);
  }
  if (order.total_minor) out.set_total_minor(*order.total_minor);
  out.set_currency(kCurrency);
  out.set_placed_unix_ms(order.placed_ms);
  if (order.expected_minor) out.set_expected_minor(*order.expected_minor);
}

Order read_snapshot(const v1::OrderSnapshot& in) {
  Order order;
  order.id = in.order();
  order.version = in.version();
  order.customer = in.customer();
  for (const v1::OrderLine& line : in.lines()) {
    order.lines.push_back({line.product_id(), line.quantity(), {}});
    if (line.has_unit_price_minor()) order.lines.back().price_minor = line.unit_price_minor();
  }
  if (in.has_total_minor()) order.total_minor = in.total_minor();
  order.placed_ms = in.placed_unix_ms();
  if (in.has_expected_minor()) order.expected_minor = in.expected_minor();
  return order;
}

const EventType* type_of_name(std::string_view name) {
  for (const EventType& type : kEventTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace

Event to_event(const Order& order, std::int64_t time_ms) {
  return with_message(order.status, [&](auto message) {
    write_snapshot(order, *message.mutable_order());
    message.set_time_unix_ms(time_ms);
    if constexpr (std::is_same_v<decltype(message), v1::OrderCancelled>) {
      message.set_reason(order.reason);
    }
    const std::string_view name = kEventTypes.at(static_cast<std::size_t>(order.status)).name;
    return Event{std::string(name), message.SerializeAsString()};
  });
}

bool is_order_event(std::string_view type) {
  return type_of_name(type) != nullptr;
}

OrderChanged order_changed(const Event& event) {
  const EventType* const type = type_of_name(event.type);
  if (type == nullptr) bad_event("'" + event.type + "' is none of an order");
  OrderChanged changed = with_message(type->status, [&](auto message) {
    if (!message.ParseFromString(event.data)) bad_event("the data is no " + event.type);
    OrderChanged read{read_snapshot(message.order()), message.time_unix_ms()};
    if constexpr (std::is_same_v<decltype(message), v1::OrderCancelled>) {
      read.order.reason = message.reason();
    }
    return read;
  });
  changed.order.status = type->status;
  const Order& order = changed.order;
  if (!is_id(order.id) || !is_id(order.customer) || order.version < 1 || order.placed_ms < 0) {
    bad_event("the " + event.type + " holds no order");
  }
  return changed;
}

Order fold(const std::optional<Order>& before, const Event& event) {
  Order after = order_changed(event).order;
  if (!before) {
    if (after.status != OrderStatus::kNew || after.version != 1) {
      bad_event("the first of an order is no OrderPlaced");
    }
    return after;
  }
  if (after.id != before->id || after.customer != before->customer ||
      after.placed_ms != before->placed_ms) {
    bad_event("it is of another order");
  }
  if (after.version != before->version + 1) bad_event("it is not the next one");
  if (!may_become(before->status, after.status)) bad_event("an order does not take this step");
  return after;
}

std::int64_t unix_ms() {
  using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace shop
