#include "bench/simulate/renewal.h"

#include "bench/simulate/distribution.h"

namespace subito::simulate {
namespace {

constexpr double kDay = 86'400;
// Balanced means (each branch makes half of the time) with CV 3: the short branch's chance is
// (1 + sqrt((9 - 1) / (9 + 1))) / 2.
constexpr double kShortChance = 0.9472135954999579;

// How many whole days, and the rest.
struct Split {
  double days;
  double rest;
};
Split split_day(double seconds) {
  const auto days = static_cast<double>(static_cast<std::int64_t>(seconds / kDay));
  return {days, seconds - days * kDay};
}

template <std::size_t size>
double interpolate(const std::array<double, size>& table, double position) {
  const auto at = std::min(static_cast<std::size_t>(position), size - 2);
  return table[at] + (table[at + 1] - table[at]) * (position - static_cast<double>(at));
}

}  // namespace

DailyWave::DailyWave() {
  constexpr double kStep = kDay / kSteps;
  // The cosine of every minute, by turning a pointer a 1,440th at a time: no libm.
  constexpr double kCosStep = 0.9999904807207345;
  constexpr double kSinStep = 0.004363309284746571;
  double cos_at = 1;
  double sin_at = 0;
  double sum = 0;
  for (std::size_t i = 0; i < kSteps; ++i) {
    operational_[i] = sum;
    const double rate = 0.5 + 0.5 * (1 - cos_at) / 2;
    sum += rate;
    const double turned = cos_at * kCosStep - sin_at * kSinStep;
    sin_at = sin_at * kCosStep + cos_at * kSinStep;
    cos_at = turned;
  }
  for (double& value : operational_) value *= kDay / sum;
  operational_[kSteps] = kDay;
  std::size_t minute = 0;
  for (std::size_t i = 0; i <= kSteps; ++i) {
    const double wanted = static_cast<double>(i) * kStep;
    while (minute + 1 < kSteps && operational_[minute + 1] < wanted) ++minute;
    const double inside =
        (wanted - operational_[minute]) / (operational_[minute + 1] - operational_[minute]);
    real_[i] = (static_cast<double>(minute) + inside) * kStep;
  }
}

double DailyWave::operational(double seconds) const {
  const Split split = split_day(seconds);
  return split.days * kDay + interpolate(operational_, split.rest * kSteps / kDay);
}

double DailyWave::real(double operational_seconds) const {
  const Split split = split_day(operational_seconds);
  return split.days * kDay + interpolate(real_, split.rest * kSteps / kDay);
}

const DailyWave& daily_wave() {
  static const DailyWave wave;
  return wave;
}

TimePoint RenewalSource::first() {
  if (renewal_.gap_seconds <= 0) return TimePoint::max();
  switch (renewal_.gaps) {
    case Gaps::kPeriodic:
      clock_ = renewal_.gap_seconds * random_.uniform();
      break;
    case Gaps::kPoisson:
      clock_ = renewal_.gap_seconds * random_.exponential();
      break;
    case Gaps::kBursty: {  // in equilibrium: each branch makes half of the time
      const double chance = random_.uniform() < 0.5 ? kShortChance : 1 - kShortChance;
      clock_ = random_.exponential() * renewal_.gap_seconds / (2 * chance);
      break;
    }
  }
  const TimePoint first = at_clock();
  draw();
  return first;
}

// A call's service is drawn before the gap behind it, and of a bursty gap its branch first.
void RenewalSource::draw() {
  const bool varies = renewal_.service_sigma > 0;
  const bool periodic = renewal_.gaps == Gaps::kPeriodic;
  Four services{};
  Four logs{};    // of the gaps
  Four divisors;  // of the gaps
  divisors.fill(1);
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    if (varies) services[i] = random_.uniform();
    if (renewal_.gaps == Gaps::kBursty) {
      divisors[i] = 2 * (random_.uniform() < kShortChance ? kShortChance : 1 - kShortChance);
    }
    if (!periodic) logs[i] = random_.uniform();
  }
  if (varies) inverse_normals(services);
  for (double& service : services) {
    service = renewal_.service_log_mean + (varies ? renewal_.service_sigma * service : 0);
  }
  exponentials(services);
  if (!periodic) natural_logs(logs);
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    clock_ += periodic ? renewal_.gap_seconds : renewal_.gap_seconds * -logs[i] / divisors[i];
    drawn_[i] = {of_seconds(services[i]), at_clock()};
  }
  at_ = 0;
}

TimePoint RenewalSource::at_clock() const {
  constexpr double kSecondsMax = 366 * kDay;
  if (clock_ > kSecondsMax) return TimePoint::max();
  return TimePoint(
      of_seconds(renewal_.gaps == Gaps::kPeriodic ? clock_ : daily_wave().real(clock_)));
}

}  // namespace subito::simulate
