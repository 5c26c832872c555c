#include "runtime/gateway/route_meters.h"

#include <gtest/gtest.h>

namespace subito::gateway {
namespace {

using std::chrono::milliseconds;

const RouteMeter& meter(const RouteMeters& meters, const std::string& name) {
  for (const RouteMeter& candidate : meters.all()) {
    if (candidate.name == name) return candidate;
  }
  ADD_FAILURE() << "no route " << name;
  return meters.all().front();
}

TEST(RouteMeters, CountByRouteAndHundredOfTheStatus) {
  RouteMeters meters;
  meters.set_routes({"/function/*", "/shop"});
  Timing timing;
  timing.queue = milliseconds(1);
  timing.handler = milliseconds(2);
  meters.count(meters.meter_of(1), 200, timing);
  meters.count(meters.meter_of(1), 404, timing);
  meters.count(meters.meter_of(0), 0, timing);
  meters.count(RouteMeters::kNone, 404, {});
  EXPECT_EQ(meter(meters, "/shop").ended[2], 1U);
  EXPECT_EQ(meter(meters, "/shop").ended[4], 1U);
  EXPECT_EQ(meter(meters, "/shop").duration.sum(), milliseconds(6));
  EXPECT_EQ(meter(meters, "/function/*").ended[0], 1U);
  EXPECT_EQ(meter(meters, "/function/*").duration.count(), 0U);
  EXPECT_EQ(meter(meters, "none").ended[4], 1U);
}

TEST(RouteMeters, ARouteKeepsItsCountWhenOthersComeAndGo) {
  RouteMeters meters;
  meters.set_routes({"/a", "/b"});
  meters.count(meters.meter_of(1), 200, {});
  meters.set_routes({"/c", "/b"});
  meters.count(meters.meter_of(1), 200, {});
  EXPECT_EQ(meter(meters, "/b").ended[2], 2U);
  meters.set_routes({});
  meters.set_routes({"/b"});
  meters.count(meters.meter_of(0), 200, {});
  EXPECT_EQ(meter(meters, "/b").ended[2], 3U);
}

TEST(RouteMeters, BeyondTheLimitTheyAreCountedTogetherUntilAPlaceIsFree) {
  RouteMeters meters;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < RouteMeters::kRoutesMax + 3; ++i) {
    names.push_back("/r" + std::to_string(i));
  }
  meters.set_routes(names);
  EXPECT_EQ(meters.all().size(), RouteMeters::kRoutesMax + 2);
  EXPECT_EQ(meters.overflowed(), 3U);
  const auto last = static_cast<std::uint32_t>(names.size() - 1);
  EXPECT_EQ(meters.meter_of(last), RouteMeters::kOther);
  names.erase(names.begin(), names.begin() + 2);
  meters.set_routes(names);
  EXPECT_EQ(meters.overflowed(), 1U);
  EXPECT_NE(meters.meter_of(static_cast<std::uint32_t>(names.size() - 2)), RouteMeters::kOther);
  EXPECT_EQ(meters.all().size(), RouteMeters::kRoutesMax + 2);
}

}  // namespace
}  // namespace subito::gateway
