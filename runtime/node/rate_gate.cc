#include "runtime/node/rate_gate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/units.h"

namespace subito::node {
namespace {

using scheduler::Rate;
using scheduler::RateLimitKind;

template <typename ManifestRate>
Rate rate_of(const ManifestRate& rate) {
  // A revision that was stored by another version may lack what has a default now.
  Rate out;
  out.requests = static_cast<std::uint32_t>(std::max(1, rate.requests()));
  out.per = std::chrono::milliseconds(std::max<std::int64_t>(1, rate.per_ms()));
  out.burst = static_cast<std::uint32_t>(std::max(1, rate.burst()));
  return out;
}

std::string namespace_of(const Revision& revision) {
  const std::string& name_space = revision.manifest.metadata().namespace_();
  return name_space.empty() ? manifest::kNamespace : name_space;
}

std::string rate_words(const Rate& rate) {
  using std::chrono::milliseconds;
  const auto per = std::chrono::duration_cast<milliseconds>(rate.per).count();
  return std::to_string(rate.requests) + " per " + manifest::format_duration_ms(per);
}

const char* policy_name(RateLimitKind kind) {
  switch (kind) {
    case RateLimitKind::kTotal:
      return "total";
    case RateLimitKind::kPerCaller:
      return "perCaller";
    case RateLimitKind::kCallers:
      return "callers";
    case RateLimitKind::kNamespace:
      return "namespace";
  }
  return "";
}

std::string detail_of(const scheduler::RateState& state, std::string_view calling) {
  const std::string limit = rate_words(state.rate);
  switch (state.kind) {
    case RateLimitKind::kTotal:
      return "the function is called more often than it may be (spec.rateLimits.total " + limit +
             "); try again later";
    case RateLimitKind::kPerCaller:
      return "this caller calls more often than each may (spec.rateLimits.perCaller " + limit +
             "); try again later";
    case RateLimitKind::kCallers:
      return "function " + std::string(calling) +
             " calls more often than it may (spec.rateLimits.callers " + limit +
             "); try again later";
    case RateLimitKind::kNamespace:
      return "the functions of its namespace are called more often than they may be (" + limit +
             "); try again later";
  }
  return "";
}

std::string view_words(const Rate& rate) {
  return rate_words(rate) + ", at once " + std::to_string(rate.burst);
}

std::uint64_t whole_seconds(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

void add_fields(const scheduler::RateState& state, RateFields& fields) {
  const std::string item =
      (fields.policy.empty() ? "\"" : ", \"") + std::string(policy_name(state.kind)) + "\"";
  const std::uint64_t window = whole_seconds(state.rate.per);
  const auto window_ns = static_cast<std::uint64_t>(Duration(std::chrono::seconds(window)).count());
  const auto per_ns = static_cast<std::uint64_t>(state.rate.per.count());
  // At most 1,000,000 in a window below 1 s, which is 1,000 times as long at most; in a longer one
  // window_ns / per_ns is below 2.
  const std::uint64_t quota = state.rate.requests * (window_ns / per_ns) +
                              state.rate.requests * (window_ns % per_ns) / per_ns;
  fields.policy += item + ";q=" + std::to_string(quota) + ";w=" + std::to_string(window);
  fields.limit += item + ";r=" + std::to_string(state.left);
  if (state.next > Duration::zero())
    fields.limit += ";t=" + std::to_string(whole_seconds(state.next));
}

}  // namespace

void RateGate::put(const Revision& revision, TimePoint now) {
  const manifest::RateLimits& limits = revision.manifest.spec().rate_limits();
  const std::string name_space = namespace_of(revision);
  scheduler::RateSpec spec;
  if (limits.has_total()) spec.total = rate_of(limits.total());
  if (limits.has_per_caller()) spec.per_caller = rate_of(limits.per_caller());
  for (const manifest::CallerRate& caller : limits.callers()) {
    spec.callers.emplace(manifest::qualified_name(caller.function(), name_space), rate_of(caller));
  }
  limits_.put(revision.function, name_space, spec, now);
}

RateGate::Admission RateGate::admit(const Invocation& invocation, std::string_view calling,
                                    TimePoint now) {
  Admission admission;
  if (!is_rate_limited(invocation)) return admission;
  const std::string key = rate_key(invocation, calling);
  const auto verdict = limits_.check(invocation.function, {key, calling}, now);
  admission.fields = rate_fields(verdict);
  if (!verdict.refused_by) return admission;
  admission.refused_by = verdict.refused_by->kind;
  admission.failure.status = 429;
  admission.failure.type = "rate-limited";
  admission.failure.detail = detail_of(*verdict.refused_by, calling);
  admission.failure.retry_after = verdict.wait;
  admission.failure.rate_fields = admission.fields;
  return admission;
}

std::vector<api::RateLimitView> RateGate::views(const Revision& revision,
                                                const FunctionMeters* meters) const {
  std::vector<api::RateLimitView> views;
  const auto add = [&](RateLimitKind kind, std::string words) {
    const auto at = static_cast<std::size_t>(kind);
    views.push_back(
        {policy_name(kind), std::move(words), meters == nullptr ? 0 : meters->rate_limited.at(at)});
  };
  const manifest::RateLimits& limits = revision.manifest.spec().rate_limits();
  if (limits.has_total()) add(RateLimitKind::kTotal, view_words(rate_of(limits.total())));
  if (limits.has_per_caller())
    add(RateLimitKind::kPerCaller, view_words(rate_of(limits.per_caller())));
  std::string callers;
  for (const manifest::CallerRate& caller : limits.callers()) {
    callers +=
        (callers.empty() ? "" : "; ") + caller.function() + " " + view_words(rate_of(caller));
  }
  if (!callers.empty()) add(RateLimitKind::kCallers, callers);
  if (const auto rate = limits_.namespace_rate(namespace_of(revision))) {
    add(RateLimitKind::kNamespace, view_words(*rate));
  }
  return views;
}

bool is_rate_limited(const Invocation& invocation) {
  if (invocation.origin == Origin::kTrigger) return false;
  return invocation.origin != Origin::kOperator || !invocation.subject.empty();
}

std::string rate_key(const Invocation& invocation, std::string_view calling) {
  if (!calling.empty()) return "f:" + std::string(calling);
  if (!invocation.subject.empty()) return "t:" + invocation.subject;
  in6_addr address{};
  if (::inet_pton(AF_INET6, invocation.client_address.c_str(), &address) != 1) {
    return "a:" + invocation.client_address;
  }
  constexpr std::size_t kNetworkBytes = 8;
  return "n:" + std::string(reinterpret_cast<const char*>(address.s6_addr), kNetworkBytes);
}

RateFields rate_fields(const scheduler::RateVerdict& verdict) {
  RateFields fields;
  for (std::size_t i = 0; i < verdict.count; ++i) add_fields(verdict.states[i], fields);
  return fields;
}

}  // namespace subito::node
