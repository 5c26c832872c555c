#include "autoscaler/concurrency_window.h"

#include <gtest/gtest.h>

#include "autoscaler/max_window.h"

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since_start) {
  return TimePoint(1000s + since_start);
}

TEST(ConcurrencyWindow, KnowsNothingOfAFunctionThatNeverLived) {
  ConcurrencyWindow window(60);
  window.observe(at(0s), 0, false);
  EXPECT_EQ(window.average_millionths(at(5s), 60), 0u);
}

TEST(ConcurrencyWindow, WeighsWhatIsInFlightByTime) {
  ConcurrencyWindow window(60);
  window.observe(at(0s), 4, true);
  window.observe(at(250ms), 0, true);  // 4 for a quarter of the second: 1 on average
  // Buckets 0 (nothing was before) and 1: (0 + 1) / 2.
  EXPECT_EQ(window.average_millionths(at(1s), 60), 500'000u);
  EXPECT_EQ(window.average_millionths(at(1s), 1), 1'000'000u);
  // The open second is not looked at before it is over.
  window.observe(at(1s), 9, true);
  EXPECT_EQ(window.average_millionths(at(1900ms), 1), 1'000'000u);
  EXPECT_EQ(window.average_millionths(at(2s), 1), 9'000'000u);
}

TEST(ConcurrencyWindow, CountsAPokeUnderTheCurrentSecond) {
  ConcurrencyWindow window(60);
  window.observe(at(500ms), 3, true);
  EXPECT_EQ(window.average_millionths(at(500ms), 60), 0u);
  window.poke(at(500ms));
  EXPECT_EQ(window.average_millionths(at(500ms), 60), 3'000'000u);
  // Bucket 0: 3 by the poke. Bucket 1: 3 for half of a second. (3 + 1.5) / 2.
  EXPECT_EQ(window.average_millionths(at(1s), 60), 2'250'000u);
}

TEST(ConcurrencyWindow, ForgetsWhatIsOlderThanTheWindow) {
  ConcurrencyWindow window(10);
  window.observe(at(0s), 10, true);
  window.observe(at(10s), 0, true);
  EXPECT_EQ(window.average_millionths(at(10s), 10), 10'000'000u);  // buckets 1 to 10
  EXPECT_EQ(window.average_millionths(at(16s), 10), 4'000'000u);   // of 7 to 16 four are 10
  EXPECT_EQ(window.average_millionths(at(20s), 10), 0u);
}

TEST(ConcurrencyWindow, BeginsAnewAfterAWholeWindowWithoutPods) {
  ConcurrencyWindow window(10);
  window.observe(at(0s), 5, true);
  window.observe(at(100s), 0, false);
  window.observe(at(200s), 2, true);
  window.poke(at(200s));
  EXPECT_EQ(window.average_millionths(at(200s), 10), 2'000'000u);  // one bucket, not ten
}

TEST(ConcurrencyWindow, SpansAnHourWithoutAnEvent) {
  ConcurrencyWindow window(60);
  window.observe(at(0s), 3, true);
  EXPECT_EQ(window.average_millionths(at(3600s), 60), 3'000'000u);
}

TEST(MaxWindow, WithoutASpanRemembersNothing) {
  MaxWindow window(0s, 2s);
  EXPECT_EQ(window.record(at(0s), 9), 9u);
  EXPECT_EQ(window.record(at(0s), 1), 1u);
}

TEST(MaxWindow, AnswersTheLargestOfItsSpan) {
  MaxWindow window(6s, 2s);  // three steps
  EXPECT_EQ(window.record(at(0s), 5), 5u);
  EXPECT_EQ(window.record(at(2s), 3), 5u);
  EXPECT_EQ(window.record(at(4s), 4), 5u);
  EXPECT_EQ(window.record(at(6s), 1), 4u);  // the 5 is three steps old
  EXPECT_EQ(window.record(at(8s), 1), 4u);
  EXPECT_EQ(window.record(at(10s), 1), 1u);
  EXPECT_EQ(window.record(at(11s), 0), 1u);  // the same step: the larger one
}

}  // namespace
}  // namespace subito::autoscaler
