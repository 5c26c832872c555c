// Which bytes may stand where: RFC 9110, 5.6.2 (token), 5.5 (field value) and RFC 3986 (target).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace subito::http {

enum CharacterClass : std::uint8_t {
  kTokenChar = 1,   // method, field name
  kValueChar = 2,   // field value: no control but tab; bytes above 127 pass as they are
  kTargetChar = 4,  // request target: visible ASCII without " # < >
  kHexChar = 8,
  kHostChar = 16,  // of a host with port: reg-name, IPv4 and the inside of [IPv6]
};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::uint8_t classes_of(char c) {
  const auto one_of = [c](std::string_view set) { return set.find(c) != std::string_view::npos; };
  const auto byte = static_cast<unsigned char>(c);
  const bool alphanumeric = is_digit(c) || is_letter(c);
  unsigned bits = 0;
  if (alphanumeric || one_of("!#$%&'*+-.^_`|~")) bits |= kTokenChar;
  if (c == '\t' || (byte >= 0x20 && byte != 0x7f)) bits |= kValueChar;
  if (byte > 0x20 && byte < 0x7f && !one_of("\"#<>")) bits |= kTargetChar;
  if (is_digit(c) || one_of("abcdefABCDEF")) bits |= kHexChar;
  if (alphanumeric || one_of("-._~!$&'()*+,;=%")) bits |= kHostChar;
  return static_cast<std::uint8_t>(bits);
}

constexpr std::array<std::uint8_t, 256> make_character_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) classes[c] = classes_of(static_cast<char>(c));
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kCharacterClasses = make_character_classes();

constexpr bool is(CharacterClass wanted, char c) {
  return (kCharacterClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all_are(CharacterClass wanted, std::string_view text) {
  for (const char c : text) {
    if (!is(wanted, c)) return false;
  }
  return true;
}

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != lower[i]) return false;
  }
  return true;
}

constexpr int hex_value(char c) {
  return c <= '9' ? c - '0' : to_lower(c) - 'a' + 10;
}

// Without spaces and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace subito::http
