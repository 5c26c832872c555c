// How many pods: minimum, maximum, idle ones, the full node and who is next.
#include <gtest/gtest.h>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

TEST(Minimum, IsStartedWithoutACallAndKeptWhenAPodEnds) {
  FakeNode node;
  node.add("A", {.pods_min = 2});
  EXPECT_EQ(node.said(), "start A-1, start A-2");
  EXPECT_EQ(node.last<StartPod>().why, StartWhy::kMinimum);
  node.ready("A-1").ready("A-2").advance(kHealthyAfter).crash("A-1");
  EXPECT_EQ(node.said(), "start A-3");
}

TEST(Minimum, IsNeverIdledAway) {
  FakeNode node;
  node.add("A", {.pods_min = 1, .idle_timeout = 1s}).ready("A-1").said();
  node.advance(1h);
  EXPECT_EQ(node.said(), "");
}

TEST(Minimum, PodsThatStillStartServeTheFirstCalls) {
  FakeNode node;
  node.add("A", {.pods_min = 2}).said();
  node.calls("A", 2);
  EXPECT_EQ(node.said(), "1 to A-1 cold, 2 to A-2 cold");  // who started first is there first
}

TEST(Maximum, IsNotExceededAndDefaultsToThreeQuartersOfTheNode) {
  FakeNode node({.pods_max = 8, .starting_max = 8});
  node.add("A").calls("A", 10);
  EXPECT_EQ(node.view("A").starting, 6u);
  EXPECT_EQ(node.view("A").waiting, 4u);
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kAtMaximum);
}

TEST(Idle, PodsGoOldestFirstEachAfterItsOwnTime) {
  FakeNode node;
  node.add("A", {.idle_timeout = 10s}).calls("A", 2).ready("A-1").ready("A-2");
  node.done(2).advance(4s).done(1).said();
  node.advance(6s);
  EXPECT_EQ(node.said(), "drain A-2 idle");
  EXPECT_EQ(words(node.last<DrainPod>()), "asleep after 10 s idle, 1 request");
  node.advance(3999ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "drain A-1 idle");
}

TEST(Idle, ACallStartsTheClockAnew) {
  FakeNode node;
  node.add("A", {.idle_timeout = 10s}).call("A");
  node.ready("A-1").done(1).advance(9s).call("A");
  node.advance(5s).done(2).said();
  node.advance(9999ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "drain A-1 idle");
}

TEST(Idle, APodThatStillStartsIsNot) {
  FakeNode node;
  node.add("A", {.pods_min = 1, .idle_timeout = 1s}).scale("A", 0, std::nullopt).said();
  node.advance(5s);
  EXPECT_EQ(node.said(), "");
  node.ready("A-1").advance(1s);
  EXPECT_EQ(node.said(), "drain A-1 idle");
}

TEST(Idle, NothingIsDueWhenNothingIdlesOrWaits) {
  FakeNode node;
  node.add("A").call("A");
  node.ready("A-1").done(1).advance(31s).exit("A-1");
  EXPECT_EQ(node.scheduler().next_deadline(), TimePoint::max());
}

TEST(Starts, InFlightAreLimitedAndTheRestFollowsEachHello) {
  FakeNode node({.starting_max = 2});
  node.add("A").calls("A", 4);
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold, start A-2, 2 to A-2 cold");
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kStartsFull);
  node.ready("A-2");
  EXPECT_EQ(node.said(), "start A-3, 3 to A-3 cold");
}

TEST(Starts, GoToWhoHasTheFewestPodsAndOfEqualsToWhoStoodFirst) {
  FakeNode node({.starting_max = 1});
  node.add("A").add("B").calls("A", 3).calls("B", 2).said();
  node.ready("A-1");
  EXPECT_EQ(node.said(), "start B-1, 4 to B-1 cold");
  node.ready("B-1");
  EXPECT_EQ(node.said(), "start A-2, 2 to A-2 cold");
  node.ready("A-2");
  EXPECT_EQ(node.said(), "start B-2, 5 to B-2 cold");
  node.ready("B-2");
  EXPECT_EQ(node.said(), "start A-3, 3 to A-3 cold");
}

TEST(Starts, AFunctionWhoseWaitersFoundAPodLeavesTheLine) {
  FakeNode node({.starting_max = 1});
  node.add("A").add("B").call("A");
  node.call("B");
  node.call("A");
  node.said();
  node.ready("A-1").done(1);
  EXPECT_EQ(node.said(), "start B-1, 2 to B-1 cold, 3 to A-1");
  node.ready("B-1");
  EXPECT_EQ(node.said(), "");
}

