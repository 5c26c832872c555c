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

template <std::size_t size>
double polynomial(const double (&coefficients)[size], double x) {
  double sum = 0;
  for (std::size_t i = size; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

}  // namespace

// value = m * 2^e with m near 1; ln m = 2 atanh((m - 1) / (m + 1)) as a series.
double natural_log(double value) {
  constexpr double kSqrt2 = 1.4142135623730951;
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & kMantissa) | std::bit_cast<std::uint64_t>(1.0));
  if (m > kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  constexpr double kSeries[] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                                1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  const double mantissa = 2 * s * polynomial(kSeries, s * s);
  return exponent * kLn2High + (exponent * kLn2Low + mantissa);
}

// e^x = 2^k e^r with |r| below ln 2 / 2; e^r as a series.
double exponential(double x) {
  x = std::clamp(x, -kPowerMax, kPowerMax);
  constexpr double kPerLn2 = 1.44269504088896338700;
  const auto k = static_cast<std::int64_t>(x * kPerLn2 + (x < 0 ? -0.5 : 0.5));
  const double r = (x - static_cast<double>(k) * kLn2High) - static_cast<double>(k) * kLn2Low;
  constexpr double kSeries[] = {1,
                                1,
                                1.0 / 2,
                                1.0 / 6,
                                1.0 / 24,
                                1.0 / 120,
                                1.0 / 720,
                                1.0 / 5040,
                                1.0 / 40320,
                                1.0 / 362880,
                                1.0 / 3628800,
                                1.0 / 39916800,
                                1.0 / 479001600};
  const double scale = std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
  return polynomial(kSeries, r) * scale;
}

double power(double base, double exponent) {
  return exponential(exponent * natural_log(base));
}

double inverse_normal(double probability) {
  const double q = probability - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    constexpr double kA[] = {3.3871327179, 50.434271938, 159.29113202, 59.109374720};
    constexpr double kB[] = {1, 17.895169469, 78.757757664, 67.187563600};
    const double r = 0.180625 - q * q;
    return q * polynomial(kA, r) / polynomial(kB, r);
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

}  // namespace subito::simulate
