#include "runtime/node/logs/log_clock.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWeek = 7 * 24 * 3600 * kSecond;

TEST(LogClockTest, TimeThatPassesIsNotAhead) {
  LogClock clock;
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(100)), 5 * kWeek), 0);
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(700)), 5 * kWeek + 630 * kSecond), 0) << "slewed";
}

TEST(LogClockTest, AStepForwardIsAheadUntilItIsTakenBack) {
  LogClock clock;
  clock.ahead_ns(TimePoint(seconds(100)), 5 * kWeek);
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(100)), 7 * kWeek), 2 * kWeek);
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(200)), 7 * kWeek + 100 * kSecond), 2 * kWeek);
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(200)), 5 * kWeek + 100 * kSecond), 0);
}

TEST(LogClockTest, AStepBackAloneIsNothing) {
  LogClock clock;
  clock.ahead_ns(TimePoint(seconds(100)), 5 * kWeek);
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(100)), 1 * kWeek), 0);
  EXPECT_EQ(clock.ahead_ns(TimePoint(seconds(100)), 5 * kWeek), 4 * kWeek)
      << "from there it is a step forward, and files written meanwhile must not go";
}

}  // namespace
}  // namespace subito::node
