// A warm invocation allocates nothing: every allocation of this binary is counted.
#include <gtest/gtest.h>

#include <string>

#include "scheduler/allocations.h"
#include "scheduler/scheduler.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

class WarmPath : public testing::TestWithParam<autoscaler::PolicyKind> {};

TEST_P(WarmPath, AllocatesNothingOnceItHasGrown) {
  Scheduler scheduler(NodeLimits{});
  Effects effects;
  effects.reserve(16);
  TimePoint now(1s);
  FunctionLimits limits;
  limits.policy.kind = GetParam();
  limits.policy.concurrency.target = 1;
  limits.policy.concurrency.utilization_percent = 100;  // one pod for one call
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    scheduler.add_function(now, FunctionId(id), RevisionId(1), limits, effects);
  }
  std::uint64_t invocation = 0;
  const auto call = [&](std::uint64_t function) {
    effects.clear();
    scheduler.fetch(FunctionId(function));  // hints change nothing
    scheduler.fetch(FunctionId(function + 1'000'000));
    scheduler.fetch_more(FunctionId(function));
    scheduler.fetch_more(FunctionId(function + 1'000'000));
    scheduler.arrive(now, {InvocationId(++invocation), FunctionId(function), now + 60s}, effects);
    for (std::size_t i = 0; i < effects.size(); ++i) {
      const StartPod* start = std::get_if<StartPod>(&effects[i]);
      if (start != nullptr) scheduler.pod_ready(now += 1ms, PodId(start->pod), effects);
    }
    scheduler.fetch(InvocationId(invocation));
    scheduler.fetch(InvocationId(invocation + 1));
    scheduler.completed(now += 1ms, InvocationId(invocation), effects);
  };
  // For 4 s: policies allocate what they remember at the first gap, and one looks every 2 s.
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t function = 1; function <= 100; ++function) call(function);
  }
  const long before = allocations();
  for (int round = 0; round < 100; ++round) {
    for (std::uint64_t function = 1; function <= 100; ++function) {
      call(function);
      ASSERT_EQ(effects.size(), 1u);
    }
  }
  EXPECT_EQ(allocations() - before, 0);
}

INSTANTIATE_TEST_SUITE_P(Policies, WarmPath,
                         testing::Values(autoscaler::PolicyKind::kInstant,
                                         autoscaler::PolicyKind::kConcurrency,
                                         autoscaler::PolicyKind::kFixed,
                                         autoscaler::PolicyKind::kHistogram),
                         [](const auto& each) { return std::string(to_string(each.param)); });

}  // namespace
}  // namespace subito::scheduler
