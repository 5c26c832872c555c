#include "runtime/node/metrics/loop_readings.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

LoopReading counted(const std::vector<std::string>& names, std::uint64_t each) {
  LoopReading reading;
  for (const std::string& name : names)
    reading.routes.push_back({name, false, {0, 0, each, 0, 0, 0}, {}});
  return reading;
}

TEST(LoopReadings, RoutesOfAllLoopsAreAddedUpByName) {
  const std::vector<LoopReading> loops = {counted({"none", "_other", "/a"}, 1),
                                          counted({"none", "_other", "/b", "/a"}, 2)};
  EXPECT_EQ(requests_of(loops[0]), 3U);
  EXPECT_EQ(requests_of(loops[1]), 8U);
  const auto routes = routes_of(loops);
  ASSERT_EQ(routes.size(), 4U);
  EXPECT_EQ(routes[2].name, "/a");
  EXPECT_EQ(routes[2].ended[2], 3U);
  EXPECT_EQ(routes[3].ended[2], 2U);
  EXPECT_FALSE(routes[3].gone);
}

TEST(LoopReadings, RoutesBeyondTheLimitAreCountedTogether) {
  std::vector<LoopReading> loops(2);
  for (std::size_t i = 0; i < gateway::RouteMeters::kRoutesMax; ++i)
    loops[0].routes.push_back({"/" + std::to_string(i), false, {0, 0, 1, 0, 0, 0}, {}});
  loops[1] = counted({"/0", "/more"}, 5);
  const auto routes = routes_of(loops);
  EXPECT_EQ(routes.size(), gateway::RouteMeters::kRoutesMax + 2);
  EXPECT_EQ(routes[gateway::RouteMeters::kOther].ended[2], 5U);
  EXPECT_EQ(routes[2].ended[2], 6U);
}

}  // namespace
}  // namespace subito::node
