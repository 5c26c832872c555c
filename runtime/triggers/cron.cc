#include "runtime/triggers/cron.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace subito::triggers {
namespace {

struct Field {
  const char* name;
  unsigned min;
  unsigned max;
  std::string_view names;  // three letters each, from `min` on
};

constexpr std::array<Field, 5> kFields = {
    Field{"minute", 0, 59, ""},
    Field{"hour", 0, 23, ""},
    Field{"day of the month", 1, 31, ""},
    Field{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    Field{"day of the week", 0, 7, "sunmontuewedthufrisat"},
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNicknames = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

constexpr std::size_t kTextBytesMax = 1024;
constexpr UnixMs kMinuteMs = 60'000;
constexpr UnixMs kHourMs = 60 * kMinuteMs;
constexpr UnixMs kDayMs = 24 * kHourMs;
// 29 February on a given day of the week comes within 40 years, a left out leap year among them.
constexpr int kDaysMax = 41 * 366;

tl::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find_first_of(separators, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == text.npos) return parts;
    begin = end + 1;
  }
}

// A number, or a name in letters of either case.
std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  if (const auto value = number(text)) {
    return *value >= field.min && *value <= field.max ? value : std::nullopt;
  }
  if (text.size() != 3) return std::nullopt;
  std::string name;
  for (const char c : text) name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  for (std::size_t at = 0; at < field.names.size(); at += 3) {
    if (field.names.substr(at, 3) == name) return field.min + static_cast<unsigned>(at / 3);
  }
  return std::nullopt;
}

// "*", "7", "1-5", "*/10", "8-18/2" as bits.
Result<std::uint64_t> read_part(const Field& field, std::string_view text) {
  const auto refused = [&] {
    return wrong("has " + std::string(field.name) + " '" + std::string(text) + "', allowed is " +
                 std::to_string(field.min) + " to " + std::to_string(field.max) +
                 (field.names.empty() ? "" : ", a name of three letters") +
                 ", '*', ranges such as 1-5 and steps such as */2");
  };
  const std::size_t slash = text.find('/');
  const std::string_view range = text.substr(0, slash);
  const std::size_t dash = range.find('-');
  unsigned first = field.min;
  unsigned last = field.max;
  if (range != "*") {
    const auto from = value_of(field, range.substr(0, dash));
    const auto to = dash == range.npos ? from : value_of(field, range.substr(dash + 1));
    if (!from || !to || *from > *to) return refused();
    first = *from;
    last = *to;
  }
  unsigned step = 1;
  if (slash != text.npos) {
    const auto given = number(text.substr(slash + 1));
    if (!given || *given == 0 || *given > field.max || (range != "*" && dash == range.npos))
      return refused();
    step = *given;
  }
  std::uint64_t bits = 0;
  for (unsigned value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> read_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const std::string_view part : split(text, ",")) {
    ASSIGN_OR_RETURN(const std::uint64_t more, read_part(field, part));
    bits |= more;
  }
  return bits;
}

Result<UnixMs> read_every(std::string_view text) {
  const std::string allowed = ", allowed is 1s to 24h, in s, m or h";
  const std::string shown(text);
  if (text.size() < 2) return wrong("has @every '" + shown + "'" + allowed);
  const auto count = number(text.substr(0, text.size() - 1));
  const char unit = text.back();
  const UnixMs unit_ms = unit == 's' ? 1000 : unit == 'm' ? kMinuteMs : unit == 'h' ? kHourMs : 0;
  if (!count || *count == 0 || *count > 86'400 || unit_ms == 0 || *count * unit_ms > kDayMs)
    return wrong("has @every '" + shown + "'" + allowed);
  return *count * unit_ms;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

class CronReader {
 public:
  static Result<Cron> fields(std::string_view text) {
    std::vector<std::string_view> parts = split(text, " \t");
    std::erase(parts, std::string_view());
    if (parts.size() != kFields.size()) {
      return wrong("has " + std::to_string(parts.size()) +
                   " fields, allowed are five: minute, hour, day of the month, month, day of the "
                   "week, or a word such as @daily");
    }
    Cron cron;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      ASSIGN_OR_RETURN(cron.allowed_[i], read_field(kFields[i], parts[i]));
    }
    std::uint64_t& weekdays = cron.allowed_[Cron::kWeekday];
    weekdays = (weekdays | weekdays >> 7) & 0x7f;  // 7 is Sunday too
    cron.either_day_ = parts[Cron::kDay].front() != '*' && parts[Cron::kWeekday].front() != '*';
    if (!cron.ever()) return wrong("names a day that no month of it has, so it would never run");
    return cron;
  }

  static Result<Cron> every(std::string_view text) {
    Cron cron;
    ASSIGN_OR_RETURN(cron.every_, read_every(text));
    return cron;
  }
};

Result<Cron> Cron::parse(std::string_view text) {
  constexpr std::string_view kEvery = "@every ";
  if (text.size() > kTextBytesMax) return wrong("is longer than 1024 bytes");
  text = trimmed(text);
  if (text.empty() || text.front() != '@') return CronReader::fields(text);
  if (text.substr(0, kEvery.size()) == kEvery)
    return CronReader::every(trimmed(text.substr(kEvery.size())));
  for (const auto& [nickname, fields] : kNicknames) {
    if (text == nickname) return CronReader::fields(fields);
  }
  return wrong("is '" + std::string(text.substr(0, 40)) +
               "', allowed are five fields, @hourly, @daily, @weekly, @monthly, @yearly and "
               "\"@every 10s\"");
}

bool Cron::has_date(unsigned month, unsigned day, unsigned weekday) const {
  if (!has(kMonth, month)) return false;
  if (either_day_) return has(kDay, day) || has(kWeekday, weekday);
  return has(kDay, day) && has(kWeekday, weekday);
}

bool Cron::ever() const {
  constexpr std::array<unsigned, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (either_day_) return true;
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; day <= kDays[month]; ++day) {
      if (has(kMonth, month) && has(kDay, day)) return true;
    }
  }
  return false;
}

UnixMs Cron::next_after(UnixMs after) const {
  CHECK(after >= 0 && after <= kUnixMsMax);
  if (every_ != 0) return (after / every_ + 1) * every_;
  const UnixMs from = (after / kMinuteMs + 1) * kMinuteMs;
  std::chrono::sys_days date{std::chrono::days(from / kDayMs)};
  UnixMs minute_of_day = from % kDayMs / kMinuteMs;
  for (int i = 0; i < kDaysMax; ++i, date += std::chrono::days(1), minute_of_day = 0) {
    const std::chrono::year_month_day ymd(date);
    const unsigned weekday = std::chrono::weekday(date).c_encoding();
    if (!has_date(static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()), weekday))
      continue;
    for (; minute_of_day < 24 * 60; ++minute_of_day) {
      if (!has(kHour, static_cast<unsigned>(minute_of_day / 60)) ||
          !has(kMinute, static_cast<unsigned>(minute_of_day % 60)))
        continue;
      return date.time_since_epoch().count() * kDayMs + minute_of_day * kMinuteMs;
    }
  }
  CHECK(false);  // parse() refuses what never comes
}

}  // namespace subito::triggers
