#include "bench/simulate/exact_math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace subito::simulate {
namespace {

constexpr double kLn2High = 6.93147180369123816490e-01;  // the low 33 bits of its mantissa are 0
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kPowerMax = 700;
constexpr double kSqrt2 = 1.4142135623730951;
constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
constexpr double kLogSeries[] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                                 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
constexpr double kPerLn2 = 1.44269504088896338700;
constexpr double kPowerSeries[] = {
    1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,      1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600};
constexpr double kCentral = 0.425;  // as far from a half the normal's first formula holds
constexpr double kNormalA[] = {3.3871327179, 50.434271938, 159.29113202, 59.109374720};
constexpr double kNormalB[] = {1, 17.895169469, 78.757757664, 67.187563600};

// Two numbers in one register: every x86-64 has those, and rounds each as if it were alone.
using Pair = double __attribute__((vector_size(16)));
using PairBits = std::uint64_t __attribute__((vector_size(16)));
// Added to an integer n from 0 to 2^52 it makes a number whose lowest bits are those of n.
constexpr double kShift = 0x1p52;
constexpr int kExponentOfOne = 1023;

template <typename Number, std::size_t size>
Number polynomial(const double (&coefficients)[size], Number x) {
  Number sum{};
  for (std::size_t i = size; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

// As natural_log(double).
Pair log_of(Pair value) {
  const auto bits = std::bit_cast<PairBits>(value);
  Pair exponent = std::bit_cast<Pair>((bits >> 52) | std::bit_cast<std::uint64_t>(kShift)) -
                  (kShift + kExponentOfOne);
  Pair m = std::bit_cast<Pair>((bits & kMantissa) | std::bit_cast<std::uint64_t>(1.0));
  const auto large = m > kSqrt2;
  m = large ? m * 0.5 : m;
  exponent = large ? exponent + 1.0 : exponent;
  const Pair s = (m - 1.0) / (m + 1.0);
  const Pair mantissa = 2.0 * s * polynomial(kLogSeries, s * s);
  return exponent * kLn2High + (exponent * kLn2Low + mantissa);
}

// As exponential(double).
Pair power_of_e(Pair x) {
  const Pair zero{};
  x = x < -kPowerMax ? zero - kPowerMax : x;
  x = x > kPowerMax ? zero + kPowerMax : x;
  const Pair nearest = x * kPerLn2 + (x < 0.0 ? zero - 0.5 : zero + 0.5);
  const Pair k{static_cast<double>(static_cast<int>(nearest[0])),
               static_cast<double>(static_cast<int>(nearest[1]))};
  const Pair r = (x - k * kLn2High) - k * kLn2Low;
  const auto scale =
      std::bit_cast<Pair>(std::bit_cast<PairBits>(k + (kShift + kExponentOfOne)) << 52);
  return polynomial(kPowerSeries, r) * scale;
}

Pair central_normal(Pair q) {
  const Pair r = 0.180625 - q * q;
  return q * polynomial(kNormalA, r) / polynomial(kNormalB, r);
}

// In their places, two and two.
template <typename Function>
void each_pair(Four& values, Function function) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const Pair results = function(Pair{values[i], values[i + 1]});
    values[i] = results[0];
    values[i + 1] = results[1];
  }
}

}  // namespace

// value = m * 2^e with m near 1; ln m = 2 atanh((m - 1) / (m + 1)) as a series.
double natural_log(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & kMantissa) | std::bit_cast<std::uint64_t>(1.0));
  if (m > kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double mantissa = 2 * s * polynomial(kLogSeries, s * s);
  return exponent * kLn2High + (exponent * kLn2Low + mantissa);
}

// e^x = 2^k e^r with |r| below ln 2 / 2; e^r as a series.
double exponential(double x) {
  x = std::clamp(x, -kPowerMax, kPowerMax);
  const auto k = static_cast<std::int64_t>(x * kPerLn2 + (x < 0 ? -0.5 : 0.5));
  const double r = (x - static_cast<double>(k) * kLn2High) - static_cast<double>(k) * kLn2Low;
  const double scale = std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
  return polynomial(kPowerSeries, r) * scale;
}

double power(double base, double exponent) {
  return exponential(exponent * natural_log(base));
}

double inverse_normal(double probability) {
  const double q = probability - 0.5;
  if (q >= -kCentral && q <= kCentral) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kNormalA, r) / polynomial(kNormalB, r);
  }
  double r = std::sqrt(-natural_log(q < 0 ? probability : 1 - probability));
  double tail = 0;
  if (r <= 5) {
    constexpr double kC[] = {1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103};
    constexpr double kD[] = {1, 0.73700164250, 0.12021132975};
    r -= 1.6;
    tail = polynomial(kC, r) / polynomial(kD, r);
  } else {
    constexpr double kE[] = {6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997};
    constexpr double kF[] = {1, 0.24197894225, 0.012258202635};
    r -= 5;
    tail = polynomial(kE, r) / polynomial(kF, r);
  }
  return q < 0 ? -tail : tail;
}

void natural_logs(Four& values) {
  each_pair(values, [](Pair value) { return log_of(value); });
}

void exponentials(Four& powers) {
  each_pair(powers, [](Pair power) { return power_of_e(power); });
}

// Six in seven are central.
void inverse_normals(Four& probabilities) {
  const Four given = probabilities;
  each_pair(probabilities, [](Pair probability) { return central_normal(probability - 0.5); });
  for (std::size_t i = 0; i < given.size(); ++i) {
    const double q = given[i] - 0.5;
    if (q < -kCentral || q > kCentral) probabilities[i] = inverse_normal(given[i]);
  }
}

}  // namespace subito::simulate
