#include "scheduler/circuit_breaker.h"

#include "runtime/base/check.h"

namespace subito::scheduler {

CircuitBreaker::CircuitBreaker(const BreakerLimits& limits) : limits_(limits) {
  CHECK(limits.failures >= 1 && limits.probes >= 1);
  CHECK(limits.failure_percent >= 1 && limits.failure_percent <= 100);
  CHECK(limits.window.count() >= kBuckets && limits.open >= Duration::zero());
  CHECK(limits.slow >= Duration::zero());
}

std::optional<CircuitBreaker::Pass> CircuitBreaker::begin(TimePoint now) {
  if (state_ == State::kOpen && now >= open_until_) change(now, State::kHalfOpen);
  switch (state_) {
    case State::kClosed:
      return Pass{era_};
    case State::kOpen:
      return std::nullopt;
    case State::kHalfOpen:
      if (on_trial_) return std::nullopt;
      on_trial_ = true;
      return Pass{era_};
  }
  CHECK(false);
}

CircuitBreaker::Outcome CircuitBreaker::judge(Outcome outcome, Duration took) const {
  const bool slow = limits_.slow > Duration::zero() && took >= limits_.slow;
  return slow ? Outcome::kFailure : outcome;
}

CircuitBreaker::Outcome CircuitBreaker::finish(TimePoint now, Pass pass, Outcome outcome,
                                               Duration took) {
  const Outcome judged = judge(outcome, took);
  if (pass.era != era_) return judged;
  on_trial_ = false;
  if (judged == Outcome::kNeither) return judged;
  const bool failure = judged == Outcome::kFailure;
  if (state_ == State::kClosed) {
    count(now, failure);
    if (failure && has_failed_enough(now)) open(now);
  } else if (failure) {
    open(now);
  } else if (++successes_ == limits_.probes) {
    change(now, State::kClosed);
    buckets_.fill({});
  }
  return judged;
}

CircuitBreaker::Counts CircuitBreaker::counts(TimePoint now) const {
  const std::int64_t oldest = tenth_of(now) - kBuckets + 1;
  Counts sum;
  for (const Bucket& bucket : buckets_) {
    if (bucket.tenth < oldest) continue;
    sum.calls += bucket.counts.calls;
    sum.failures += bucket.counts.failures;
  }
  return sum;
}

void CircuitBreaker::change(TimePoint now, State to) {
  state_ = to;
  since_ = now;
  ++era_;
  on_trial_ = false;
  successes_ = 0;
}

void CircuitBreaker::open(TimePoint now) {
  change(now, State::kOpen);
  open_until_ = now + limits_.open;
}

// With a window of 10 s tenth 1234 begins at 1,234 s.
std::int64_t CircuitBreaker::tenth_of(TimePoint now) const {
  return now.time_since_epoch().count() / (limits_.window.count() / kBuckets);
}

void CircuitBreaker::count(TimePoint now, bool failure) {
  const std::int64_t tenth = tenth_of(now);
  Bucket& bucket = buckets_[static_cast<std::size_t>(tenth % kBuckets)];
  if (bucket.tenth != tenth) bucket = {tenth, {}};
  ++bucket.counts.calls;
  bucket.counts.failures += failure ? 1 : 0;
}

bool CircuitBreaker::has_failed_enough(TimePoint now) const {
  const Counts recent = counts(now);
  return recent.failures >= limits_.failures &&
         recent.failures * 100 >= recent.calls * limits_.failure_percent;
}

}  // namespace subito::scheduler
