#include "functions/shop/lines.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>

#include "functions/shop/money.h"

namespace shop {
namespace {

using subito::HttpError;

[[noreturn]] void bad_lines(const std::string& detail) {
  throw HttpError(400, "bad-lines", detail);
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) throw std::invalid_argument("read lines: no number");
  return value;
}

Line line_of_text(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) throw std::invalid_argument("read lines: no quantity");
  const std::size_t at = text.find('@');
  Line line;
  line.product = text.substr(0, equals);
  line.quantity = number(text.substr(equals + 1, at == text.npos ? at : at - equals - 1));
  if (at != std::string_view::npos) line.price_minor = number(text.substr(at + 1));
  return line;
}

}  // namespace

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kIdBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

std::optional<std::int64_t> read_quantity(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  // What is too large for 64 bits with a sign comes out negative.
  const auto quantity = value.get<std::int64_t>();
  if (quantity < 1 || quantity > kQuantityMax) return std::nullopt;
  return quantity;
}

Lines read_lines(const Json& body) {
  const Json& lines = member(body, "lines");
  if (!lines.is_array() || lines.empty() || lines.size() > kLinesMax) {
    bad_lines("\"lines\" is an array of 1 to 100 lines");
  }
  std::map<std::string, std::int64_t> quantities;
  for (const Json& line : lines) {
    const std::string product = text_of(line, "productId");
    if (!is_id(product)) bad_lines("\"productId\" is a text like \"1\", in every line");
    const auto quantity = read_quantity(member(line, "quantity"));
    if (!quantity) bad_lines("\"quantity\" is a whole number from 1 to 1000000");
    std::int64_t& sum = quantities[product];
    sum += *quantity;
    if (sum > kQuantityMax) bad_lines("at most 1000000 pieces of product " + product);
  }
  Lines merged;
  for (const auto& [product, quantity] : quantities) merged.push_back({product, quantity, {}});
  return merged;
}

std::string to_text(const Lines& lines) {
  std::string text;
  for (const Line& line : lines) {
    if (!text.empty()) text += ',';
    text += line.product + "=" + std::to_string(line.quantity);
    if (line.price_minor) text += "@" + std::to_string(*line.price_minor);
  }
  return text;
}

Lines lines_of_text(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    lines.push_back(line_of_text(text.substr(0, comma)));
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  }
  return lines;
}

std::optional<std::int64_t> total_minor(const Lines& lines) {
  std::optional<std::int64_t> sum = 0;
  for (const Line& line : lines) {
    if (!line.price_minor) throw std::invalid_argument("add up lines: one has no price");
    sum = add_product(*sum, *line.price_minor, line.quantity);
    if (!sum) return std::nullopt;
  }
  return sum;
}

}  // namespace shop
