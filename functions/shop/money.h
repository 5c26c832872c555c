// Money: integer minor units (pence) of one currency, GBP. Never a binary fraction. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace shop {

constexpr const char* kCurrency = "GBP";

// A JSON number, exact and without needless digits: 120 is "1.2", 10000 is "100". `minor` >= 0.
std::string decimal(std::int64_t minor);

// For people: 120 is "£1.20". `minor` >= 0.
std::string pounds(std::int64_t minor);

// sum + unit * quantity, or nothing when it does not fit.
std::optional<std::int64_t> add_product(std::int64_t sum, std::int64_t unit, std::int64_t quantity);

}  // namespace shop
