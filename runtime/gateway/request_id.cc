#include "runtime/gateway/request_id.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstdio>

#include "runtime/base/check.h"

namespace subito::gateway {
namespace {

constexpr std::size_t kRequestIdBytesMax = 128;
constexpr std::size_t kTraceparentBytes = 55;

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_all_zero(std::string_view text) {
  return text.find_first_not_of('0') == text.npos;
}

}  // namespace

RequestNames::RequestNames() : state_{} {
  CHECK(::getrandom(state_.data(), sizeof state_, 0) == sizeof state_);
  state_[0] |= 1;  // xorshift never leaves a state of all zeroes
}

// xorshift128+ (Vigna, 2014).
std::uint64_t RequestNames::next() {
  std::uint64_t a = state_[0];
  const std::uint64_t b = state_[1];
  state_[0] = b;
  a ^= a << 23;
  state_[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
  return state_[1] + b;
}

std::string RequestNames::request_id() {
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(next()));
  return out;
}

std::string RequestNames::traceparent() {
  char out[kTraceparentBytes + 1];
  std::snprintf(out, sizeof out, "00-%016llx%016llx-%016llx-00",
                static_cast<unsigned long long>(next()), static_cast<unsigned long long>(next()),
                static_cast<unsigned long long>(next() | 1));
  return out;
}

bool is_request_id(std::string_view value) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !value.empty() && value.size() <= kRequestIdBytesMax &&
         std::all_of(value.begin(), value.end(), allowed);
}

bool is_traceparent(std::string_view value) {
  if (value.size() != kTraceparentBytes || !value.starts_with("00-")) return false;
  if (value[35] != '-' || value[52] != '-') return false;
  const std::string_view trace = value.substr(3, 32);
  const std::string_view parent = value.substr(36, 16);
  const std::string_view flags = value.substr(53, 2);
  return is_lower_hex(trace) && is_lower_hex(parent) && is_lower_hex(flags) &&
         !is_all_zero(trace) && !is_all_zero(parent);
}

}  // namespace subito::gateway
