// Lines: what an order or a reservation is about, each product once, ordered by product id. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "functions/shop/json.h"

namespace shop {

constexpr std::size_t kLinesMax = 100;
constexpr std::int64_t kQuantityMax = 1'000'000;  // of one product in one order
constexpr std::size_t kIdBytesMax = 40;

struct Line {
  std::string product;
  std::int64_t quantity = 0;                // 1 to kQuantityMax
  std::optional<std::int64_t> price_minor;  // of one piece, once it is fixed
  friend bool operator==(const Line&, const Line&) = default;
};
using Lines = std::vector<Line>;

// Letters, digits, '-' and '_', 1 to kIdBytesMax: what may be part of a key.
bool is_id(std::string_view text);

// A whole number from 1 to kQuantityMax, or nothing.
std::optional<std::int64_t> read_quantity(const Json& value);

// {"lines": [{"productId": "1", "quantity": 2}]}. Two lines of one product become one, so that no
// check can be passed twice. Other members (a price of the client's, say) are ignored. Throws
// HttpError 400 "bad-lines".
Lines read_lines(const Json& body);

// "1=2@120,3=1": product=quantity@price. Equal lines give equal text.
std::string to_text(const Lines& lines);
// Of to_text() only. Throws std::invalid_argument for anything else.
Lines lines_of_text(std::string_view text);

// The sum of all lines, each with a price; nothing when it does not fit.
std::optional<std::int64_t> total_minor(const Lines& lines);

}  // namespace shop
