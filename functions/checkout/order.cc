#include "functions/checkout/order.h"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "functions/shop/json.h"
#include "functions/shop/money.h"

namespace shop {
namespace {

constexpr std::array kStatuses = {OrderStatus::kNew, OrderStatus::kReserved,
                                  OrderStatus::kAuthorised, OrderStatus::kCompleted,
                                  OrderStatus::kCancelled};

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
    case OrderStatus::kAuthorised:
      return "AUTHORISED";
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
  if (is_final(from)) return false;
  if (to == OrderStatus::kCancelled) return true;
  return static_cast<int>(to) == static_cast<int>(from) + 1;
}

bool is_final(OrderStatus status) {
  return status == OrderStatus::kCompleted || status == OrderStatus::kCancelled;
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
  out.key("customer").text(order.customer).key("placedAt").text(utc_text(order.placed_ms));
  out.key("version").integer(order.version);
  if (!order.reason.empty()) out.key("reason").text(order.reason);
  std::string json = out.close_object().take();
  json.pop_back();  // the line break
  return json;
}

std::string fingerprint_of(const Order& order) {
  std::string text = order.customer + " " + to_text(order.lines);
  if (order.expected_minor) text += " " + std::to_string(*order.expected_minor);
  return text;
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

std::string utc_text(std::int64_t unix_ms) {
  using std::chrono::floor, std::chrono::milliseconds, std::chrono::days;
  const std::chrono::sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 40> text;
  const int n = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(n));
}

}  // namespace shop
