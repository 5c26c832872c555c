// Invocations that wait in a pod behind the one that it runs.
#include <gtest/gtest.h>

#include "scheduler/ahead.h"
#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

constexpr autoscaler::CpuUse kShort{.handler = 30us};  // 3 ahead

// A function with one pod, whose calls have been short.
class AheadTest : public testing::Test {
 protected:
  explicit AheadTest(std::uint32_t ahead = 15) {
    node.add("A", {.pods_min = 1, .pods_max = 2}).advance(1ms).ready("A-1", ahead);
    for (std::uint32_t i = 0; i < Ahead::kShortCallsMin; ++i) serve_one(kShort);
    first = 1 + Ahead::kShortCallsMin;
    node.said();
  }
  void serve_one(const autoscaler::CpuUse& use) {
    const std::uint64_t number = node.call("A");
    node.advance(use.handler).done(number, use);
  }
  std::uint64_t number(std::uint64_t of_the_next) const { return first + of_the_next; }
  std::string to(std::uint64_t of_the_next, const std::string& pod) const {
    return std::to_string(number(of_the_next)) + " to " + pod;
  }

  FakeNode node;
  std::uint64_t first = 0;  // the number of the next call
};

struct TakesNoneAhead : AheadTest {
  TakesNoneAhead() : AheadTest(0) {}
};

TEST_F(AheadTest, APodGetsAsManyAsItsHandlersAreThroughWithInTheTime) {
  node.calls("A", 6);
  const std::string four =
      to(0, "A-1") + ", " + to(1, "A-1") + ", " + to(2, "A-1") + ", " + to(3, "A-1");
  EXPECT_EQ(node.said().substr(0, four.size()), four);
  EXPECT_EQ(node.pod("A-1").running, 4u);
  node.done(number(0), kShort);
  EXPECT_EQ(node.said().substr(0, to(4, "A-1").size()), to(4, "A-1"));
}

TEST_F(TakesNoneAhead, APodThatDoesNotSayItTakesAnyGetsOne) {
  node.calls("A", 2);
  EXPECT_EQ(node.pod("A-1").running, 1u);
}

TEST_F(AheadTest, ALongCallEndsItForTheNextOnes) {
  serve_one({.handler = 2ms});
  node.calls("A", 3);
  EXPECT_EQ(node.pod("A-1").running, 1u);
}

TEST_F(AheadTest, AnotherRevisionBeginsAnew) {
  node.update("A", {.pods_min = 1, .pods_max = 2}).advance(1ms).ready("A-2", 15);
  node.calls("A", 1);
  node.calls("A", 1);
  EXPECT_EQ(node.pod("A-2").running, 1u);
}

TEST_F(AheadTest, ThePodThatWasUsedLastGetsAllItHasRoomFor) {
  serve_one({.handler = 2ms});  // none ahead: the second call has a pod of its own
  node.calls("A", 2);
  node.advance(10ms).ready("A-2", 15);
  node.done(number(1), kShort).done(number(2), kShort);
  for (std::uint32_t i = 0; i < Ahead::kShortCallsMin; ++i) serve_one(kShort);
  node.calls("A", 4);
  const std::uint64_t one = node.pod("A-1").running;
  EXPECT_TRUE(one == 0 || one == 4) << one;
}

TEST_F(AheadTest, WhatIsGivenBackGoesToAnotherPodInItsOldPlace) {
  node.calls("A", 3);
  node.said();
  node.give_back(number(2));
  EXPECT_EQ(node.view("A").waiting, 1u);
  node.give_back(number(1));
  EXPECT_EQ(node.view("A").waiting, 2u);
  node.done(number(0), kShort);
  const std::string said = node.said();
  EXPECT_LT(said.find(to(1, "A-")), said.find(to(2, "A-"))) << said;
  EXPECT_EQ(node.pod("A-1").running, 1u) << "none is given ahead for a while";
  EXPECT_EQ(node.last<Dispatch>().attempt, 1u) << "it was nobody's fault";
}

