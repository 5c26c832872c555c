// The time types of the whole project. Pure code takes a TimePoint as an argument and never reads
// a clock; live code reads one through Clock, which a test replaces by ManualClock.
#pragma once

#include <chrono>

namespace subito {

// Monotonic time since an arbitrary start. Not a wall clock: never store or show it.
struct Monotonic {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};

using Duration = Monotonic::duration;
using TimePoint = Monotonic::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

// CLOCK_MONOTONIC, clock_gettime(2).
class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
};

class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{std::chrono::seconds(1)};
};

// Wall-clock time as RFC 3339 in UTC with milliseconds: "2026-11-23T22:04:05.123Z".
// Takes Unix time in nanoseconds; writes at most 25 bytes including the final NUL.
constexpr int kRfc3339Size = 25;
void format_rfc3339(long long unix_nanoseconds, char (&out)[kRfc3339Size]);
long long wall_clock_nanoseconds();

}  // namespace subito
