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
  tally.refused(scheduler::RefuseReason::kQueueFull);
  tally.cancelled();
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

}  // namespace
}  // namespace subito::simulate
