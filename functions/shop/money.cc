#include "functions/shop/money.h"

namespace shop {
namespace {

constexpr std::int64_t kMinorPerMajor = 100;

std::string pence(std::int64_t minor) {
  const std::string digits = std::to_string(minor % kMinorPerMajor);
  return digits.size() == 1 ? "0" + digits : digits;
}

}  // namespace

std::string decimal(std::int64_t minor) {
  std::string out = std::to_string(minor / kMinorPerMajor);
  std::string fraction = pence(minor);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) out += "." + fraction;
  return out;
}

std::string pounds(std::int64_t minor) {
  return "£" + std::to_string(minor / kMinorPerMajor) + "." + pence(minor);
}

std::optional<std::int64_t> add_product(std::int64_t sum, std::int64_t unit,
                                        std::int64_t quantity) {
  std::int64_t product = 0;
  std::int64_t total = 0;
  if (__builtin_mul_overflow(unit, quantity, &product)) return std::nullopt;
  if (__builtin_add_overflow(sum, product, &total)) return std::nullopt;
  return total;
}

}  // namespace shop
