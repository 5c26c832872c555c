#include "bench/simulate/exact_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "bench/simulate/random.h"

namespace subito::simulate {
namespace {

TEST(ExactMath, AgreesWithTheSystemsLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 1.7) {
    EXPECT_NEAR(natural_log(x), std::log(x), 2e-15 * std::max(1.0, std::abs(std::log(x)))) << x;
  }
  for (double x = -690; x < 690; x += 0.37) {
    EXPECT_NEAR(exponential(x) / std::exp(x), 1, 1e-14) << x;
  }
  EXPECT_NEAR(power(2, 0.5), std::sqrt(2.0), 1e-15);
}

TEST(ExactMath, InverseNormalHasItsQuantiles) {
  EXPECT_EQ(inverse_normal(0.5), 0);
  EXPECT_NEAR(inverse_normal(0.975), 1.959963985, 1e-6);
  EXPECT_NEAR(inverse_normal(0.025), -1.959963985, 1e-6);
  EXPECT_NEAR(inverse_normal(0.999), 3.090232306, 1e-6);
  EXPECT_NEAR(inverse_normal(1e-12), -7.034483825, 1e-5);
}

// The very bits: what another compiler or machine must give too.
TEST(ExactMath, BitsAreTheSameEverywhere) {
  EXPECT_EQ(std::bit_cast<std::uint64_t>(natural_log(10)), 0x40026bb1bbb55516u);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(exponential(1)), 0x4005bf0a8b14576au);
}

TEST(ExactMath, FourAtATimeHaveTheBitsOfOneByOne) {
  Random random(3, 0);
  const auto expect_alike = [](Four values, auto one, auto all) {
    const Four given = values;
    all(values);
    for (std::size_t i = 0; i < given.size(); ++i) {
      const auto expected = std::bit_cast<std::uint64_t>(one(given[i]));
      ASSERT_EQ(std::bit_cast<std::uint64_t>(values[i]), expected) << given[i];
    }
  };
  for (int round = 0; round < 20'000; ++round) {
    Four uniform, wide;
    for (double& value : uniform) value = random.uniform();
    for (double& value : wide) value = (random.uniform() - 0.5) * (round % 2 == 0 ? 2 : 1500);
    expect_alike(uniform, natural_log, natural_logs);
    expect_alike(uniform, inverse_normal, inverse_normals);
    expect_alike(wide, exponential, exponentials);
    for (double& value : wide) value = exponential(value);
    expect_alike(wide, natural_log, natural_logs);
  }
  expect_alike({0, -0.0, 700, -700}, exponential, exponentials);
  expect_alike({1, 0.5, 1.4142135623730951, 1.4142135623730954}, natural_log, natural_logs);
}

TEST(RandomNumbers, OfStreamsDifferAndRepeat) {
  Random a(1, 0), again(1, 0), other(1, 1), seeded(2, 0);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, again.next());
  EXPECT_NE(first, other.next());
  EXPECT_NE(first, seeded.next());
}

TEST(RandomNumbers, HaveTheirMoments) {
  Random random(7, 0);
  constexpr int kDraws = 200'000;
  double uniform = 0, exponential = 0, normal = 0, square = 0;
  for (int i = 0; i < kDraws; ++i) {
    uniform += random.uniform();
    exponential += random.exponential();
    const double one = random.normal();
    normal += one;
    square += one * one;
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.003);
  EXPECT_NEAR(exponential / kDraws, 1, 0.01);
  EXPECT_NEAR(normal / kDraws, 0, 0.01);
  EXPECT_NEAR(square / kDraws, 1, 0.01);
}

}  // namespace
}  // namespace subito::simulate