TEST_F(AheadTest, WhatWasCancelledAndIsGivenBackIsForgotten) {
  node.calls("A", 2);
  node.leave(number(1)).give_back(number(1));
  EXPECT_EQ(node.view("A").waiting, 0u);
  EXPECT_EQ(node.view("A").running, 1u);
}

TEST_F(AheadTest, OneThatCannotYieldForOthersBeforeItIsNotHeldAgainstThePod) {
  node.calls("A", 2);
  node.leave(number(1)).said();
  node.advance(20s);
  EXPECT_EQ(node.said(), "") << "the one before it may take until its deadline";
  node.done(number(0)).said();
  node.advance(20s);
  EXPECT_EQ(node.said().find("stop A-1 unresponsive"), 0u) << "now it is its turn to yield";
}

TEST_F(AheadTest, AHungCallIsKilledInItsGraceThoughOthersAreBehindIt) {
  node.calls("A", 2);
  node.leave(number(0)).said();
  node.advance(5s);
  EXPECT_EQ(node.said().find("stop A-1 unresponsive"), 0u);
}

TEST_F(AheadTest, NobodyIsPutBehindOneThatTakesLong) {
  node.calls("A", 1).advance(5ms).said();
  node.calls("A", 1);
  EXPECT_EQ(node.pod("A-1").running, 1u);
  EXPECT_NE(node.said().find("start A-2"), std::string::npos);
}

TEST_F(AheadTest, WhatIsGivenBackToARemovedFunctionIsRefused) {
  node.calls("A", 2).remove("A").give_back(number(1));
  EXPECT_EQ(node.all_calls().at(number(1)).state, FakeNode::CallState::kRefused);
  EXPECT_EQ(node.all_calls().at(number(0)).state, FakeNode::CallState::kRunning);
}

TEST_F(AheadTest, ACrashCountsAgainstTheOneThatRanOnly) {
  node.calls("A", 2).crash("A-1", {number(1)}).advance(1s);
  EXPECT_EQ(node.last<Dispatch>().invocation.value(), number(1));
  EXPECT_EQ(node.last<Dispatch>().attempt, 1u);
}

TEST(AheadOfManyAtOnceTest, PodsThatTakeSeveralAtOnceAreChosenByLoad) {
  FakeNode node;
  node.add("A", {.pods_min = 2, .pods_max = 2, .concurrency = 8}).advance(1ms);
  node.ready("A-1", 15).ready("A-2", 15);
  for (std::uint32_t i = 0; i < 2 * Ahead::kShortCallsMin; ++i) {
    node.done(node.call("A"), kShort);
  }
  node.calls("A", 2);
  EXPECT_EQ(node.pod("A-1").running, 1u);
  EXPECT_EQ(node.pod("A-2").running, 1u);
}

TEST(AheadOnOneCoreTest, ThoseAheadNeedNoCore) {
  FakeNode node({.cores = 1});
  node.add("A", {.pods_min = 1, .pods_max = 1}).advance(1ms).ready("A-1", 15);
  for (int i = 0; i < 16; ++i) {
    const std::uint64_t number = node.call("A");
    node.advance(5ms).done(number, {.cpu = 5ms, .handler = 5ms});
  }
  for (std::uint32_t i = 0; i < Ahead::kShortCallsMin; ++i) {
    const std::uint64_t number = node.call("A");
    node.advance(1us).done(number, {.handler = 1us});
  }
  node.calls("A", 4);
  EXPECT_GT(node.pod("A-1").running, 1u);
}

TEST_F(AheadTest, ServiceTimeCountsFromTheEndOfTheOneBefore) {
  node.calls("A", 2);
  node.advance(800us).done(number(0), kShort);
  const Duration before = node.view("A").service;
  node.done(number(1), kShort);
  EXPECT_LT(node.view("A").service, before);
}

}  // namespace
}  // namespace subito::scheduler
