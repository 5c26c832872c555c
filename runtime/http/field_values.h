// Values of the fields that decide about framing. Pure functions, for both parsers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/http/characters.h"

namespace subito::http {

// A Content-Length: digits alone, no sign, no list; empty if malformed or beyond 18 digits.
constexpr std::optional<std::uint64_t> parse_length(std::string_view value) {
  constexpr std::size_t kDigitsMax = 18;  // below 2^63
  if (value.empty() || value.size() > kDigitsMax) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

// Calls `use(element)` for each non-empty element of a comma-separated list.
template <typename Use>
constexpr void for_each_element(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (const std::string_view element = trim(list.substr(0, comma)); !element.empty()) {
      use(element);
    }
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
}

// Fields that speak about one connection only (RFC 9110, 7.6.1) or about framing; name in lower
// case. They are the parser's and the writer's, never a handler's.
constexpr bool is_connection_field(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "te" || name == "trailer" ||
         name == "transfer-encoding" || name == "upgrade" || name == "content-length" ||
         name.substr(0, 6) == "proxy-";
}

}  // namespace subito::http
