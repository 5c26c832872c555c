// Functions come, change and go; scaling by hand; shutting down; views.
#include <gtest/gtest.h>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

TEST(Update, DrainsTheOldRevisionAndGivesTheQueueToTheNew) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 3).ready("A-1").said();
  node.update("A", {.pods_max = 1});
  // The maximum counts what serves: the new one need not wait for the old one to go.
  EXPECT_EQ(node.said(), "drain A-1 old-revision, start A-2, 2 to A-2 cold");
  node.done(1).exit("A-1").ready("A-2").done(2);
  EXPECT_EQ(node.said(), "3 to A-2");
}

TEST(Update, OfLimitsAloneLeavesThePods) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 2).ready("A-1").said();
  node.set_limits("A", {.pods_max = 2});
  EXPECT_EQ(node.said(), "start A-2, 2 to A-2 cold");
}

TEST(Update, ForgivesCrashesOfTheOldRevision) {
  FakeNode node;
  node.add("A").call("A");
  node.crash("A-1").call("A");
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold, refuse 1 pod-died");
  node.update("A");
  EXPECT_EQ(node.said(), "start A-2, 2 to A-2 cold");
  EXPECT_EQ(node.view("A").failures, 0u);
}

TEST(Remove, RefusesWhoWaitsFinishesWhatRunsAndDrains) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 2).ready("A-1").said();
  node.remove("A");
  EXPECT_EQ(node.said(), "refuse 2 gone, drain A-1 removed");
  node.call("A");
  EXPECT_EQ(node.said(), "refuse 3 gone");
  node.done(1).exit("A-1");
  EXPECT_EQ(node.said(), "");
  EXPECT_TRUE(node.scheduler().empty());
}

TEST(Remove, RefusesWhatAPodThatDiesAfterwardsGivesBack) {
  FakeNode node;
  node.add("A").call("A");
  node.remove("A").said();
  node.crash("A-1", {1});
  EXPECT_EQ(node.said(), "refuse 1 gone");
}

TEST(Remove, FreesTheIdAtOnce) {
  FakeNode node;
  node.add("A").call("A");
  const FunctionId id = node.view("A").function;
  node.remove("A");
  Effects effects;
  node.scheduler().add_function(node.now(), id, RevisionId(9), {}, effects);
  node.scheduler().arrive(node.now(), {InvocationId(50), id}, effects);
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(std::get<StartPod>(effects[0]).revision, RevisionId(9));
}

TEST(Scale, DownDrainsTheIdleFirstThenTheLeastLoaded) {
  FakeNode node;
  node.add("A", {.pods_min = 3, .concurrency = 2}).ready("A-1").ready("A-2").ready("A-3").said();
  node.calls("A", 4);
  EXPECT_EQ(node.said(), "1 to A-3, 2 to A-2, 3 to A-1, 4 to A-3");
  node.done(2);
  node.scale("A", 0, 1);
  EXPECT_EQ(node.said(), "drain A-2 scaled-down, drain A-1 scaled-down");
}

TEST(Scale, UpStartsTheMinimumAndLetsWaitersGo) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 2).said();
  node.scale("A", 3, 4);
  EXPECT_EQ(node.said(), "start A-2, start A-3, 2 to A-2 cold");
}

TEST(Scale, LoweringTheMinimumLetsIdlePodsAgeOut) {
  FakeNode node;
  node.add("A", {.pods_min = 1, .idle_timeout = 5s}).ready("A-1").advance(60s).said();
  node.scale("A", 0, std::nullopt).advance(0s);
  EXPECT_EQ(node.said(), "drain A-1 idle");
}

TEST(Close, RefusesArrivalsServesWhoWaitsAndEndsEmpty) {
  FakeNode node;
  node.add("A", {.pods_min = 1, .pods_max = 1}).add("B", {.pods_min = 1});
  node.ready("A-1").ready("B-1").calls("A", 2).said();
  node.close();
  EXPECT_EQ(node.said(), "drain B-1 closing");
  node.call("A");
  EXPECT_EQ(node.said(), "refuse 3 closing");
  node.done(1).done(2).exit("B-1").advance(0s);
  EXPECT_EQ(node.said(), "2 to A-1, drain A-1 closing");
  EXPECT_FALSE(node.scheduler().empty());
  node.exit("A-1");
  EXPECT_TRUE(node.scheduler().empty());
  EXPECT_EQ(node.said(), "");
}

TEST(View, SaysWhyThereAreAsManyPodsAsThereAre) {
  FakeNode node;
  node.add("A").call("A");
  node.advance(1100us).ready("A-1").advance(15ms).done(1);
  node.calls("A", 2);
  const FunctionView view = node.view("A");
  EXPECT_EQ(view.ready, 1u);
  EXPECT_EQ(view.starting, 1u);
  EXPECT_EQ(view.running, 2u);
  EXPECT_EQ(view.completed, 1u);
  EXPECT_EQ(words(view.last),
            "started a pod: waiting costs more than starting "
            "(1 waiting, 15 ms expected, a start takes 1.1 ms)");
  ASSERT_EQ(view.pods.size(), 2u);
  EXPECT_EQ(view.pods[0].number, 1u);
  EXPECT_EQ(to_string(view.pods[1].state), "starting");
  EXPECT_EQ(node.scheduler().node().running, 2u);
  EXPECT_EQ(node.scheduler().node().functions, 1u);
}

TEST(Limits, AreCheckedWithAReasonForPeople) {
  EXPECT_FALSE(fault(FunctionLimits{}));
  EXPECT_FALSE(fault(NodeLimits{}));
  EXPECT_EQ(fault(FunctionLimits{.pods_max = 0}), "pods_max must be at least 1");
  EXPECT_EQ(fault(FunctionLimits{.pods_min = 3, .pods_max = 2}), "pods_max is below pods_min");
  EXPECT_EQ(fault(FunctionLimits{.concurrency = 0}), "concurrency must be at least 1");
  EXPECT_EQ(fault(FunctionLimits{.queue_timeout = 0s}), "queue_timeout must be above 0");
  EXPECT_EQ(fault(FunctionLimits{.idle_timeout = -1s}), "idle_timeout must not be negative");
  EXPECT_EQ(fault(FunctionLimits{.start_timeout = 0s}), "start_timeout must be above 0");
  EXPECT_EQ(fault(FunctionLimits{.drain_timeout = 0s}), "drain_timeout must be above 0");
  EXPECT_EQ(fault(FunctionLimits{.cancel_grace = 0s}), "cancel_grace must be above 0");
  EXPECT_EQ(fault(FunctionLimits{.start_prior = -1s}), "start_prior must not be negative");
  EXPECT_EQ(fault(NodeLimits{.pods_max = 0}), "pods_max must be at least 1");
  EXPECT_EQ(fault(NodeLimits{.starting_max = 0}), "starting_max must be at least 1");
  EXPECT_EQ(fault(NodeLimits{.waiting_max = 0}), "waiting_max must be at least 1");
  EXPECT_EQ(pods_max_default(NodeLimits{.pods_max = 1}), 1u);
  EXPECT_EQ(pods_max_default(NodeLimits{.pods_max = 256}), 192u);
}

}  // namespace
}  // namespace subito::scheduler
