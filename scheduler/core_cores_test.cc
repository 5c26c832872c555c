// The cores: no more invocations at once than they are worth, and nobody forgotten for it.
#include <gtest/gtest.h>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using autoscaler::CpuUse;

constexpr CpuUse kWorks{.cpu = 10ms, .waited = 0ms};

NodeLimits two_cores() {
  NodeLimits limits;
  limits.cores = 2;
  return limits;
}

// Eight calls of 10 ms of CPU, one after the other, in one pod.
void make_known(FakeNode& node, const CpuUse& use = kWorks, Duration service = 10ms) {
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t call = node.call("A");
    if (i == 0) node.ready("A-1");
    node.advance(service).done(call, use);
  }
  node.said();
}

TEST(Cores, MoreThanTheyAreWorthWaitThoughPodsHaveRoom) {
  FakeNode node(two_cores());
  FunctionLimits limits;
  limits.pods_min = 4;
  node.add("A", limits);
  make_known(node);
  node.calls("A", 3);
  EXPECT_EQ(node.view("A").running, 2u);
  EXPECT_EQ(node.view("A").waiting, 1u);
  EXPECT_EQ(words(node.view("A").last),
            "waits for a core: the cores are busy with those that run (1 waiting, 5 ms expected, a "
            "start takes 0 ns)");
  node.done(9, kWorks);
  EXPECT_EQ(node.view("A").running, 2u);
  EXPECT_EQ(node.view("A").waiting, 0u);
}

TEST(Cores, AFloodOfWorkStartsNoMorePodsThanItCanUse) {
  FakeNode node(two_cores());
  node.add("A");
  make_known(node);
  node.calls("A", 100);
  EXPECT_EQ(node.view("A").starting + node.view("A").ready, 2u);
}

TEST(Cores, CallsThatWaitForSomethingElseHaveAPodEach) {
  FakeNode node(two_cores());
  node.add("A");
  make_known(node, {.cpu = 100us, .waited = 0ms}, 10ms);
  node.calls("A", 8);  // as many as may start at once, with the one there is
  EXPECT_EQ(node.view("A").running, 8u);
}

TEST(Cores, NobodyLooksAtThemUnlessTheyAreKnown) {
  FakeNode node;
  node.add("A");
  make_known(node);
  node.calls("A", 8);
  EXPECT_EQ(node.view("A").running, 8u);
}

TEST(Cores, OtherPoliciesDoNotLookAtThem) {
  FakeNode node(two_cores());
  FunctionLimits limits;
  limits.policy.kind = autoscaler::PolicyKind::kFixed;
  node.add("A", limits);
  make_known(node);
  node.calls("A", 8);
  EXPECT_EQ(node.view("A").running, 8u);
}

// Two calls unlike the others hang in what does not work; those behind them must not.
TEST(Cores, WhoWaitsRunsAfterAllWhenNothingEnds) {
  FakeNode node(two_cores());
  FunctionLimits limits;
  limits.pods_min = 4;
  node.add("A", limits);
  node.ready("A-1").ready("A-2").ready("A-3").ready("A-4");
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t call = node.call("A");
    node.advance(10ms).done(call, kWorks);
  }
  node.calls("A", 4);
  EXPECT_EQ(node.view("A").running, 2u);
  node.advance(kStallMin - 1ms);
  EXPECT_EQ(node.view("A").running, 2u);
  node.advance(1ms);
  EXPECT_EQ(node.view("A").running, 3u);
  node.advance(kStallMin);
  EXPECT_EQ(node.view("A").running, 4u);
}

TEST(Cores, AWaitThatTheyMakeTooLongIsRefusedAtOnce) {
  FakeNode node(two_cores());
  node.add("A");
  make_known(node);
  node.calls("A", 20).ready("A-2");
  node.call("A", 50ms);  // 19 wait for 2 at once of 10 ms each
  EXPECT_EQ(node.last<Refuse>().reason, RefuseReason::kQueueTooLong);
}

}  // namespace
}  // namespace subito::scheduler
