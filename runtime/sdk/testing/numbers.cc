#include "runtime/sdk/testing/numbers.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "runtime/sdk/testing/replies.h"

namespace subito::testing {
namespace {

// `parse` is strtod(3) or strtold(3), which take leading blanks and stop at what is no number.
template <typename Float>
Float read_float(std::string_view view, const char* fault, Float (*parse)(const char*, char**)) {
  const std::string text(view);
  char* end = nullptr;
  errno = 0;
  const Float value = parse(text.c_str(), &end);
  const bool whole = !text.empty() && std::isspace(static_cast<unsigned char>(text[0])) == 0 &&
                     end == text.c_str() + text.size();
  const bool lost = errno == ERANGE && (std::isinf(value) || value == 0);
  if (!whole || lost || std::isnan(value)) throw ErrorReply(fault);
  return value;
}

}  // namespace

std::int64_t read_integer(std::string_view text, const char* fault) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // There and back again: no sign of plus, no zero in front, nothing behind.
  if (error != std::errc() || std::to_string(value) != text) throw ErrorReply(fault);
  return value;
}

double read_double(std::string_view text, const char* fault) {
  return read_float<double>(text, fault, std::strtod);
}

long double read_long_double(std::string_view text, const char* fault) {
  return read_float<long double>(text, fault, std::strtold);
}

std::int64_t add_integers(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    throw ErrorReply("ERR increment or decrement would overflow");
  }
  return sum;
}

std::string write_double(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%.17g", value);
  return {text, static_cast<std::size_t>(size)};
}

std::string write_long_double(long double value) {
  char text[5 << 10];  // the largest has 4,933 digits before the point
  std::string out(text,
                  static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.17Lf", value)));
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out == "-0" ? "0" : out;
}

}  // namespace subito::testing
