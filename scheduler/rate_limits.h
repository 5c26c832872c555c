// RateLimits: whether an invocation may come in, by how many came before it: token buckets for a
// function as a whole, for each of its callers, for calls of certain functions, and for a
// namespace. All of them must have a token, then each gives one; who is refused takes none.
//
// Pure. Owned by the node's RateGate, which knows who a caller is. Asked before the scheduler is
// told of the invocation.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/base/id.h"
#include "scheduler/keyed_buckets.h"
#include "scheduler/token_bucket.h"

namespace subito::scheduler {

enum class RateLimitKind : std::uint8_t { kTotal, kPerCaller, kCallers, kNamespace };
inline constexpr std::size_t kRateLimitKinds =
    static_cast<std::size_t>(RateLimitKind::kNamespace) + 1;

// Of one function.
struct RateSpec {
  std::optional<Rate> total = {};
  std::optional<Rate> per_caller = {};
  std::map<std::string, Rate, std::less<>> callers = {};  // functions that have one of their own

  bool empty() const { return !total && !per_caller && callers.empty(); }
  bool operator==(const RateSpec&) const = default;
};

struct RateCaller {
  std::string_view key;       // equal for those who share a bucket
  std::string_view function;  // that calls; empty: none does
};

// What a limit that was asked has left.
struct RateState {
  RateLimitKind kind = RateLimitKind::kTotal;
  Rate rate;
  std::uint32_t left = 0;  // tokens
  Duration next{};         // until there is one more; 0: it is full
};

struct RateVerdict {
  static constexpr std::size_t kStatesMax = 3;  // total, of the caller, of the namespace

  std::array<RateState, kStatesMax> states{};
  std::size_t count = 0;
  std::optional<RateState> refused_by;  // the one it has to wait for the longest
  Duration wait{};                      // until all have a token
};

class RateLimits {
 public:
  // Adds the function, or changes its limits: levels stay where the rate is the same.
  void put(FunctionId function, const std::string& name_space, const RateSpec& spec, TimePoint now);
  void remove(FunctionId function) { functions_.erase(function); }
  // Nothing: the namespace has none of its own. Holds for functions put before and later.
  void set_namespace_rate(const std::string& name_space, std::optional<Rate> rate, TimePoint now);
  std::optional<Rate> namespace_rate(const std::string& name_space) const;

  // Whether check() can refuse anybody.
  bool limits(FunctionId function) const;
  RateVerdict check(FunctionId function, const RateCaller& caller, TimePoint now);

 private:
  struct Limited {
    std::string name_space;
    std::optional<TokenBucket> total;
    std::optional<KeyedBuckets> per_caller;
    std::map<std::string, TokenBucket, std::less<>> callers;
  };

  std::unordered_map<FunctionId, Limited> functions_;
  std::map<std::string, TokenBucket> namespaces_;
};

}  // namespace subito::scheduler
