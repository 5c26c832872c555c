// Renewal: one function's calls as gaps drawn one after the other, on a clock that runs faster by
// day than by night: what the generators of Azure's workloads are made of.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "bench/simulate/random.h"
#include "runtime/base/time.h"

namespace subito::simulate {

enum class Gaps : std::uint8_t {
  kPeriodic,  // a timer: all the same, by day and night; coefficient of variation (CV) 0
  kPoisson,   // CV 1
  kBursty,    // hyperexponential: 95 % are short, the others 18 times as long; CV 3
};

// Daily wave: the rate goes from half of its peak, at midnight, to the peak at noon and back, as
// ATC'20 has it. `operational` time runs with the rate and as fast as real time over a whole day.
class DailyWave {
 public:
  DailyWave();
  double operational(double seconds) const;
  double real(double operational_seconds) const;

 private:
  static constexpr std::size_t kSteps = 1440;
  std::array<double, kSteps + 1> operational_{};  // by minute of the day
  std::array<double, kSteps + 1> real_{};         // its inverse, by operational minute
};
const DailyWave& daily_wave();

struct Renewal {
  Gaps gaps = Gaps::kPoisson;
  double gap_seconds = 0;       // mean; 0: never called
  double service_log_mean = 0;  // of log-normal run times, seconds
  double service_sigma = 0;     // 0: all alike
};

class RenewalSource {
 public:
  RenewalSource(const Renewal& renewal, std::uint64_t seed, std::uint32_t function)
      : renewal_(renewal), random_(seed, function) {}

  // As Merge has it. Drawn some calls ahead: nobody has to wait for the logarithms of a draw, and
  // several at once take hardly longer than one.
  TimePoint first();
  Duration service() const { return drawn_[at_].service; }
  TimePoint next(TimePoint at) {
    const TimePoint next = std::max(at, drawn_[at_].next);
    if (++at_ == drawn_.size()) draw();
    return next;
  }

 private:
  struct Drawn {
    Duration service{};  // of a call
    TimePoint next{};    // that of the call behind it
  };

  void draw();
  TimePoint at_clock() const;

  std::array<Drawn, 4> drawn_;  // the first: of the call under way when they were drawn
  std::uint32_t at_ = 0;        // the call under way
  Renewal renewal_;
  Random random_;
  double clock_ = 0;  // of the last one drawn, seconds: real for a timer, else operational
};

}  // namespace subito::simulate
