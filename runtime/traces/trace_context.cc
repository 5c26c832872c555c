#include "runtime/traces/trace_context.h"

#include <charconv>
#include <cstdio>

namespace subito::traces {
namespace {

constexpr std::size_t kBytes = 55;  // "00-", 32 digits, "-", 16 digits, "-", 2 digits

std::optional<std::uint64_t> number(std::string_view digits) {
  for (const char c : digits) {
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
  }
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

// Lengths, dashes and version. A later version may say more behind, after a dash: it is read as far
// as this one goes.
bool has_form(std::string_view text) {
  if (text.size() < kBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const auto version = number(text.substr(0, 2));
  if (!version || *version == 0xff) return false;
  return text.size() == kBytes || (*version > 0 && text[kBytes] == '-');
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (!has_form(text)) return std::nullopt;
  const auto high = number(text.substr(3, 16));
  const auto low = number(text.substr(19, 16));
  const auto span = number(text.substr(36, 16));
  const auto flags = number(text.substr(53, 2));
  if (!high || !low || !span || !flags || *span == 0 || (*high | *low) == 0) return std::nullopt;
  return TraceContext{{*high, *low}, *span, (*flags & 1) != 0};
}

std::optional<std::string> normal_traceparent(std::string&& text) {
  const auto context = parse_traceparent(text);
  if (!context) return std::nullopt;
  return text.starts_with("00") ? std::move(text) : to_traceparent(*context);
}

std::string to_traceparent(const TraceContext& context) {
  char out[kBytes + 1];
  std::snprintf(out, sizeof out, "00-%016llx%016llx-%016llx-%02x",
                static_cast<unsigned long long>(context.trace.high),
                static_cast<unsigned long long>(context.trace.low),
                static_cast<unsigned long long>(context.span), context.sampled ? 1U : 0U);
  return out;
}

}  // namespace subito::traces
