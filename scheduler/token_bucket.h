// TokenBucket: how often something may happen, with bursts. A token comes every per / requests, at
// most `burst` lie there, each happening takes one.
//
// Exact: the level is counted in parts of a token so small that a nanosecond adds `requests` of
// them and a token is `per` in nanoseconds. So nothing is rounded and nothing drifts: of 3 per 1s
// come 3 in every second, for ever. Worked: 100 per 1s: a token is 1,000,000,000 parts, a
// nanosecond 100 of them, a token comes every 10 ms.
//
// Pure: the time comes in. A time before one that was told counts as that. A value of its owner's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "runtime/base/time.h"

namespace subito::scheduler {

// At most kRateRequestsMax each, so that the level fits: 1,000,000 tokens of 3.6e12 parts are
// 3.6e18, below 2^63.
inline constexpr std::uint32_t kRateRequestsMax = 1'000'000;
inline constexpr Duration kRatePerMax = std::chrono::hours(1);

struct Rate {
  std::uint32_t requests = 1;  // 1 to kRateRequestsMax
  Duration per{1};             // 1 ns to kRatePerMax
  std::uint32_t burst = 1;     // 1 to kRateRequestsMax

  bool operator==(const Rate&) const = default;
};

class TokenBucket {
 public:
  TokenBucket(const Rate& rate, TimePoint now) : rate_(rate), parts_(capacity()), at_(now) {}

  const Rate& rate() const { return rate_; }
  // Whole tokens stay, as many as the new burst holds.
  void set_rate(const Rate& rate, TimePoint now) {
    if (rate == rate_) return;
    refill(now);
    const std::uint64_t kept = tokens();
    rate_ = rate;
    parts_ = std::min<std::uint64_t>(kept, rate_.burst) * token();
  }

  // Before the following are asked.
  void refill(TimePoint now) {
    if (now <= at_) return;
    const auto passed = static_cast<std::uint64_t>((now - at_).count());
    const std::uint64_t missing = capacity() - parts_;
    parts_ = passed >= ceil_div(missing) ? capacity() : parts_ + passed * rate_.requests;
    at_ = now;
  }
  bool full() const { return parts_ == capacity(); }
  std::uint32_t tokens() const { return static_cast<std::uint32_t>(parts_ / token()); }
  // Until one more token is there; 0: it is full.
  Duration next() const {
    if (full()) return Duration::zero();
    return Duration(static_cast<Duration::rep>(ceil_div(token() - parts_ % token())));
  }
  // Until there is one; 0: there is.
  Duration wait() const { return parts_ >= token() ? Duration::zero() : next(); }
  // Only when there is one.
  void take() { parts_ -= token(); }

 private:
  std::uint64_t token() const { return static_cast<std::uint64_t>(rate_.per.count()); }
  std::uint64_t capacity() const { return rate_.burst * token(); }
  std::uint64_t ceil_div(std::uint64_t parts) const {
    return (parts + rate_.requests - 1) / rate_.requests;
  }

  Rate rate_;
  std::uint64_t parts_;
  TimePoint at_;  // of the last refill
};

}  // namespace subito::scheduler
