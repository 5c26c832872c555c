// TraceContext: which trace a request belongs to and which span asked for it, as the field
// traceparent of W3C Trace Context says. Plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace subito::traces {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const TraceId&) const = default;
};

struct TraceContext {
  TraceId trace;
  std::uint64_t span = 0;  // that asks
  bool sampled = false;
  bool operator==(const TraceContext&) const = default;
};

// Nothing: it is none. Of later versions what version 00 knows is read.
std::optional<TraceContext> parse_traceparent(std::string_view text);
std::string to_traceparent(const TraceContext& context);  // of version 00
// `text` as version 00 says it, the same where it is of that; nothing: it is none.
std::optional<std::string> normal_traceparent(std::string&& text);

// The flag alone, of a traceparent that is known to be one: one comparison on the way of a request.
inline bool is_sampled(std::string_view traceparent) {
  constexpr std::size_t kFlags = 54;  // the last digit
  if (traceparent.size() <= kFlags) return false;
  const char digit = traceparent[kFlags];
  return ((digit <= '9' ? digit - '0' : digit - 'a' + 10) & 1) != 0;
}

// Which share of new traces is sampled, by the 56 bits of a trace id that are random.
class Sampler {
 public:
  Sampler() = default;
  explicit Sampler(double share)  // 0 to 1
      : below_(static_cast<std::uint64_t>(share * static_cast<double>(kRandom + 1))) {}
  bool takes(TraceId trace) const { return (trace.low & kRandom) < below_; }

 private:
  static constexpr std::uint64_t kRandom = (std::uint64_t{1} << 56) - 1;
  std::uint64_t below_ = 0;
};

}  // namespace subito::traces
