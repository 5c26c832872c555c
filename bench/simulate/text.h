// Text: quantities and `NAME:key=value,...` as people type them. Each error says what was typed and
// what is allowed; none says where, which the caller puts in front. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/time.h"

namespace subito::simulate {

Result<double> parse_number(std::string_view text);        // "0.5", from 0 on
Result<std::uint64_t> parse_count(std::string_view text);  // "50000000", "50M", "10k"
Result<Duration> parse_time(std::string_view text);  // "20us", "1.5ms", "10s", "5m", "2h", "14d"
Result<std::uint64_t> parse_memory(
    std::string_view text);  // bytes: "512MB", "64GB" (powers of ten)

// "1 ms", "250 µs", "10 s", "14 d": as short as it is exact, else with one decimal.
std::string words(Duration duration);
std::string hex(std::uint64_t digest);  // 16 digits
// "1,980,951"
std::string grouped(std::uint64_t number);

// `NAME:key=value,key=value`. The getters take a key out; finish() complains about those left.
class Spec {
 public:
  static Result<Spec> parse(std::string_view text);
  const std::string& name() const { return name_; }

  // The fallback when the key is not there.
  Result<double> number(const std::string& key, double fallback);
  Result<std::uint64_t> count(const std::string& key, std::uint64_t fallback);
  Result<Duration> time(const std::string& key, Duration fallback);
  Result<std::uint64_t> memory(const std::string& key, std::uint64_t fallback);
  Result<std::string> text(const std::string& key, const std::string& fallback);
  Status finish() const;

 private:
  // Empty: not there. Notes that the key is allowed.
  std::string take(const std::string& key);

  std::string name_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> allowed_;
};

}  // namespace subito::simulate
