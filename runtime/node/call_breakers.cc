#include "runtime/node/call_breakers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "scheduler/effects.h"

namespace subito::node {
namespace {

using scheduler::BreakerLimits;
using scheduler::CircuitBreaker;
using Outcome = CircuitBreaker::Outcome;
using State = CircuitBreaker::State;

constexpr std::size_t kLastFailureBytesMax = 200;

BreakerLimits breaker_limits_of(const manifest::Breaker& breaker) {
  BreakerLimits limits;
  limits.failures = static_cast<std::uint32_t>(breaker.failures());
  limits.failure_percent = static_cast<std::uint32_t>(breaker.failure_rate());
  limits.window = std::chrono::milliseconds(breaker.window_ms());
  limits.open = std::chrono::milliseconds(breaker.open_ms());
  limits.probes = static_cast<std::uint32_t>(breaker.probes());
  limits.slow = std::chrono::milliseconds(breaker.slow_ms());
  return limits;
}

// The caller's own fault: it would fail just so of a function in the best of health.
bool blames_the_caller(std::string_view failure_type) {
  static constexpr std::array<std::string_view, 4> kTypes = {"head-too-large", "body-too-large",
                                                             "trigger-path", "rate-limited"};
  return std::find(kTypes.begin(), kTypes.end(), failure_type) != kTypes.end();
}

// Until its answer began, if it did.
Duration time_taken(const CallBreakers::Ticket& ticket, TimePoint now) {
  return ticket.answer_began.value_or(now) - ticket.begun;
}

std::string slow_words(const CallBreakers::Ticket& ticket, Duration took) {
  return (ticket.answer_began ? "it answered after " : "it had not answered after ") +
         scheduler::words(took);
}

std::string counts_words(const CircuitBreaker::Counts& counts) {
  return std::to_string(counts.failures) + " of " + std::to_string(counts.calls);
}

api::BreakerState state_of(const CircuitBreaker& breaker, TimePoint now) {
  switch (breaker.state()) {
    case State::kClosed:
      return api::BreakerState::kClosed;
    case State::kOpen:
      // Nobody has called since it might be tried again.
      return now < breaker.open_until() ? api::BreakerState::kOpen : api::BreakerState::kHalfOpen;
    case State::kHalfOpen:
      return api::BreakerState::kHalfOpen;
  }
  return api::BreakerState::kClosed;
}

}  // namespace

void CallBreakers::put(const Revision& revision) {
  std::map<std::string, BreakerLimits, std::less<>> wanted;
  for (const manifest::Breaker& breaker : revision.manifest.spec().breakers()) {
    wanted.emplace(breaker.call(), breaker_limits_of(breaker));
  }
  auto& ids = ids_[revision.name];
  for (auto it = ids.begin(); it != ids.end();) {
    const auto found = wanted.find(it->first);
    const bool same =
        found != wanted.end() && edges_.at(it->second).breaker.limits() == found->second;
    if (!same) edges_.erase(it->second);
    it = same ? std::next(it) : ids.erase(it);
  }
  for (const auto& [called, limits] : wanted) {
    const auto [it, is_new] = ids.try_emplace(called, last_id_ + 1);
    if (!is_new) continue;
    edges_.emplace(++last_id_, Edge{revision.name, called, CircuitBreaker(limits), {}, {}, {}, {}});
  }
  if (ids.empty()) ids_.erase(revision.name);
}

void CallBreakers::forget(std::string_view caller) {
  const auto ids = ids_.find(caller);
  if (ids == ids_.end()) return;
  for (const auto& [called, id] : ids->second) edges_.erase(id);
  ids_.erase(ids);
}

tl::expected<CallBreakers::Ticket, std::string> CallBreakers::begin(const std::string& caller,
                                                                    const std::string& called,
                                                                    TimePoint now) {
  const auto ids = ids_.find(caller);
  if (ids == ids_.end()) return Ticket();
  const auto id = ids->second.find(called);
  if (id == ids->second.end()) return Ticket();
  Edge& edge = edges_.at(id->second);
  const auto pass = edge.breaker.begin(now);
  if (!pass) {
    ++edge.refused;
    return tl::make_unexpected(refusal(edge, now));
  }
  return Ticket{id->second, *pass, now};
}

void CallBreakers::answered(Ticket ticket, int status, TimePoint now) {
  const bool failure = status >= 500;
  finish(ticket, failure ? Outcome::kFailure : Outcome::kSuccess,
         failure ? "it answered " + std::to_string(status) : std::string(), now,
         time_taken(ticket, now));
}

void CallBreakers::failed(Ticket ticket, std::string_view type, std::string_view detail,
                          TimePoint now) {
  const bool failure = !blames_the_caller(type);
  finish(ticket, failure ? Outcome::kFailure : Outcome::kNeither,
         std::string(type) + ": " + std::string(detail), now, Duration::zero());
}

void CallBreakers::given_up(Ticket ticket, TimePoint now) {
  finish(ticket, Outcome::kNeither, {}, now, time_taken(ticket, now));
}

void CallBreakers::finish(Ticket ticket, Outcome outcome, std::string words, TimePoint now,
                          Duration took) {
  const auto it = edges_.find(ticket.edge);
  if (it == edges_.end()) return;
  Edge& edge = it->second;
  const State before = edge.breaker.state();
  if (edge.breaker.finish(now, ticket.pass, outcome, took) == Outcome::kFailure) {
    edge.last_failure = outcome == Outcome::kFailure ? std::move(words) : slow_words(ticket, took);
    if (edge.last_failure.size() > kLastFailureBytesMax)
      edge.last_failure.resize(kLastFailureBytesMax);
    edge.last_failed = now;
  }
  tell_change(edge, before, now);
}

// Not of each trial that failed: while a function is away that would be all there is to read.
void CallBreakers::tell_change(Edge& edge, State before, TimePoint now) {
  const State after = edge.breaker.state();
  if (before == State::kClosed && after == State::kOpen) {
    edge.opened = now;
    ++edge.times_opened;
    edge.at_opening = edge.breaker.counts(now);
    tell_(edge.caller, "CircuitOpened",
          "calls to " + edge.called + ": " + counts_words(edge.at_opening) + " failed within " +
              scheduler::words(edge.breaker.limits().window) + ", the last: " + edge.last_failure +
              "; none is made for " + scheduler::words(edge.breaker.limits().open));
  } else if (before == State::kHalfOpen && after == State::kClosed) {
    tell_(edge.caller, "CircuitClosed",
          "calls to " + edge.called + " are answered again, after " +
              scheduler::words(now - edge.opened));
  }
}

std::string CallBreakers::refusal(const Edge& edge, TimePoint now) {
  const std::string failed = "the circuit breaker is open: " + counts_words(edge.at_opening) +
                             " calls failed, the last: " + edge.last_failure;
  if (edge.breaker.state() == State::kHalfOpen)
    return failed + "; one call is on trial, the others wait for how it ends";
  return failed + "; the next is tried in " + scheduler::words(edge.breaker.open_until() - now);
}

std::vector<api::BreakerView> CallBreakers::views(std::string_view caller, TimePoint now,
                                                  std::int64_t unix_now_ns) const {
  std::vector<api::BreakerView> views;
  const auto ids = ids_.find(caller);
  if (ids == ids_.end()) return views;
  const auto unix_of = [&](TimePoint time) { return unix_now_ns - (now - time).count(); };
  for (const auto& [called, id] : ids->second) {
    const Edge& edge = edges_.at(id);
    const CircuitBreaker& breaker = edge.breaker;
    const CircuitBreaker::Counts counts = breaker.counts(now);
    api::BreakerView view;
    view.call = called;
    view.state = state_of(breaker, now);
    const bool closed = breaker.state() == State::kClosed;
    if (breaker.since()) view.since_unix_ns = unix_of(closed ? *breaker.since() : edge.opened);
    view.calls = counts.calls;
    view.failures = counts.failures;
    view.last_failure = edge.last_failure;
    if (edge.last_failed) view.last_failed_unix_ns = unix_of(*edge.last_failed);
    view.on_trial = breaker.on_trial();
    view.times_opened = edge.times_opened;
    view.calls_refused = edge.refused;
    if (view.state == api::BreakerState::kOpen)
      view.next_try_us =
          std::chrono::duration_cast<std::chrono::microseconds>(breaker.open_until() - now).count();
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace subito::node
