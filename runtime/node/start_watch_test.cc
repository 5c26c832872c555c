#include "runtime/node/start_watch.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

const PodId kFirst(1);
const PodId kSecond(2);

TEST(StartWatchTest, KeepsTheLoopAwakeUntilThePodHasAnswered) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true);
  EXPECT_TRUE(watch.watching());
  loop.turn(true);  // nothing happens: asleep it would stay for ever
  watch.on_settled(kFirst);
  EXPECT_FALSE(watch.watching());
}

TEST(StartWatchTest, EndsByItselfWhenThePodTakesLong) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true);
  while (watch.watching()) loop.turn(true);
  watch.on_settled(kFirst);
  watch.on_start(kSecond, true);
  EXPECT_TRUE(watch.watching()) << "the one before is no more on its way";
}

TEST(StartWatchTest, LeavesTheCoreToSeveralStartsAtOnce) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true);
  watch.on_start(kSecond, true);
  EXPECT_FALSE(watch.watching());
}

TEST(StartWatchTest, LeavesTheCoreToAStartThatNeedsIt) {
  Loop loop;
  StartWatch fresh(loop, true);
  fresh.on_start(kFirst, false);
  EXPECT_FALSE(fresh.watching());
  StartWatch on_one_core(loop, false);
  on_one_core.on_start(kFirst, true);
  EXPECT_FALSE(on_one_core.watching());
}

TEST(StartWatchTest, WatchesTheNextOneOnceThePodHasAnswered) {
  Loop loop;
  StartWatch watch(loop, true);
  watch.on_start(kFirst, true);
  watch.on_settled(kFirst);
  watch.on_start(kSecond, true);
  EXPECT_TRUE(watch.watching());
  watch.on_settled(kFirst);
  EXPECT_TRUE(watch.watching()) << "that was another's";
}

}  // namespace
}  // namespace subito::node
