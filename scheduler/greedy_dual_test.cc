#include "scheduler/greedy_dual.h"

#include <gtest/gtest.h>

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1 << 20;

TEST(GreedyDual, IsWorthMoreTheMoreUsedTheSlowerToStartAndTheSmaller) {
  const GreedyDual order;
  EXPECT_EQ(order.priority(1000, 1ms, 128 * kMiB), 7'812'500u);
  EXPECT_EQ(order.priority(1, 250ms, 512 * kMiB), 488'281u);
  EXPECT_GT(order.priority(2, 1ms, kMiB), order.priority(1, 1ms, kMiB));
  EXPECT_GT(order.priority(1, 2ms, kMiB), order.priority(1, 1ms, kMiB));
  EXPECT_GT(order.priority(1, 1ms, kMiB), order.priority(1, 1ms, 2 * kMiB));
}

TEST(GreedyDual, CountsFromTheWorthOfTheLastThatWent) {
  GreedyDual order;
  order.given_up(500);
  EXPECT_EQ(order.priority(0, 1ms, kMiB), 500u);
  order.given_up(300);  // the clock never goes back
  EXPECT_EQ(order.clock(), 500u);
}

TEST(GreedyDual, DoesNotOverflow) {
  GreedyDual order;
  const GreedyDual::Priority most = order.priority(0xffffffff, Duration::max(), 0);
  EXPECT_EQ(most, (1ull << 20) * 100'000'000'000ull);
  EXPECT_LT(most, 1ull << 57);
  EXPECT_EQ(order.priority(1, -1s, 1), 0u);
}

}  // namespace
}  // namespace subito::scheduler
