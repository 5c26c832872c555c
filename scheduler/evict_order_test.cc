#include "scheduler/evict_order.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <tuple>

namespace subito::scheduler {
namespace {

TimePoint at(int nanoseconds) {
  return TimePoint(Duration(nanoseconds));
}

TEST(EvictOrder, HasTheLowestPriorityFirstAndOfEqualsTheLongestIdle) {
  EvictOrder order;
  EXPECT_TRUE(order.empty());
  EXPECT_EQ(order.first(0), kNoSlot);
  order.put(1, 0, 20, at(1));
  order.put(2, 0, 10, at(3));
  order.put(3, 0, 10, at(2));
  EXPECT_EQ(order.first(0), 3u);
  order.erase(3);
  EXPECT_EQ(order.first(0), 2u);
  order.put(2, 0, 30, at(4));
  EXPECT_EQ(order.first(0), 1u);
  EXPECT_TRUE(order.contains(2));
  EXPECT_FALSE(order.contains(3));
  EXPECT_FALSE(order.contains(1000));
}

TEST(EvictOrder, LooksFromAHeightOn) {
  EvictOrder order;
  order.put(1, 0, 10, at(1));
  order.put(2, 2, 20, at(1));
  EXPECT_EQ(order.first(0), 1u);
  EXPECT_EQ(order.first(1), 2u);
  EXPECT_EQ(order.first(3), kNoSlot);
  order.put(2, 5, 5, at(1));  // it changed its height meanwhile
  EXPECT_EQ(order.first(3), 2u);
  EXPECT_EQ(order.first(0), 2u);
}

// Against a sorted map, with many changes between two questions and with none.
TEST(EvictOrder, IsRightHoweverMuchChangedSinceTheLastQuestion) {
  EvictOrder order;
  std::map<Slot, std::tuple<std::uint32_t, GreedyDual::Priority, TimePoint>> expected;
  std::mt19937 random(5);
  for (int step = 0; step < 50'000; ++step) {
    const Slot function = random() % 300;
    if (random() % 2 == 0) {
      const std::uint32_t height = random() % 3;
      const GreedyDual::Priority priority = random() % 50;
      order.put(function, height, priority, at(step));
      expected[function] = {height, priority, at(step)};
    } else {
      order.erase(function);
      expected.erase(function);
    }
    ASSERT_EQ(order.empty(), expected.empty());
    ASSERT_EQ(order.contains(function), expected.contains(function));
    if (random() % 1000 > 3 && step % 5'000 > 100) continue;
    const std::uint32_t from = random() % 4;
    std::tuple<GreedyDual::Priority, TimePoint, Slot> least{~std::uint64_t{0}, {}, kNoSlot};
    for (const auto& [slot, put] : expected) {
      const auto& [height, priority, since] = put;
      if (height >= from) least = std::min(least, {priority, since, slot});
    }
    ASSERT_EQ(order.first(from), std::get<Slot>(least));
  }
}

}  // namespace
}  // namespace subito::scheduler
