// Order, and what of it leaves checkout. Pure.
#pragma once

#include <subito/function.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "functions/shop/lines.h"

namespace shop {

// NEW ─▶ RESERVED ─▶ COMPLETED, and from NEW and RESERVED to CANCELLED. The last two are final.
enum class OrderStatus { kNew, kReserved, kCompleted, kCancelled };

std::string_view to_string(OrderStatus status);  // "NEW"
// Throws std::invalid_argument for what is none.
OrderStatus status_of_text(std::string_view text);
bool may_become(OrderStatus from, OrderStatus to);

struct Order {
  std::string id;  // 32 hexadecimal digits, random: who knows it may read the order
  OrderStatus status = OrderStatus::kNew;
  Lines lines;  // with prices from RESERVED on
  std::optional<std::int64_t> total_minor;
  std::string reason;  // why it was cancelled
};

// {id, status, lines: [{productId, quantity, unitPrice, unitPriceMinor}], total, totalMinor,
// currency, reason}. Prices and total are null until they are fixed; reason only if cancelled.
std::string to_json(const Order& order);

std::string random_order_id();

}  // namespace shop
