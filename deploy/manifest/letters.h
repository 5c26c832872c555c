// Letters and digits of ASCII, whatever the locale. Pure functions.
#pragma once

#include <string>

namespace subito::manifest {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}
inline std::string lower(std::string text) {
  for (char& c : text) c = lower(c);
  return text;
}

// "AT_ONCE" of an enum as users write it: "at-once".
inline std::string choice_name(std::string text) {
  for (char& c : text) c = c == '_' ? '-' : lower(c);
  return text;
}

}  // namespace subito::manifest
