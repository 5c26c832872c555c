#include "scheduler/queue_pace.h"

#include <gtest/gtest.h>

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since) {
  return TimePoint(since);
}

TEST(QueuePace, IsTheTimeFromEndToEndWhileSomebodyWaits) {
  QueuePace pace;
  EXPECT_EQ(pace.wait(100), 0s);
  pace.ended(at(1s), true);
  EXPECT_EQ(pace.wait(100), 0s);  // one end, no gap
  pace.ended(at(1s + 10ms), true);
  EXPECT_EQ(pace.wait(100), 1s);
  EXPECT_FALSE(pace.known());
  for (int i = 2; i <= 8; ++i) pace.ended(at(1s + i * 10ms), true);
  EXPECT_TRUE(pace.known());
}

TEST(QueuePace, KnowsNothingOfTheTimeInWhichNobodyWaits) {
  QueuePace pace;
  pace.ended(at(1s), true);
  pace.ended(at(1s + 10ms), true);
  pace.ended(at(2s), false);
  pace.ended(at(9s), true);
  EXPECT_EQ(pace.wait(1), 10ms);
  pace.ended(at(9s + 10ms), true);
  EXPECT_EQ(pace.wait(1), 10ms);
}

// Two pods that end together: gaps of 0 and 20 ms.
TEST(QueuePace, IsSteadyWhereEndsComeTogether) {
  QueuePace pace;
  for (int i = 0; i < 200; ++i) pace.ended(at(1s + i / 2 * 20ms), true);
  for (int i = 200; i < 300; ++i) {
    pace.ended(at(1s + i / 2 * 20ms), true);
    EXPECT_GE(pace.wait(1000), 9'800ms);
    EXPECT_LE(pace.wait(1000), 10'200ms);
  }
}

TEST(QueuePace, OfAnEarlierQueueCountsAsAFew) {
  QueuePace pace;
  TimePoint now = at(1s);
  for (int i = 0; i < 100; ++i) pace.ended(now += 100ms, true);
  pace.ended(now += 100ms, false);
  for (int i = 0; i <= 64; ++i) pace.ended(now += 1ms, true);
  EXPECT_LT(pace.wait(1), 13ms);  // (8 * 100 + 64 * 1) / 72; had all counted it were 37
}

TEST(QueuePace, NeverOverflows) {
  QueuePace pace;
  pace.ended(at(1s), true);
  pace.ended(at(24h * 365), true);
  EXPECT_EQ(pace.wait(0xffffffff), Duration::max());
}

}  // namespace
}  // namespace subito::scheduler
