#include "autoscaler/cpu_demand.h"

#include <gtest/gtest.h>

namespace subito::autoscaler {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

CpuDemand told(CpuUse use, Duration service, std::uint64_t times = CpuDemand::kObservationsMin) {
  CpuDemand demand;
  for (std::uint64_t i = 0; i < times; ++i) demand.observe(use, service);
  return demand;
}

TEST(CpuDemandTest, WorkIsWorthAsManyAsThereAreCores) {
  EXPECT_EQ(told({.cpu = milliseconds(5)}, milliseconds(5)).worth(2), 2U);
  EXPECT_EQ(told({.cpu = milliseconds(5)}, microseconds(5200)).worth(2), 3U);  // 2.08
  EXPECT_EQ(told({.cpu = milliseconds(5)}, milliseconds(5)).worth(1), 1U);
}

TEST(CpuDemandTest, WaitingForSomethingElseMakesRoomForOthers) {
  EXPECT_EQ(told({.cpu = microseconds(200)}, microseconds(20'200)).worth(2), 202U);
}

TEST(CpuDemandTest, WaitingForACoreDoesNot) {
  const CpuUse crowded{.cpu = milliseconds(5), .waited = milliseconds(95)};
  EXPECT_EQ(told(crowded, milliseconds(100)).worth(2), 2U);
}

TEST(CpuDemandTest, NobodyKnowsBeforeAFewTold) {
  const CpuUse use{.cpu = milliseconds(5)};
  EXPECT_EQ(CpuDemand().worth(2), CpuDemand::kAny);
  EXPECT_EQ(told(use, milliseconds(5), CpuDemand::kObservationsMin - 1).worth(2), CpuDemand::kAny);
  EXPECT_EQ(told({}, milliseconds(5), 100).worth(2), CpuDemand::kAny);
  EXPECT_EQ(told(use, milliseconds(5)).worth(0), CpuDemand::kAny);
}

TEST(CpuDemandTest, APodThatTellsNonsenseIsNotBelieved) {
  const CpuUse more{.cpu = std::chrono::hours(1), .waited = std::chrono::hours(1)};
  EXPECT_EQ(told(more, milliseconds(10)).worth(2), 2U);
  EXPECT_EQ(told(more, milliseconds(10)).cpu(), milliseconds(10));
  EXPECT_EQ(told({.cpu = milliseconds(5), .waited = -milliseconds(5)}, milliseconds(10)).worth(2),
            4U);
}

TEST(CpuDemandTest, TheLeastThatCanBeToldDoesNotOverflow) {
  EXPECT_EQ(told({.cpu = std::chrono::nanoseconds(1)}, std::chrono::hours(24)).worth(4096),
            CpuDemand::kAny);
}

TEST(CpuDemandTest, FollowsChange) {
  CpuDemand demand = told({.cpu = milliseconds(5)}, milliseconds(5));
  for (int i = 0; i < 40; ++i) demand.observe({.cpu = milliseconds(1)}, milliseconds(10));
  EXPECT_GE(demand.worth(2), 15U);
}

}  // namespace
}  // namespace subito::autoscaler
