// The lives of invocations: arrival, queue, dispatch, deadlines, cancelling.
#include "scheduler/core.h"

#include <gtest/gtest.h>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

// A function whose pods serve in `service`, measured, and start in `start`.
void teach(FakeNode& node, const std::string& name, Duration start, Duration service) {
  const std::uint64_t call = node.call(name);
  node.advance(start).ready(name + "-1").advance(service).done(call);
  node.said();
}

TEST(Arrival, AtZeroStartsAPodAndIsWrittenToItBeforeItIsThere) {
  FakeNode node;
  node.add("A").call("A");
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold");
  EXPECT_EQ(node.last<StartPod>().policy, autoscaler::StartReason::kNothingRuns);
  EXPECT_EQ(node.last<StartPod>().waiting, 1u);
}

TEST(Arrival, IsGivenToAnIdlePodAtOnce) {
  FakeNode node;
  node.add("A").call("A");
  node.ready("A-1").done(1).advance(3s).said();
  node.call("A");
  EXPECT_EQ(node.said(), "2 to A-1");
  EXPECT_EQ(node.last<Dispatch>().queued, 0ns);
  EXPECT_EQ(node.last<Dispatch>().attempt, 1u);
}

TEST(Arrival, GoesToTheMostRecentlyUsedPodSoThatTheOthersAgeOut) {
  FakeNode node;
  node.add("A").calls("A", 3);
  node.ready("A-1").ready("A-2").ready("A-3").done(3).done(1).done(2).said();
  node.call("A");
  EXPECT_EQ(node.said(), "4 to A-2");
  node.call("A");
  EXPECT_EQ(node.said(), "5 to A-1");
}

TEST(Arrival, GoesToTheLeastLoadedPodWhenPodsTakeSeveral) {
  FakeNode node;
  node.add("A", {.pods_min = 2, .concurrency = 3}).ready("A-1").ready("A-2").said();
  node.calls("A", 4);
  EXPECT_EQ(node.said(), "1 to A-2, 2 to A-1, 3 to A-2, 4 to A-1");
  node.done(2).done(4).call("A");
  EXPECT_EQ(node.said(), "5 to A-1");
}

TEST(Arrival, OneStartCoversAsManyWaitersAsThePodTakesAtOnce) {
  FakeNode node;
  node.add("A", {.concurrency = 3}).calls("A", 4);
  EXPECT_EQ(node.said(),
            "start A-1, 1 to A-1 cold, 2 to A-1 cold, 3 to A-1 cold, start A-2, 4 to A-2 cold");
}

TEST(Arrival, OfAnUnknownFunctionIsRefused) {
  FakeNode node;
  node.call("nobody");
  EXPECT_EQ(node.said(), "refuse 1 gone");
  EXPECT_EQ(http_status(node.last<Refuse>().reason), 404);
}

TEST(Arrival, PastItsDeadlineIsRefusedBeforeItCostsAnything) {
  FakeNode node;
  node.add("A").call("A", 0s);
  EXPECT_EQ(node.said(), "refuse 1 deadline");
}

TEST(Queue, WaitsForABusyPodWhenThatIsSoonerThanAStart) {
  FakeNode node;
  node.add("A");
  teach(node, "A", 1ms, 100us);
  node.calls("A", 2);
  EXPECT_EQ(node.said(), "2 to A-1");
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kWaitForPod);
  node.advance(100us).done(2);
  EXPECT_EQ(node.said(), "3 to A-1");
  EXPECT_EQ(node.last<Dispatch>().queued, 100us);
}

TEST(Queue, StartsAPodWhenWaitingIsLonger) {
  FakeNode node;
  node.add("A");
  teach(node, "A", 1ms, 20ms);
  node.calls("A", 2);
  EXPECT_EQ(node.said(), "2 to A-1, start A-2, 3 to A-2 cold");
  EXPECT_EQ(node.last<StartPod>().policy, autoscaler::StartReason::kWaitCostsMore);
}

