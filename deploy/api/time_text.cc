#include "deploy/api/time_text.h"

#include <charconv>
#include <chrono>

#include "runtime/base/time.h"

namespace subito::api {

namespace {

// Exactly `width` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t width) {
  if (text.size() < at + width) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool has_shape(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size() + 1 || text.back() != 'Z') return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd' && text[i] != kShape[i]) return false;
  }
  return true;
}

// ".123" as nanoseconds; empty is 0.
std::optional<std::int64_t> fraction_ns(std::string_view text) {
  if (text.empty()) return 0;
  if (text.size() < 2 || text.front() != '.') return std::nullopt;
  std::int64_t value = 0;
  std::int64_t unit = 100'000'000;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value;
}

}  // namespace

std::string time_text(std::int64_t unix_ns) {
  char text[kRfc3339Size];
  format_rfc3339(unix_ns, text);
  return text;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  if (!has_shape(text)) return std::nullopt;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const auto fraction = fraction_ns(text.substr(19, text.size() - 20));
  if (!year || !month || !day || !hour || !minute || !second || !fraction) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(*year),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  // 2262 is where 64 bits of nanoseconds end.
  if (!date.ok() || *year < 1970 || *year > 2261 || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  const nanoseconds since = sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) +
                            seconds(*second) + nanoseconds(*fraction);
  return since.count();
}

}  // namespace subito::api
