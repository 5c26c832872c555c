#include "bench/kit/percentiles.h"

#include <gtest/gtest.h>

namespace subito::bench {
namespace {

TEST(Percentiles, NeedTenMeasurementsBeyondThem) {
  const std::pair<double, std::uint64_t> needs[] = {
      {0.5, 20}, {0.9, 100}, {0.99, 1'000}, {0.999, 10'000}, {0.9999, 100'000}};
  for (const auto& [fraction, needed] : needs) {
    EXPECT_TRUE(enough_for(fraction, needed)) << fraction;
    EXPECT_FALSE(enough_for(fraction, needed - 1)) << fraction;
  }
}

}  // namespace
}  // namespace subito::bench