TEST(Queue, HopesForABusyPodNoLongerThanAStartTakes) {
  FakeNode node;
  node.add("A");
  teach(node, "A", 1ms, 100us);
  node.calls("A", 4).said();
  node.advance(999us);
  EXPECT_EQ(node.said(), "");
  node.advance(1us);  // 2 turned out to take for ever: one start for the three that wait
  EXPECT_EQ(node.said(), "start A-2, 3 to A-2 cold");
  node.advance(1ms).ready("A-2").done(3);
  EXPECT_EQ(node.said(), "4 to A-2");
}

TEST(Queue, ServesInOrderOfArrival) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 4).ready("A-1").said();
  node.done(1).done(2).done(3);
  EXPECT_EQ(node.said(), "2 to A-1, 3 to A-1, 4 to A-1");
}

TEST(Queue, RefusesWhatIsBeyondItsLimitAndSaysWhenToComeBack) {
  FakeNode node;
  node.add("A", {.pods_max = 1, .queue_limit = 2}).calls("A", 4);
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold, refuse 4 queue-full");
  EXPECT_EQ(http_status(node.last<Refuse>().reason), 429);
  EXPECT_EQ(node.last<Refuse>().retry_after, kRetryAfterMin);
  node.ready("A-1").advance(4s).done(1).said();
  node.calls("A", 2);
  EXPECT_EQ(node.said(), "refuse 6 queue-full");
  EXPECT_EQ(node.last<Refuse>().retry_after, 3 * 4s);  // three stand before it, 4 s each
}

TEST(Queue, OfLimitZeroStillServesWhoFindsOrGetsAPod) {
  FakeNode node;
  node.add("A", {.pods_max = 1, .queue_limit = 0}).calls("A", 2);
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold, refuse 2 queue-full");
}

TEST(Queue, RefusesWhoWaitedForTheQueueTimeout) {
  FakeNode node;
  node.add("A", {.pods_max = 1, .queue_timeout = 5s}).calls("A", 2).ready("A-1").said();
  node.advance(4999ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "refuse 2 queue-timeout");
  EXPECT_EQ(node.last<Refuse>().queued, 5s);
}

TEST(Queue, RefusesWhoseOwnDeadlineComesFirst) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).call("A");
  node.call("A", 2s);
  node.ready("A-1").said();
  node.advance(2s);
  EXPECT_EQ(node.said(), "refuse 2 deadline");
  EXPECT_EQ(http_status(node.last<Refuse>().reason), 504);
}

TEST(Queue, IsLimitedOverAllFunctionsToo) {
  FakeNode node({.pods_max = 2, .starting_max = 2, .waiting_max = 2});
  node.add("A", {.pods_max = 1}).add("B", {.pods_max = 1}).calls("A", 2).calls("B", 2).said();
  node.call("B");
  EXPECT_EQ(node.said(), "refuse 5 node-full");
}

TEST(Queue, ForgetsWhoLeaves) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 3).ready("A-1").said();
  node.leave(2).done(1);
  EXPECT_EQ(node.said(), "3 to A-1");
}

TEST(Cancel, ClientThatLeavesKeepsTheSlotTakenUntilThePodYields) {
  FakeNode node;
  node.add("A", {.pods_max = 1}).calls("A", 2).ready("A-1").said();
  node.leave(1);
  EXPECT_EQ(node.said(), "cancel 1");
  EXPECT_EQ(node.last<Cancel>().reason, CancelReason::kClientLeft);
  node.leave(1);
  EXPECT_EQ(node.said(), "");  // once is enough
  node.advance(500ms).done(1);
  EXPECT_EQ(node.said(), "2 to A-1");
  EXPECT_EQ(node.view("A").completed, 0u);
}

TEST(Cancel, DeadlineInThePodCancelsAndKillsAPodThatDoesNotYield) {
  FakeNode node;
  node.add("A", {.cancel_grace = 1s}).call("A", 3s);
  node.ready("A-1").said();
  node.advance(3s);
  EXPECT_EQ(node.said(), "cancel 1");
  EXPECT_EQ(node.last<Cancel>().reason, CancelReason::kDeadline);
  node.advance(999ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "stop A-1 unresponsive");
  node.exit("A-1", ExitKind::kKilled, {1});  // whoever was cancelled is not repeated
  EXPECT_EQ(node.said(), "");
  EXPECT_EQ(node.view("A").failures, 0u);
}

