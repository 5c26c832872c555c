#include "bench/simulate/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Plan plan_of(const char* text, const Size& size = {}) {
  auto plan = shaped_plan(Spec::parse(text).value(), size);
  EXPECT_TRUE(plan) << plan.error().message;
  return *std::move(plan);
}

// Calls in each second.
std::vector<int> by_second(const Plan& plan) {
  std::vector<int> out(static_cast<std::size_t>(plan.duration / 1s));
  const auto workload = plan.begin(TimePoint(plan.duration));
  Arrival arrival;
  TimePoint latest{};
  while (workload->next(arrival)) {
    EXPECT_GE(arrival.at, latest);
    latest = arrival.at;
    EXPECT_LT(arrival.function, plan.functions.size());
    ++out.at(static_cast<std::size_t>(arrival.at.time_since_epoch() / 1s));
  }
  return out;
}

int sum(const std::vector<int>& counts, std::size_t from, std::size_t to) {
  int all = 0;
  for (std::size_t i = from; i < to; ++i) all += counts[i];
  return all;
}

TEST(Shapes, ConstantIsEven) {
  const auto counts = by_second(plan_of("constant:rate=100", {.functions = 4, .duration = 10s}));
  for (const int count : counts) EXPECT_NEAR(count, 100, 1);
}

TEST(Shapes, PoissonHasItsMeanAndVariance) {
  const auto counts = by_second(plan_of("poisson:rate=50", {.functions = 5, .duration = 1000s}));
  double mean = 0, square = 0;
  for (const int count : counts) {
    mean += count / 1000.0;
    square += count * count / 1000.0;
  }
  EXPECT_NEAR(mean, 50, 1);
  EXPECT_NEAR(square - mean * mean, 50, 6);
}

TEST(Shapes, StepBurstSineAndOnOffFollowTheirCurves) {
  const auto step = by_second(plan_of("step:rate=100,to=400,at=100s", {.duration = 200s}));
  EXPECT_NEAR(sum(step, 0, 100), 10'000, 400);
  EXPECT_NEAR(sum(step, 100, 200), 40'000, 800);
  const auto burst =
      by_second(plan_of("burst:rate=10,peak=1000,every=50s,for=5s", {.duration = 100s}));
  EXPECT_NEAR(sum(burst, 50, 55), 5000, 300);
  EXPECT_NEAR(sum(burst, 55, 100), 450, 90);
  const auto sine = by_second(plan_of("sine:rate=100,amplitude=1,period=200s", {.duration = 200s}));
  EXPECT_NEAR(sum(sine, 0, 100), 100 * (100 + 63.7), 600);  // the mean of half a sine is 2 / pi
  EXPECT_NEAR(sum(sine, 100, 200), 100 * (100 - 63.7), 400);
  const auto on_off = by_second(plan_of("on-off:rate=100,on=10s,off=40s", {.duration = 100s}));
  EXPECT_NEAR(sum(on_off, 50, 60), 1000, 130);
  EXPECT_EQ(sum(on_off, 60, 100), 0);
}

TEST(Shapes, ServiceIsFixedOrDrawn) {
  const Plan plan = plan_of("poisson:rate=1000,service=5ms,sigma=1", {.duration = 10s});
  const auto workload = plan.begin(TimePoint(plan.duration));
  Arrival arrival;
  int below = 0, all = 0;
  while (workload->next(arrival)) {
    below += arrival.service < Duration(5ms) ? 1 : 0;
    ++all;
  }
  EXPECT_NEAR(static_cast<double>(below) / all, 0.5, 0.02);
}

TEST(Shapes, RefuseWhatIsWrong) {
  const auto words = [](const char* text, const Size& size = {}) {
    const auto plan = shaped_plan(Spec::parse(text).value(), size);
    EXPECT_FALSE(plan) << text;
    return plan ? std::string() : plan.error().message;
  };
  EXPECT_THAT(words("poisson:peak=3"), HasSubstr("poisson has no 'peak', allowed is rate"));
  EXPECT_THAT(words("sine:amplitude=2"), HasSubstr("amplitude: is above 1"));
  EXPECT_THAT(words("burst:every=0s"), HasSubstr("period must be above 0"));
  EXPECT_THAT(words("poisson:sigma=1,service=0s"), HasSubstr("sigma"));
  EXPECT_THAT(words("poisson", {.calls = 5}), HasSubstr("--calls: poisson takes rate="));
  EXPECT_EQ(shaped_plan(Spec::parse("wave").value(), {}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace subito::simulate
