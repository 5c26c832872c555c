#include "bench/simulate/tally.h"

#include <gtest/gtest.h>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

TEST(SlowdownBins, TellPercentilesWithinABin) {
  SlowdownBins bins;
  EXPECT_EQ(bins.percentile(0.99), 0);
  for (int i = 0; i < 98; ++i) bins.record(1000);
  bins.record(64'500);
  bins.record(64'500);
  EXPECT_EQ(bins.percentile(0.5), 1);
  EXPECT_NEAR(bins.percentile(0.99), 64.5, 8);
  SlowdownBins extreme;
  extreme.record(INT64_MAX / 1024);
  EXPECT_GT(extreme.percentile(0.5), 60'000);
}

TEST(Tally, CountsEachFunctionTheSame) {
  Tally tally(3);
  for (int i = 0; i < 1000; ++i) tally.completed(0, 0ms, 10ms, 10ms, false);
  tally.completed(1, 90ms, 100ms, 10ms, true);  // ten times as long; the third is never called
  tally.refused(0, scheduler::RefuseReason::kQueueFull);
  tally.cancelled(0);
  Outcome outcome;
  tally.fill(outcome);
  EXPECT_EQ(outcome.completed, 1001u);
  EXPECT_EQ(outcome.cold, 1u);
  EXPECT_EQ(outcome.refused_all(), 1u);
  EXPECT_EQ(outcome.cancelled, 1u);
  EXPECT_EQ(outcome.slowdown.percentile(0.5), 1000);
  EXPECT_NEAR(outcome.slowdown_p99_functions, 3.16, 0.2);  // the root of 1 * 10
  EXPECT_EQ(outcome.waiting.max(), 90'000'000);
}

TEST(Tally, TellsFunctionsWithNamesOneByOne) {
  const std::vector<NamedFunction> named = {{.name = "quiet"}, {.name = "flood"}};
  Tally tally(2, named);
  for (int i = 0; i < 4; ++i) tally.arrived(1);
  tally.completed(1, 0ms, 30ms, 10ms, false);
  tally.refused(1, scheduler::RefuseReason::kQueueFull);
  tally.refused(1, scheduler::RefuseReason::kInFlightLimit);
  tally.failed(1);
  Outcome outcome;
  tally.fill(outcome);
  ASSERT_EQ(outcome.functions.size(), 2u);
  EXPECT_EQ(outcome.functions[0].arrived, 0u);
  const FunctionOutcome& flood = outcome.functions[1];
  EXPECT_EQ(flood.name, "flood");
  EXPECT_EQ(flood.arrived, 4u);
  EXPECT_EQ(flood.completed, 1u);
  EXPECT_EQ(flood.failed, 1u);
  EXPECT_EQ(flood.refused, (std::map<int, std::uint64_t>{{429, 2}}));
  EXPECT_EQ(flood.slowdown.max(), 3000);
  EXPECT_EQ(flood.response.max(), 30'000'000);
}

}  // namespace
}  // namespace subito::simulate
