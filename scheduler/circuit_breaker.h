// CircuitBreaker: whether calls of one function to another are made at all, by how those of late
// ended. Pure: time and outcomes come in. Allocates nothing.
//
//   closed ──enough failures in the window──▶ open ──after limits.open, with the next call──▶
//   half-open: one call at a time is let through ──as many successes in a row──▶ closed
//                                                ──a failure──▶ open
//
// The owner asks begin() before each call and tells finish() once how each that was let through
// ended. Only outcomes of the state in which a call was begun count: an answer that comes after the
// breaker opened tells nothing of now. Every call ends, at the latest by its deadline, so that a
// trial cannot hold a half-open breaker for ever.
//
// A slow call is a failure, whatever its outcome: one that took limits.slow or longer. So a
// function that answers after its callers have stopped waiting opens the breaker as one that is
// away does, while a caller who leaves early tells nothing of it.
//
// The window goes in tenths: what is older than the window never counts, what is younger than nine
// tenths of it always does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtime/base/time.h"

namespace subito::scheduler {

// What they mean and why they are what they are by default: deploy/manifest.
struct BreakerLimits {
  std::uint32_t failures = 1;         // fewest in the window that open it; at least 1
  std::uint32_t failure_percent = 1;  // of the calls in the window that must have failed; 1 to 100
  Duration window{};                  // at least 10 ns
  Duration open{};
  std::uint32_t probes = 1;  // successes in a row that close it; at least 1
  Duration slow{};           // a call that takes so long is a failure; 0: none is for that

  bool operator==(const BreakerLimits&) const = default;
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  enum class Outcome : std::uint8_t { kSuccess, kFailure, kNeither };
  // Of a call that was let through.
  struct Pass {
    std::uint64_t era = 0;
  };
  struct Counts {
    std::uint64_t calls = 0;  // that ended one way or the other
    std::uint64_t failures = 0;
  };

  explicit CircuitBreaker(const BreakerLimits& limits);

  // nullopt: the call is not to be made.
  std::optional<Pass> begin(TimePoint now);
  // `took`: until its answer began, or nobody waited for it any more; 0: it is no matter. Returns
  // the outcome that it counts as: kFailure for a slow one.
  Outcome finish(TimePoint now, Pass pass, Outcome outcome, Duration took = {});

  const BreakerLimits& limits() const { return limits_; }
  // As of the last begin() or finish(): an open one stays so until a call comes to be tried.
  State state() const { return state_; }
  std::optional<TimePoint> since() const { return since_; }  // of the state; closed from the start
  // Until when an open one lets no call through; then the next is a trial.
  TimePoint open_until() const { return open_until_; }
  bool on_trial() const { return on_trial_; }  // half-open, and the call let through has not ended
  // Within the window. Of one that is not closed: of the calls that were begun before it opened.
  Counts counts(TimePoint now) const;

 private:
  static constexpr std::int64_t kBuckets = 10;
  struct Bucket {
    std::int64_t tenth = -1;  // counted from the start of time
    Counts counts;
  };

  void change(TimePoint now, State to);
  void open(TimePoint now);
  Outcome judge(Outcome outcome, Duration took) const;
  std::int64_t tenth_of(TimePoint now) const;
  void count(TimePoint now, bool failure);
  bool has_failed_enough(TimePoint now) const;

  BreakerLimits limits_;
  State state_ = State::kClosed;
  std::uint64_t era_ = 0;  // one more with each change of state
  std::optional<TimePoint> since_;
  TimePoint open_until_{};
  bool on_trial_ = false;
  std::uint32_t successes_ = 0;  // in a row, while half-open
  std::array<Bucket, kBuckets> buckets_;
};

}  // namespace subito::scheduler
