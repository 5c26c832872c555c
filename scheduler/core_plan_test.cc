// What policies plan ahead: pods started without a call, kept, given up, and who goes before them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using autoscaler::PolicyKind;

FunctionLimits with(PolicyKind kind) {
  FunctionLimits limits;
  limits.policy.kind = kind;
  return limits;
}

// Time passes in a healthy node: pods come up and end within half a second.
void pass(FakeNode& node, Duration by) {
  const TimePoint end = node.now() + by;
  while (node.now() < end) {
    node.advance(std::min<Duration>(500ms, end - node.now()));
    for (const auto& [name, pod] : std::map(node.pods())) {
      if (pod.state == PodState::kDraining) node.exit(name);
      if (pod.state == PodState::kStarting) node.ready(name);
    }
  }
}

// Calls of 1 s every 10.2 minutes: the histogram has a pod there from 9 to 12.1 minutes after. The
// first two share a pod, the n-th is served by pod n - 1.
void call_regularly(FakeNode& node, const std::string& name, int calls) {
  for (int i = 0; i < calls; ++i) {
    if (i > 0) pass(node, 612s);
    const std::uint64_t call = node.call(name);
    pass(node, 1s);
    node.done(call);
  }
  node.said();
}

TEST(Plan, StartsThePodsThatThePolicyWantsBeforeWhoWaitsIsServed) {
  FakeNode node;
  node.add("A", with(PolicyKind::kConcurrency)).call("A");  // KPA: ceil(1 / 0.7) = 2
  EXPECT_EQ(node.said(), "start A-1, start A-2, 1 to A-1 cold");
  const FunctionView view = node.view("A");
  EXPECT_EQ(view.plan.pods_wanted, 2u);
  EXPECT_EQ(view.pods_planned, 2u);
  EXPECT_EQ(words(view.last),
            "started a pod: the panic window saw a burst (1 waiting, 2 wanted, "
            "a start takes 5 ms)");
}

TEST(Plan, IsBoundByTheMaximum) {
  FakeNode node;
  FunctionLimits limits = with(PolicyKind::kConcurrency);
  limits.pods_max = 1;
  node.add("A", limits).call("A");
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold");
}

TEST(Plan, IsAskedAgainWhenItWantsToBe) {
  FakeNode node;
  node.add("A", with(PolicyKind::kConcurrency)).call("A");
  node.ready("A-1").ready("A-2").done(1).said();
  node.advance(61s);
  EXPECT_EQ(node.said(), "");  // panic keeps both
  node.advance(5s);
  EXPECT_EQ(node.said(), "drain A-2 idle, drain A-1 idle");
  node.exit("A-1").exit("A-2");
  EXPECT_EQ(node.scheduler().next_deadline(), TimePoint::max());  // asleep: no timer
}

TEST(Plan, HasAPodReadyBeforeARegularCallAndTellsOneThatNobodyUsed) {
  FakeNode node;
  node.add("A", with(PolicyKind::kHistogram));
  call_regularly(node, "A", 21);
  pass(node, 539s);
  EXPECT_EQ(node.said(), "drain A-20 idle");
  node.advance(1s);
  EXPECT_EQ(node.said(), "start A-21");
  EXPECT_EQ(node.last<StartPod>().why, StartWhy::kPlanned);
  EXPECT_EQ(words(node.last<StartPod>()), "started ahead: a call is expected");
  pass(node, 72s);
  const std::uint64_t call = node.call("A");
  EXPECT_EQ(node.said(), std::to_string(call) + " to A-21");  // warm
  node.done(call).said();
  pass(node, 725s);  // nobody calls
  EXPECT_EQ(node.said(), "drain A-21 idle, start A-22");
  EXPECT_EQ(node.view("A").pods_unused, 0u);
  node.advance(1s);
  EXPECT_EQ(node.said(), "drain A-22 idle");
  EXPECT_EQ(words(node.last<DrainPod>()),
            "asleep after 3.1 min idle, started ahead and never used");
  node.exit("A-22");
  EXPECT_EQ(node.view("A").pods_unused, 1u);
  EXPECT_EQ(node.scheduler().next_deadline(), TimePoint::max());
}

TEST(Plan, TakesNoPlaceFromOthersAndStandsInNoLine) {
  FakeNode node({.pods_max = 1});
  FunctionLimits long_idle;
  long_idle.idle_timeout = 1h;
  node.add("A", with(PolicyKind::kHistogram)).add("B", long_idle);
  call_regularly(node, "A", 21);
  pass(node, 1s);
  const std::uint64_t call = node.call("B");
  node.ready("B-1").done(call).said();
  node.advance(540s);
  EXPECT_EQ(node.said(), "");  // B-1 is idle, and stays
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kNodeFull);
}

TEST(Plan, GivesAPodUpForSomebodyWhoWaits) {
  FakeNode node({.pods_max = 1});
  node.add("A", with(PolicyKind::kHistogram)).add("B");
  call_regularly(node, "A", 21);
  pass(node, 541s);
  node.said();
  node.call("B");
  EXPECT_EQ(node.said(), "drain A-21 evicted");
  node.exit("A-21");
  EXPECT_EQ(node.said(), "start B-1, 22 to B-1 cold");
}

TEST(Plan, LooksAgainSoonWhileTheNodeStartsAsManyAsItMay) {
  FakeNode node({.starting_max = 1});
  node.add("A", with(PolicyKind::kHistogram)).add("B");
  call_regularly(node, "A", 21);
  pass(node, 539s);
  node.call("B");
  node.said();
  node.advance(1s);
  EXPECT_EQ(node.said(), "");
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kStartsFull);
  node.ready("B-1").advance(kPlannedRetry);
  EXPECT_EQ(node.said(), "start A-21");
}

TEST(Plan, IsForgottenWithTheFunction) {
  FakeNode node;
  node.add("A", with(PolicyKind::kHistogram));
  call_regularly(node, "A", 21);
  pass(node, 1s);
  EXPECT_LT(node.scheduler().next_deadline(), TimePoint::max());
  node.remove("A");
  EXPECT_EQ(node.scheduler().next_deadline(), TimePoint::max());
}

TEST(Plan, OfANodeThatClosesIsNothing) {
  FakeNode node;
  node.add("A", with(PolicyKind::kHistogram));
  call_regularly(node, "A", 21);
  pass(node, 541s);
  node.said();
  node.close();
  EXPECT_EQ(node.said(), "drain A-21 closing");
  node.exit("A-21");
  EXPECT_TRUE(node.scheduler().empty());
  EXPECT_EQ(node.scheduler().next_deadline(), TimePoint::max());
}

}  // namespace
}  // namespace subito::scheduler
