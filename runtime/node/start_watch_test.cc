#include "runtime/node/start_watch.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

const PodId kFirst(1);
const PodId kSecond(2);

TEST(StartWatchTest, KeepsTheLoopAwakeUntilThePodHasAnswered) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true, loop.now());
  EXPECT_TRUE(watch.watching());
  loop.turn(true);  // nothing happens: asleep it would stay for ever
  watch.on_settled(kFirst);
  EXPECT_FALSE(watch.watching());
}

TEST(StartWatchTest, EndsByItselfWhenThePodTakesLong) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true, loop.now());
  while (watch.watching()) loop.turn(true);
  watch.on_settled(kFirst);
  EXPECT_FALSE(watch.watching());
}

TEST(StartWatchTest, LeavesTheCoreToSeveralStartsAtOnce) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true, loop.now());
  watch.on_start(kSecond, true, loop.now());
  EXPECT_FALSE(watch.watching());
}

TEST(StartWatchTest, LeavesTheCoreToAStartThatNeedsIt) {
  Loop loop;
  StartWatch fresh(loop, true);
  fresh.on_start(kFirst, false, loop.now());
  EXPECT_FALSE(fresh.watching());
  StartWatch on_one_core(loop, false);
  on_one_core.on_start(kFirst, true, loop.now());
  EXPECT_FALSE(on_one_core.watching());
}

TEST(StartWatchTest, LeavesTheCoreToStartsInQuickSuccession) {
  Loop loop;
  StartWatch watch(loop, true);
  const TimePoint first = loop.now();
  const TimePoint soon = first + StartWatch::kApartMin - std::chrono::microseconds(1);
  watch.on_start(kFirst, true, first);
  watch.on_settled(kFirst);
  watch.on_start(kSecond, true, soon);
  EXPECT_FALSE(watch.watching());
  watch.on_start(kFirst, true, soon + StartWatch::kApartMin);
  EXPECT_TRUE(watch.watching());
}

TEST(StartWatchTest, WatchesTheNextOneOnceThePodHasAnswered) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true, loop.now());
  watch.on_settled(kFirst);
  watch.on_start(kSecond, true, loop.now() + StartWatch::kApartMin);
  EXPECT_TRUE(watch.watching());
  watch.on_settled(kFirst);
  EXPECT_TRUE(watch.watching()) << "that was another's";
}

}  // namespace
}  // namespace subito::node
