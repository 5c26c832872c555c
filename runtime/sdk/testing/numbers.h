// Numbers as Redis 7.0 reads and writes them. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace subito::testing {

inline constexpr const char* kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr const char* kNotAFloat = "ERR value is not a valid float";

// Each throws ErrorReply with `fault` for what Redis does not take: "007", " 1", "1x".
std::int64_t read_integer(std::string_view text, const char* fault = kNotAnInteger);
double read_double(std::string_view text, const char* fault = kNotAFloat);
long double read_long_double(std::string_view text, const char* fault = kNotAFloat);

// The sum, or ErrorReply when it has no 64-bit integer.
std::int64_t add_integers(std::int64_t a, std::int64_t b);

std::string write_double(double value);            // a score: 17 digits at most
std::string write_long_double(long double value);  // never with an exponent

}  // namespace subito::testing
