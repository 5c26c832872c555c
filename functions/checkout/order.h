// Order, and what of it leaves checkout. Pure, but for the random id.
#pragma once

#include <subito/function.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "functions/shop/lines.h"

namespace shop {

// NEW ─▶ RESERVED ─▶ AUTHORISED ─▶ COMPLETED, and from the first three to CANCELLED. The last two
// are final: stock and money are where they belong.
enum class OrderStatus { kNew, kReserved, kAuthorised, kCompleted, kCancelled };

std::string_view to_string(OrderStatus status);  // "NEW"
// Throws std::invalid_argument for what is none.
OrderStatus status_of_text(std::string_view text);
bool may_become(OrderStatus from, OrderStatus to);
bool is_final(OrderStatus status);

struct Order {
  std::string id;  // 32 hexadecimal digits, random: who knows it may read the order
  OrderStatus status = OrderStatus::kNew;
  std::int64_t version = 1;  // one more with each step; 0: a draft (order_store.h)
  std::string customer;
  Lines lines;  // with prices from RESERVED on
  std::optional<std::int64_t> total_minor;
  std::string reason;          // why it was cancelled
  std::int64_t placed_ms = 0;  // Unix time
  // The total that its customer was told, if he says so.
  std::optional<std::int64_t> expected_minor = {};
  friend bool operator==(const Order&, const Order&) = default;
};

// {id, status, lines: [{productId, quantity, unitPrice, unitPriceMinor}], total, totalMinor,
// currency, customer, placedAt, version, reason}. Prices and total are null until they are fixed;
// reason only if cancelled. No line break behind it.
std::string to_json(const Order& order);

// What was asked for: the same text for the same order.
std::string fingerprint_of(const Order& order);

std::string random_order_id();

// "2026-11-26T08:30:00.123Z" (RFC 3339).
std::string utc_text(std::int64_t unix_ms);

}  // namespace shop
