#include "runtime/gateway/request_id.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstdio>

#include "runtime/base/check.h"

namespace subito::gateway {
namespace {

constexpr std::size_t kRequestIdBytesMax = 128;

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
  traces::TraceContext context;
  context.trace = {next(), next()};
  context.span = next() | 1;
  context.sampled = sampler_.takes(context.trace);
  return traces::to_traceparent(context);
}

bool is_request_id(std::string_view value) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !value.empty() && value.size() <= kRequestIdBytesMax &&
         std::all_of(value.begin(), value.end(), allowed);
}

}  // namespace subito::gateway
