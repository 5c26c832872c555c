// A steady load does not make pods come and go, under any policy: what users of autoscalers call
// flapping. Ten minutes of 100 calls a second of 20 ms: two pods are busy on average.
#include <gtest/gtest.h>

#include "bench/simulate/shapes.h"
#include "bench/simulate/simulation.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using autoscaler::PolicyKind;

constexpr std::uint64_t kCalls = 60'000;

struct Steady {
  PolicyKind policy;
  Duration start;
};

Outcome run(const Steady& steady, const char* workload) {
  const auto plan = shaped_plan(Spec::parse(workload).value(), {.duration = 600s});
  EXPECT_TRUE(plan) << plan.error().message;
  Setup setup;
  setup.cold_start = Distribution::fixed(steady.start);
  setup.limits.policy.kind = steady.policy;
  Simulation simulation(setup, *plan);
  return simulation.run([](double) { return true; });
}

class FlappingTest : public testing::TestWithParam<Steady> {};

// One call every 10 ms: whoever knows how long one takes needs no more than a pod beyond the two
// that are busy, once those that met the first calls are gone.
TEST_P(FlappingTest, AnEvenLoadHasTheSamePodsFromItsFirstMinuteToItsLast) {
  const Outcome it = run(GetParam(), "constant:rate=100,service=20ms");
  EXPECT_EQ(it.completed, kCalls);
  EXPECT_LE(it.starts, it.pods_peak + 1);
  const std::size_t minute = it.pods_over_time.size() / 10;
  for (std::size_t i = 2 * minute; i + 1 < it.pods_over_time.size(); ++i) {
    EXPECT_EQ(it.pods_over_time[i], it.pods_over_time[2 * minute]) << "bucket " << i;
  }
}

// Chance asks for more pods than the mean now and then. A pod that costs little to start may come
// for that and go; one that costs a lot stays.
TEST_P(FlappingTest, AnIrregularLoadStartsPodsForOneCallInAHundredAtMost) {
  const Outcome it = run(GetParam(), "poisson:rate=100,service=20ms");
  EXPECT_GT(it.completed, kCalls * 98 / 100);
  EXPECT_LE(it.starts, GetParam().start < 100ms ? kCalls / 100 : kCalls / 1000);
}

INSTANTIATE_TEST_SUITE_P(
    EveryPolicy, FlappingTest,
    testing::Values(Steady{PolicyKind::kInstant, 1ms}, Steady{PolicyKind::kInstant, 250ms},
                    Steady{PolicyKind::kConcurrency, 1ms}, Steady{PolicyKind::kConcurrency, 250ms},
                    Steady{PolicyKind::kFixed, 250ms}, Steady{PolicyKind::kHistogram, 250ms}),
    [](const auto& instance) {
      return std::string(to_string(instance.param.policy)) + "_" +
             std::to_string(instance.param.start / 1ms) + "ms";
    });

}  // namespace
}  // namespace subito::simulate
