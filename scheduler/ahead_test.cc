#include "scheduler/ahead.h"

#include <gtest/gtest.h>

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

// True when one of them changed the count.
bool end(Ahead& ahead, std::uint32_t times, Duration handler) {
  bool changed = false;
  for (std::uint32_t i = 0; i < times; ++i) changed = ahead.ended(handler) || changed;
  return changed;
}

TEST(Ahead, IsNoneUntilEnoughCallsWereShort) {
  Ahead ahead;
  EXPECT_FALSE(end(ahead, Ahead::kShortCallsMin - 1, 5us));
  EXPECT_EQ(ahead.count(), 0u);
  EXPECT_TRUE(ahead.ended(5us));
  EXPECT_EQ(ahead.count(), 20u);
}

TEST(Ahead, IsWhatTheHandlersGetThroughInTheTime) {
  for (const auto& [handler, count] : {std::pair<Duration, std::uint32_t>{1us, 100},
                                       {40us, 2},
                                       {100us, 1},
                                       {101us, 0},
                                       {1ms, 0},
                                       {1s, 0}}) {
    Ahead ahead;
    end(ahead, 1000, handler);
    EXPECT_EQ(ahead.count(), count) << handler.count();
  }
}

TEST(Ahead, EndsWithOneLongCallAndBeginsAnewBehindIt) {
  for (const Duration other : {Duration(Ahead::kLongCall + 1ns), Duration::zero()}) {
    Ahead ahead;
    end(ahead, 100, 5us);
    EXPECT_TRUE(ahead.ended(other));
    EXPECT_EQ(ahead.count(), 0u);
    EXPECT_FALSE(end(ahead, Ahead::kShortCallsMin - 1, 5us));
    EXPECT_TRUE(ahead.ended(5us));
  }
}

TEST(Ahead, FollowsAChangeByTheFactorTwoButNoLess) {
  Ahead ahead;
  end(ahead, 100, 10us);
  EXPECT_EQ(ahead.count(), 10u);
  EXPECT_FALSE(end(ahead, 100, 15us));
  EXPECT_FALSE(end(ahead, 100, 6us));
  EXPECT_TRUE(end(ahead, 100, 25us));
  EXPECT_LE(ahead.count(), 5u);
}

}  // namespace
}  // namespace subito::scheduler
