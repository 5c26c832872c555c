#include "bench/simulate/text.h"

#include <charconv>
#include <cstdio>
#include <span>

namespace subito::simulate {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr Unit kTimes[] = {{"ns", 1},   {"us", 1e3},   {"ms", 1e6},    {"s", 1e9},
                           {"m", 60e9}, {"h", 3600e9}, {"d", 86'400e9}};
constexpr Unit kMemory[] = {{"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
constexpr Unit kCounts[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}};
constexpr Unit kNumbers[] = {{"", 1}};

constexpr double kTimeMax = 366 * 86'400e9;
constexpr double kMemoryMax = 1e18;
constexpr double kCountMax = 1e12;

// A number from 0 to `max` behind which one of the units stands.
Result<double> quantity(std::string_view text, std::span<const Unit> units, double max,
                        const char* allowed) {
  double number = -1;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& known : units) {
    if (error == std::errc() && unit == known.name && number >= 0 && number * known.factor <= max) {
      return number * known.factor;
    }
  }
  return fail(ErrorCode::kInvalidArgument,
              "is '" + std::string(text) + "', allowed is " + std::string(allowed));
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

Result<double> parse_number(std::string_view text) {
  return quantity(text, kNumbers, kCountMax, "a number from 0 on: 0.5, 100");
}

Result<std::uint64_t> parse_count(std::string_view text) {
  ASSIGN_OR_RETURN(const double count,
                   quantity(text, kCounts, kCountMax, "a count up to 1e12: 500, 10k, 50M"));
  return static_cast<std::uint64_t>(count);
}

Result<Duration> parse_time(std::string_view text) {
  ASSIGN_OR_RETURN(const double nanoseconds,
                   quantity(text, kTimes, kTimeMax, "a time up to 366d: 20us, 1ms, 10s, 5m, 2h"));
  return Duration(static_cast<Duration::rep>(nanoseconds));
}

Result<std::uint64_t> parse_memory(std::string_view text) {
  ASSIGN_OR_RETURN(const double bytes,
                   quantity(text, kMemory, kMemoryMax, "a size: 512MB, 64GB, 2TB"));
  return static_cast<std::uint64_t>(bytes);
}

std::string words(Duration duration) {
  const auto count = static_cast<double>(duration.count());
  std::size_t at = 0;
  constexpr Unit kShown[] = {{"ns", 1},     {"µs", 1e3},   {"ms", 1e6},    {"s", 1e9},
                             {"min", 60e9}, {"h", 3600e9}, {"d", 86'400e9}};
  while (at + 1 < std::size(kShown) && count >= kShown[at + 1].factor) ++at;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g ", count / kShown[at].factor);
  return text + std::string(kShown[at].name);
}

std::string hex(std::uint64_t digest) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest));
  return text;
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

Result<Spec> Spec::parse(std::string_view text) {
  Spec spec;
  const std::size_t colon = text.find(':');
  spec.name_ = text.substr(0, colon);
  std::string_view rest = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    const std::size_t equals = one.find('=');
    if (equals == one.npos || equals == 0 || equals + 1 == one.size()) {
      return fail(ErrorCode::kInvalidArgument,
                  "is '" + std::string(one) + "', allowed is key=value behind " + spec.name_ + ":");
    }
    if (!spec.values_.emplace(one.substr(0, equals), one.substr(equals + 1)).second) {
      return fail(ErrorCode::kInvalidArgument,
                  "'" + std::string(one.substr(0, equals)) + "' stands there twice");
    }
  }
  return spec;
}

std::string Spec::take(const std::string& key) {
  allowed_.push_back(key);
  const auto found = values_.find(key);
  if (found == values_.end()) return {};
  std::string value = std::move(found->second);
  values_.erase(found);
  return value;
}

Result<double> Spec::number(const std::string& key, double fallback) {
  const std::string value = take(key);
  if (value.empty()) return fallback;
  auto parsed = parse_number(value);
  if (!parsed) return std::move(parsed).error().annotate(key);
  return parsed;
}

Result<std::uint64_t> Spec::count(const std::string& key, std::uint64_t fallback) {
  const std::string value = take(key);
  if (value.empty()) return fallback;
  auto parsed = parse_count(value);
  if (!parsed) return std::move(parsed).error().annotate(key);
  return parsed;
}

Result<Duration> Spec::time(const std::string& key, Duration fallback) {
  const std::string value = take(key);
  if (value.empty()) return fallback;
  auto parsed = parse_time(value);
  if (!parsed) return std::move(parsed).error().annotate(key);
  return parsed;
}

Result<std::uint64_t> Spec::memory(const std::string& key, std::uint64_t fallback) {
  const std::string value = take(key);
  if (value.empty()) return fallback;
  auto parsed = parse_memory(value);
  if (!parsed) return std::move(parsed).error().annotate(key);
  return parsed;
}

Result<std::string> Spec::text(const std::string& key, const std::string& fallback) {
  std::string value = take(key);
  return value.empty() ? fallback : value;
}

Status Spec::finish() const {
  if (values_.empty()) return ok();
  return fail(
      ErrorCode::kInvalidArgument,
      name_ + " has no '" + values_.begin()->first +
          (allowed_.empty() ? "', nor anything else" : "', allowed is " + joined(allowed_)));
}

}  // namespace subito::simulate
