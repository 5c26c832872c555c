#include "bench/simulate/runs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bench/simulate/azure.h"
#include "bench/simulate/listed.h"

namespace subito::simulate {
namespace {

std::vector<Setup> setups() {
  std::vector<Setup> out;
  for (const autoscaler::PolicyKind kind : autoscaler::kPolicyKinds) {
    for (const std::uint64_t seed : {1, 2}) {
      Setup setup;
      setup.policy = to_string(kind);
      setup.limits.policy.kind = kind;
      setup.seed = seed;
      setup.cold_start = Distribution::log_normal(-4, 0.5);
      out.push_back(setup);
    }
  }
  return out;
}

Plan plan_of(std::uint64_t calls) {
  return azure_plan(Spec::parse("azure-2021").value(), {.calls = calls}).value();
}

TEST(Runs, ComeToWhatEachComesToAlone) {
  const Plan plan = plan_of(3'000);
  const auto each = setups();
  const auto outcomes = run_all(each, plan, [](std::size_t, double) { return true; });
  ASSERT_EQ(outcomes.size(), each.size());
  for (std::size_t i = 0; i < each.size(); ++i) {
    EXPECT_EQ(outcomes[i].policy, each[i].policy);
    EXPECT_EQ(outcomes[i].digest, run(each[i], plan).digest);
    EXPECT_GT(outcomes[i].cpu_seconds, 0);
  }
}

TEST(Runs, ComeToTheSameOnHoweverManyProcessors) {
  const Plan plan = plan_of(3'000);
  const std::vector one(1, setups().front());
  const std::uint64_t digest = run(one.front(), plan).digest;
  for (const std::size_t processors : {1, 2, 4}) {
    const auto outcomes = run_all(
        one, plan, [](std::size_t, double) { return true; }, processors);
    ASSERT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes.front().digest, digest);
    EXPECT_GT(outcomes.front().cpu_seconds, 0);
  }
}

// With two processors the one that draws is ahead of what is stopped.
TEST(Runs, StopWhenToldTo) {
  const std::vector one(1, setups().front());
  const auto outcomes = run_all(
      one, plan_of(200'000), [](std::size_t, double) { return false; }, 2);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes.front().interrupted);
}

TEST(Runs, AfterAStopThoseAreLeftOutThatHadNotBegun) {
  const std::vector each(100, setups().front());
  const auto outcomes = run_all(each, plan_of(50'000), [](std::size_t, double) { return false; });
  EXPECT_LT(outcomes.size(), each.size());
  const auto interrupted = [](const Outcome& outcome) { return outcome.interrupted; };
  EXPECT_TRUE(std::any_of(outcomes.begin(), outcomes.end(), interrupted));
}

TEST(Runs, OfNothingAreNothing) {
  EXPECT_TRUE(run_all({}, plan_of(10), [](std::size_t, double) { return true; }).empty());
}

}  // namespace
}  // namespace subito::simulate
