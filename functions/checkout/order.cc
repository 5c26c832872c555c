#include "functions/checkout/order.h"

#include <sys/random.h>

#include <array>
#include <stdexcept>

#include "functions/shop/json.h"
#include "functions/shop/money.h"

namespace shop {
namespace {

constexpr std::array kStatuses = {OrderStatus::kNew, OrderStatus::kReserved,
                                  OrderStatus::kCompleted, OrderStatus::kCancelled};

void write_money(JsonWriter& out, const char* name, std::optional<std::int64_t> minor) {
  const std::string minor_name = std::string(name) + "Minor";
  if (minor) {
    out.key(name).money(*minor).key(minor_name).integer(*minor);
  } else {
    out.key(name).null().key(minor_name).null();
  }
}

}  // namespace

std::string_view to_string(OrderStatus status) {
  switch (status) {
    case OrderStatus::kNew:
      return "NEW";
    case OrderStatus::kReserved:
      return "RESERVED";
    case OrderStatus::kCompleted:
      return "COMPLETED";
    case OrderStatus::kCancelled:
      return "CANCELLED";
  }
  return "UNKNOWN";
}

OrderStatus status_of_text(std::string_view text) {
  for (const OrderStatus status : kStatuses) {
    if (text == to_string(status)) return status;
  }
  throw std::invalid_argument("read order: no status '" + std::string(text) + "'");
}

bool may_become(OrderStatus from, OrderStatus to) {
  switch (from) {
    case OrderStatus::kNew:
      return to == OrderStatus::kReserved || to == OrderStatus::kCancelled;
    case OrderStatus::kReserved:
      return to == OrderStatus::kCompleted || to == OrderStatus::kCancelled;
    case OrderStatus::kCompleted:
    case OrderStatus::kCancelled:
      return false;
  }
  return false;
}

std::string to_json(const Order& order) {
  JsonWriter out;
  out.open_object().key("id").text(order.id).key("status").text(to_string(order.status));
  out.key("lines").open_array();
  for (const Line& line : order.lines) {
    out.open_object().key("productId").text(line.product).key("quantity").integer(line.quantity);
    write_money(out, "unitPrice", line.price_minor);
    out.close_object();
  }
  out.close_array();
  write_money(out, "total", order.total_minor);
  out.key("currency").text(kCurrency);
  if (!order.reason.empty()) out.key("reason").text(order.reason);
  return out.close_object().take();
}

std::string random_order_id() {
  std::array<unsigned char, 16> bytes;
  // Up to 256 bytes come whole (getrandom(2)).
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("make order id: no random bytes");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

}  // namespace shop