TEST(FullNode, OfEquallyWorthPodsEvictsTheLongestIdleOfAnotherFunctionWhenSomebodyWaits) {
  FakeNode node({.pods_max = 2});
  node.add("A").add("B").add("C").call("A");
  node.call("B");
  node.ready("A-1").ready("B-1").done(1).advance(1s).done(2).said();
  node.call("C");
  EXPECT_EQ(node.said(), "drain A-1 evicted");
  EXPECT_EQ(node.view("C").last.kind, Decision::Kind::kNodeFull);
  node.exit("A-1");
  EXPECT_EQ(node.said(), "start C-1, 3 to C-1 cold");
}

// Calls A once and B ten times; both start in 1 ms. A is idle for less.
void use_a_little_and_b_much(FakeNode& node, FunctionLimits a = {}, FunctionLimits b = {}) {
  node.add("A", a).add("B", b).add("C").call("B");
  node.advance(1ms).ready("B-1").done(1);
  for (std::uint64_t i = 2; i <= 10; ++i) {
    node.call("B");
    node.done(i);
  }
  node.call("A");
  node.advance(1ms).ready("A-1").done(11).said();
}

TEST(FullNode, EvictsWhatIsUsedLeastThoughItWasUsedLast) {
  FakeNode node({.pods_max = 2});
  use_a_little_and_b_much(node);
  node.call("C");
  EXPECT_EQ(node.said(), "drain A-1 evicted");
}

TEST(FullNode, EvictsWhatHoldsMostMemory) {
  FakeNode node({.pods_max = 2});
  use_a_little_and_b_much(node, {.memory_bytes = 16 << 20}, {.memory_bytes = 512 << 20});
  node.call("C");  // 1 ms / 16 MiB of A is more than 10 ms / 512 MiB of B
  EXPECT_EQ(node.said(), "drain B-1 evicted");
}

TEST(FullNode, InTheEndEvictsWhatWasUsedMuchAndIsNoMore) {
  FakeNode node({.pods_max = 2});
  use_a_little_and_b_much(node);
  // Each that goes raises the clock by the worth of one use: after ten B is worth no more.
  std::string evicted;
  std::uint64_t call = 11;
  for (int i = 0; i < 20 && evicted != "drain B-1 evicted"; ++i) {
    const std::string name = i % 2 == 0 ? "C" : "A";
    node.said();
    node.call(name);
    ++call;
    evicted = node.said();
    const std::string gone = evicted.substr(6, evicted.find(' ', 6) - 6);
    const std::string pod = name + "-" + std::to_string(i / 2 + (name == "A" ? 2 : 1));
    node.exit(gone).advance(1ms).ready(pod).done(call);
  }
  EXPECT_EQ(evicted, "drain B-1 evicted");
}

TEST(FullNode, EvictsOnePodForEachThatWaitsAndCountsThoseThatGoAnyway) {
  FakeNode node({.pods_max = 3, .starting_max = 3});
  node.add("A", {.pods_max = 3}).add("B").calls("A", 3);
  node.ready("A-1").ready("A-2").ready("A-3").done(1).done(2).done(3).said();
  node.calls("B", 2);  // one function in line: one place at a time
  EXPECT_EQ(node.said(), "drain A-1 evicted");
  node.exit("A-1");
  EXPECT_EQ(node.said(), "start B-1, 4 to B-1 cold, drain A-2 evicted");
}

TEST(FullNode, NeverEvictsBelowAMinimumNorABusyPod) {
  FakeNode node({.pods_max = 2});
  node.add("A", {.pods_min = 1}).add("B").add("C").ready("A-1").call("B");
  node.ready("B-1").said();
  node.call("C");
  EXPECT_EQ(node.said(), "");
  node.done(1);  // B-1 turns idle while C waits
  EXPECT_EQ(node.said(), "drain B-1 evicted");
}

TEST(FullNode, TellsWhoWaitedInVain) {
  FakeNode node({.pods_max = 1});
  node.add("A").add("B", {.queue_timeout = 2s}).call("A");
  node.call("B");
  node.ready("A-1").said();
  node.advance(2s);
  EXPECT_EQ(node.said(), "refuse 2 node-full");
}

TEST(FullNode, AnExitServesTheLineBeforeTheFunctionThatLostThePod) {
  FakeNode node({.pods_max = 1});
  node.add("A").add("B").calls("A", 2);
  node.call("B");
  node.ready("A-1").said();
  node.crash("A-1").advance(1s);
  EXPECT_EQ(node.said(), "refuse 1 pod-died, start B-1, 3 to B-1 cold");
}

}  // namespace
}  // namespace subito::scheduler
