#include "scheduler/call_chain.h"

#include <gtest/gtest.h>

#include <vector>

namespace subito::scheduler {
namespace {

constexpr FunctionId kShopfront{1};
constexpr FunctionId kCheckout{2};
constexpr FunctionId kStock{3};

TEST(CallChainTest, NobodyWaitsForItself) {
  const std::vector<FunctionId> callers = {kShopfront};
  EXPECT_EQ(fault_of_chain(callers, kCheckout, kStock), std::nullopt);
  EXPECT_EQ(fault_of_chain(callers, kCheckout, kCheckout), ChainFault::kCycle);
  EXPECT_EQ(fault_of_chain(callers, kCheckout, kShopfront), ChainFault::kCycle);
}

// Of 16 calls in a chain the first has no caller before its own, the last has 15.
TEST(CallChainTest, IsBounded) {
  std::vector<FunctionId> callers;
  for (std::uint64_t id = 10; callers.size() < kCallDepthMax - 1; ++id) {
    callers.push_back(FunctionId(id));
  }
  EXPECT_EQ(fault_of_chain(callers, kCheckout, kStock), std::nullopt);
  callers.push_back(kShopfront);
  EXPECT_EQ(fault_of_chain(callers, kCheckout, kStock), ChainFault::kTooDeep);
}

}  // namespace
}  // namespace subito::scheduler
