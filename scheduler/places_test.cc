#include "scheduler/places.h"

#include <gtest/gtest.h>

namespace subito::scheduler {
namespace {

TEST(PlacesTest, LeavesOnePlaceFreeForEachLevelBelow) {
  const Places places(4);
  EXPECT_EQ(places.room(0), 4u);
  EXPECT_EQ(places.room(1), 3u);
  EXPECT_EQ(places.room(2), 2u);
  EXPECT_EQ(places.room(3), 1u);
}

TEST(PlacesTest, CallersDoNotTakeTheLastPlaceButThoseTheyCallDo) {
  Places places(3);
  places.add(1, 2);
  EXPECT_EQ(places.room(1), 0u);
  EXPECT_EQ(places.room(0), 1u);
  places.add(0);
  EXPECT_EQ(places.room(0), 0u);
  places.remove(0);
  EXPECT_EQ(places.room(0), 1u);
}

TEST(PlacesTest, ThoseWhoCallNobodyMayTakeAllPlaces) {
  Places places(3);
  places.add(0, 3);
  EXPECT_EQ(places.room(0), 0u);
  EXPECT_EQ(places.taken(), 3u);
}

TEST(PlacesTest, AChainLongerThanTheNodeStillGetsOnePlace) {
  Places places(2);
  EXPECT_EQ(places.room(kHeightMax), 1u);
  places.add(kHeightMax);
  EXPECT_EQ(places.room(kHeightMax), 0u);
  EXPECT_EQ(places.room(0), 1u);
  EXPECT_EQ(Places(1).room(7), 1u);
}

TEST(PlacesTest, TellsWhoseLeavingHelps) {
  Places places(4);
  places.add(2, 2);
  places.add(0);
  EXPECT_EQ(places.room(2), 0u);
  EXPECT_EQ(places.helped_from(2), 2u);  // one of height 0 that leaves makes no room for height 2
  EXPECT_EQ(places.room(1), 1u);
  places.add(1);
  EXPECT_EQ(places.helped_from(1), 1u);
  EXPECT_EQ(places.helped_from(0), 0u);
}

}  // namespace
}  // namespace subito::scheduler
