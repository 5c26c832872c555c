#include "scheduler/rate_limits.h"

#include <algorithm>

namespace subito::scheduler {
namespace {

template <typename Bucket>
void put_bucket(std::optional<Bucket>& bucket, const std::optional<Rate>& rate, TimePoint now) {
  if (!rate) {
    bucket.reset();
  } else if (bucket) {
    bucket->set_rate(*rate, now);
  } else {
    bucket.emplace(*rate, now);
  }
}

}  // namespace

void RateLimits::put(FunctionId function, const std::string& name_space, const RateSpec& spec,
                     TimePoint now) {
  Limited& limited = functions_[function];
  limited.name_space = name_space;
  put_bucket(limited.total, spec.total, now);
  put_bucket(limited.per_caller, spec.per_caller, now);
  std::erase_if(limited.callers,
                [&](const auto& caller) { return !spec.callers.contains(caller.first); });
  for (const auto& [name, rate] : spec.callers) {
    const auto [at, added] = limited.callers.try_emplace(name, rate, now);
    if (!added) at->second.set_rate(rate, now);
  }
}

void RateLimits::set_namespace_rate(const std::string& name_space, std::optional<Rate> rate,
                                    TimePoint now) {
  if (!rate) {
    namespaces_.erase(name_space);
    return;
  }
  const auto [at, added] = namespaces_.try_emplace(name_space, *rate, now);
  if (!added) at->second.set_rate(*rate, now);
}

std::optional<Rate> RateLimits::namespace_rate(const std::string& name_space) const {
  const auto at = namespaces_.find(name_space);
  return at == namespaces_.end() ? std::nullopt : std::optional(at->second.rate());
}

bool RateLimits::limits(FunctionId function) const {
  const auto at = functions_.find(function);
  if (at == functions_.end()) return false;
  const Limited& limited = at->second;
  return limited.total || limited.per_caller || !limited.callers.empty() ||
         namespaces_.contains(limited.name_space);
}

RateVerdict RateLimits::check(FunctionId function, const RateCaller& caller, TimePoint now) {
  RateVerdict verdict;
  const auto at = functions_.find(function);
  if (at == functions_.end()) return verdict;
  Limited& limited = at->second;
  std::array<TokenBucket*, RateVerdict::kStatesMax> buckets{};
  const auto ask = [&](RateLimitKind kind, TokenBucket& bucket) {
    bucket.refill(now);
    buckets[verdict.count] = &bucket;
    verdict.states[verdict.count++].kind = kind;
    const Duration wait = bucket.wait();
    if (wait <= verdict.wait) return;
    verdict.wait = wait;
    verdict.refused_by = RateState{kind, bucket.rate(), 0, wait};
  };
  if (limited.total) ask(RateLimitKind::kTotal, *limited.total);
  // Not of a client: a function's name is nothing that a client can have.
  const auto own =
      caller.function.empty() ? limited.callers.end() : limited.callers.find(caller.function);
  if (own != limited.callers.end()) {
    ask(RateLimitKind::kCallers, own->second);
  } else if (limited.per_caller) {
    ask(RateLimitKind::kPerCaller, limited.per_caller->of(caller.key, now));
  }
  if (const auto shared = namespaces_.find(limited.name_space); shared != namespaces_.end())
    ask(RateLimitKind::kNamespace, shared->second);

  for (std::size_t i = 0; i < verdict.count; ++i) {
    if (!verdict.refused_by) buckets[i]->take();
    RateState& state = verdict.states[i];
    state.rate = buckets[i]->rate();
    state.left = buckets[i]->tokens();
    state.next = buckets[i]->next();
  }
  return verdict;
}

}  // namespace subito::scheduler