TEST(Cancel, AnEndlessLoopDoesNotTakeItsNeighboursDown) {
  FakeNode node;
  node.add("A", {.pods_max = 2, .concurrency = 3}).call("A", 2s);
  node.calls("A", 2).ready("A-1").said();
  node.advance(3s);
  EXPECT_EQ(node.said(), "cancel 1, drain A-1 unresponsive");
  node.call("A");
  EXPECT_EQ(node.said(), "start A-2, 4 to A-2 cold");
  node.done(2);
  EXPECT_EQ(node.said(), "");
  node.done(3);
  EXPECT_EQ(node.said(), "stop A-1 unresponsive");
}

TEST(Cancel, GraceOfAPodThatIsNotThereYetBeginsWithItsHello) {
  FakeNode node;
  node.add("A", {.start_timeout = 20s, .cancel_grace = 1s}).call("A");
  node.leave(1).said();
  node.advance(5s);
  EXPECT_EQ(node.said(), "");
  node.ready("A-1").advance(999ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "stop A-1 unresponsive");
}

TEST(Time, GoingBackCountsAsStandingStill) {
  FakeNode node;
  node.add("A", {.idle_timeout = 10s}).call("A");
  node.ready("A-1").done(1).advance(9s).said();
  Effects effects;
  node.scheduler().expire(TimePoint(0s), effects);
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(node.pod("A-1").idle_for, 0s);  // as of the last time it was told
}

TEST(Time, WhatIsDueIsDoneBeforeWhatHappensThen) {
  FakeNode node;
  node.add("A", {.idle_timeout = 10s}).call("A");
  node.ready("A-1").done(1).said();
  // The owner's timer is late: the arrival comes 11 s on, and finds the pod drained already.
  Effects effects;
  const FunctionId id = node.view("A").function;
  node.scheduler().arrive(node.now() + 11s, {InvocationId(77), id}, effects);
  ASSERT_EQ(effects.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<DrainPod>(effects[0]));
  EXPECT_TRUE(std::holds_alternative<StartPod>(effects[1]));
}

TEST(Time, AnAnswerInHandIsNotCancelledByADeadlineThatPassedMeanwhile) {
  FakeNode node;
  node.add("A").call("A", 1s);
  node.ready("A-1");
  Effects effects;
  node.scheduler().completed(node.now() + 2s, InvocationId(1), effects);
  EXPECT_TRUE(effects.empty());
}

TEST(Time, AnExitForbidsWhatWasDueBeforeIt) {
  FakeNode node;
  node.add("A", {.idle_timeout = 10s}).call("A");
  node.ready("A-1").done(1);
  const PodId pod = node.pod("A-1").pod;
  Effects effects;
  node.scheduler().pod_exited(node.now() + 11s, pod, ExitKind::kCrashed, {}, effects);
  EXPECT_TRUE(effects.empty());  // no drain of what is gone
}

TEST(Time, AnExitReportedAfterItsStartTimeoutIsStillJustAnExit) {
  FakeNode node;
  node.add("A", {.start_timeout = 2s}).call("A");
  const PodId pod = node.pod("A-1").pod;
  const InvocationId again[] = {InvocationId(1)};
  Effects effects;
  node.scheduler().pod_exited(node.now() + 3s, pod, ExitKind::kStartFailed, again, effects);
  EXPECT_TRUE(effects.empty());  // no stop; the call waits for the back-off to end
  EXPECT_EQ(node.view("A").waiting, 1u);
  EXPECT_EQ(node.view("A").failures, 1u);
}

TEST(Ids, OfThingsGoneAreIgnored) {
  FakeNode node;
  node.add("A");
  Effects effects;
  node.scheduler().completed(node.now(), InvocationId(5), effects);
  node.scheduler().cancelled(node.now(), InvocationId(5), effects);
  node.scheduler().pod_ready(node.now(), PodId(5), effects);
  node.scheduler().pod_exited(node.now(), PodId(5), ExitKind::kCrashed, {}, effects);
  EXPECT_TRUE(effects.empty());
  EXPECT_FALSE(node.scheduler().pod(PodId(5)));
  EXPECT_FALSE(node.scheduler().function(FunctionId(5)));
}

}  // namespace
}  // namespace subito::scheduler
