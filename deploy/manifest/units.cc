#include "deploy/manifest/units.h"

#include <array>
#include <limits>
#include <optional>
#include <span>

#include "deploy/manifest/letters.h"

namespace subito::manifest {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Longest names first where one begins with another.
constexpr std::array<Unit, 4> kDurationUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 9> kSizeUnits = {{{"Ki", 1LL << 10},
                                             {"Mi", 1LL << 20},
                                             {"Gi", 1LL << 30},
                                             {"Ti", 1LL << 40},
                                             {"k", 1000},
                                             {"M", 1'000'000},
                                             {"G", 1'000'000'000},
                                             {"T", 1'000'000'000'000},
                                             {"", 1}}};
constexpr std::array<Unit, 2> kCpuUnits = {{{"m", 1}, {"", 1000}}};

// A decimal number as digits and how many of them stand behind the point: 1.50 is {150, 2}.
struct Decimal {
  std::int64_t digits = 0;
  int scale = 0;
};

constexpr int kDigitsMax = 15;  // whatever is written with more is a slip, and nothing overflows

// Takes a number off the front of `text`; nothing when there is none.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal decimal;
  std::size_t at = 0;
  int count = 0;
  bool point = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !point && count > 0) {
      point = true;
      continue;
    }
    if (!is_digit(text[at])) break;
    if (++count > kDigitsMax) return std::nullopt;
    decimal.digits = decimal.digits * 10 + (text[at] - '0');
    if (point) ++decimal.scale;
  }
  if (count == 0 || (point && decimal.scale == 0)) return std::nullopt;
  text.remove_prefix(at);
  return decimal;
}

// decimal * factor if it is a whole number that fits.
std::optional<std::int64_t> scaled(Decimal decimal, std::int64_t factor) {
  std::int64_t value = 0;
  if (__builtin_mul_overflow(decimal.digits, factor, &value)) return std::nullopt;
  for (; decimal.scale > 0; --decimal.scale) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  return value;
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 40)) + "'";
}

// A number and its unit, the whole of `text`.
Result<std::int64_t> parse_one(std::string_view text, std::span<const Unit> units,
                               const char* allowed) {
  std::string_view rest = text;
  const std::optional<Decimal> decimal = take_decimal(rest);
  if (!decimal)
    return fail(ErrorCode::kInvalidArgument, "is " + quoted(text) + ", allowed is " + allowed);
  for (const Unit& unit : units) {
    if (rest != unit.name) continue;
    if (const auto value = scaled(*decimal, unit.factor)) return *value;
    return fail(ErrorCode::kInvalidArgument, quoted(text) + " is too large or too fine");
  }
  return fail(ErrorCode::kInvalidArgument,
              quoted(text) + " has an unknown unit " + quoted(rest) + ", allowed is " + allowed);
}

}  // namespace

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  static constexpr char kAllowed[] = "a duration such as 30s, 250ms, 5m or 1h";
  std::string_view rest = text;
  std::int64_t total = 0;
  do {
    const std::string_view begin = rest;
    if (!take_decimal(rest))
      return fail(ErrorCode::kInvalidArgument, "is " + quoted(text) + ", allowed is " + kAllowed);
    std::size_t unit = 0;
    while (unit < rest.size() && !is_digit(rest[unit])) ++unit;
    if (unit == 0)
      return fail(ErrorCode::kInvalidArgument,
                  quoted(text) + " has no unit, allowed is " + std::string(kAllowed));
    rest.remove_prefix(unit);
    ASSIGN_OR_RETURN(const std::int64_t part, parse_one(begin.substr(0, begin.size() - rest.size()),
                                                        kDurationUnits, kAllowed));
    if (__builtin_add_overflow(total, part, &total))
      return fail(ErrorCode::kInvalidArgument, quoted(text) + " is too large");
  } while (!rest.empty());
  return total;
}

Result<std::int64_t> parse_size_bytes(std::string_view text) {
  return parse_one(text, kSizeUnits, "a size such as 64Mi, 1Gi or a number of bytes");
}

Result<std::int64_t> parse_cpu_millicores(std::string_view text) {
  return parse_one(text, kCpuUnits, "a share of a CPU such as 500m, 1 or 1.5");
}

std::string format_duration_ms(std::int64_t milliseconds) {
  if (milliseconds == 0) return "0s";
  if (milliseconds % 3'600'000 == 0) return std::to_string(milliseconds / 3'600'000) + "h";
  if (milliseconds % 60'000 == 0) return std::to_string(milliseconds / 60'000) + "m";
  if (milliseconds % 1000 == 0) return std::to_string(milliseconds / 1000) + "s";
  return std::to_string(milliseconds) + "ms";
}

std::string format_size_bytes(std::int64_t bytes) {
  for (int unit = 3; bytes != 0 && unit >= 0; --unit) {
    const Unit& u = kSizeUnits[static_cast<std::size_t>(unit)];
    if (bytes % u.factor == 0) return std::to_string(bytes / u.factor) + std::string(u.name);
  }
  return std::to_string(bytes);
}

std::string format_cpu_millicores(std::int64_t millicores) {
  if (millicores % 1000 == 0) return std::to_string(millicores / 1000);
  return std::to_string(millicores) + "m";
}

}  // namespace subito::manifest
