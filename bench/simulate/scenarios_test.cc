#include "bench/simulate/scenarios.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/simulate/listed.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::uint32_t kCores = 2;

Plan plan_of(const std::string& text, const Size& size = {}) {
  auto plan = scenario_plan(Spec::parse(text).value(), size, kCores);
  EXPECT_TRUE(plan) << plan.error().message;
  return *std::move(plan);
}

// As `subito simulate` makes it of --cores 2.
Setup setup_of(autoscaler::PolicyKind policy, std::uint32_t pods = 256) {
  Setup setup;
  setup.node.pods_max = pods;
  setup.limits.policy.kind = policy;
  setup.cores = kCores;
  setup.cores_by_function = true;
  setup.timeout = 30s;
  return setup;
}

// Policy, room for so many pods.
class Checkouts : public testing::TestWithParam<std::tuple<autoscaler::PolicyKind, std::uint32_t>> {
};

TEST_P(Checkouts, AsManyAsTheNodeHoldsPodsAllEnd) {
  const auto [policy, pods] = GetParam();
  const Plan plan = plan_of("calls:every=1s,at-once=" + std::to_string(pods), {.duration = 3s});
  const Outcome it = run(setup_of(policy, pods), plan);
  EXPECT_EQ(it.arrived, 2 * 3 * pods);
  EXPECT_EQ(it.completed, it.arrived);
  EXPECT_LE(it.pods_peak, pods);
  EXPECT_EQ(it.functions.at(0).completed, 3 * pods);
  EXPECT_EQ(it.functions.at(1).completed, 3 * pods);
}

INSTANTIATE_TEST_SUITE_P(OfEach, Checkouts,
                         testing::Combine(testing::ValuesIn(autoscaler::kPolicyKinds),
                                          testing::Values(2, 3, 8, 64, 200)),
                         [](const auto& test) {
                           return std::string(to_string(std::get<0>(test.param))) + "On" +
                                  std::to_string(std::get<1>(test.param));
                         });

TEST(Scenarios, AFloodLeavesAQuietFunctionItsTimesAndPaysForItsExcess) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Size size{.duration = 10min, .seed = seed};
    const auto setup = setup_of(autoscaler::PolicyKind::kInstant);
    const Outcome alone = run(setup, plan_of("flood:factor=0", size));
    const Outcome both = run(setup, plan_of("flood", size));
    const FunctionOutcome& quiet = both.functions.at(0);
    const FunctionOutcome& flood = both.functions.at(1);
    EXPECT_EQ(quiet.arrived, alone.functions.at(0).arrived) << "the same calls";
    EXPECT_EQ(quiet.completed, quiet.arrived);
    EXPECT_LE(quiet.response.percentile(0.99), 2 * alone.functions.at(0).response.percentile(0.99));
    EXPECT_GT(flood.refused.at(429), flood.arrived * 85 / 100);  // nine tenths are too many
    EXPECT_GT(flood.completed, flood.arrived * 8 / 100);
    // Nearly all of the excess at once; but for the first second, when nobody knows how long calls
    // take, nobody waits in vain.
    EXPECT_LT(both.refused_all() - flood.refused.at(429), flood.arrived / 1000);
  }
}

// What the shares are good for: 192 pods of the flood, which a policy that does not look at the
// cores starts, would leave quiet a 97th of its core.
TEST(Scenarios, WithoutSharesByFunctionAFloodSlowsEverybody) {
  auto setup = setup_of(autoscaler::PolicyKind::kFixed);
  setup.cores_by_function = false;
  const Outcome it = run(setup, plan_of("flood"));
  EXPECT_GT(it.functions.at(0).response.percentile(0.5), 1'000'000'000);
}

TEST(Scenarios, HaveTheRatesTheyAreToldTo) {
  const Outcome calls =
      run(setup_of(autoscaler::PolicyKind::kInstant), plan_of("calls:rate=20", {.duration = 100s}));
  EXPECT_NEAR(static_cast<double>(calls.functions.at(0).arrived), 2000, 150);
  // 3 times what 2 cores do at 10 ms: 600 a second.
  const Outcome flood = run(setup_of(autoscaler::PolicyKind::kInstant),
                            plan_of("flood:rate=5,factor=3,flood-service=10ms", {.duration = 10s}));
  EXPECT_NEAR(static_cast<double>(flood.functions.at(0).arrived), 50, 25);
  EXPECT_NEAR(static_cast<double>(flood.functions.at(1).arrived), 6000, 250);
}

TEST(Scenarios, RefuseWhatIsWrong) {
  const auto words = [](const char* text, const Size& size = {}, std::uint32_t cores = kCores) {
    const auto plan = scenario_plan(Spec::parse(text).value(), size, cores);
    EXPECT_FALSE(plan) << text;
    return plan ? std::string() : plan.error().message;
  };
  EXPECT_THAT(words("flood", {}, 0), HasSubstr("flood needs --cores"));
  EXPECT_THAT(words("flood:service=0s"), HasSubstr("service: must be above 0"));
  EXPECT_THAT(words("flood:stock=1s"), HasSubstr("flood has no 'stock', allowed is rate"));
  EXPECT_THAT(words("calls:rate=1,at-once=1"), HasSubstr("not both"));
  EXPECT_THAT(words("calls:before=2"), HasSubstr("before: is above 1"));
  EXPECT_THAT(words("calls:at-once=1,every=0s"), HasSubstr("every: must be above 0"));
  EXPECT_THAT(words("calls", {.functions = 3}), HasSubstr("has two functions"));
  EXPECT_EQ(scenario_plan(Spec::parse("wave").value(), {}, 0).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace subito::simulate
