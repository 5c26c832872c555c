// The lives of pods: hello, exit, crash loops, drain, stop.
#include <gtest/gtest.h>

#include "scheduler/backoff.h"
#include "scheduler/fake_node.h"
#include "scheduler/ledger.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

TEST(Exit, GivesWhatWasNeverTakenToAnotherPodInFrontOfTheQueueInOrder) {
  FakeNode node;
  node.add("A", {.pods_max = 1, .concurrency = 3}).calls("A", 5).ready("A-1").said();
  node.done(1);  // a useful pod: no back-off
  EXPECT_EQ(node.said(), "4 to A-1");
  node.crash("A-1", {4, 3, 2});
  EXPECT_EQ(node.said(), "start A-2, 2 to A-2 cold, 3 to A-2 cold, 4 to A-2 cold");
  node.ready("A-2").done(2);
  EXPECT_EQ(node.said(), "5 to A-2");
}

TEST(Exit, RefusesWhatWasTakenAndMayNotBeRepeated) {
  FakeNode node;
  node.add("A", {.concurrency = 2}).calls("A", 2).ready("A-1").said();
  node.crash("A-1");
  EXPECT_EQ(node.said(), "refuse 1 pod-died, refuse 2 pod-died");
  EXPECT_EQ(http_status(node.last<Refuse>().reason), 502);
  EXPECT_EQ(node.last<Refuse>().retry_after, 0s);
}

TEST(Exit, CountsAttemptsAndGivesUpAfterTheLast) {
  FakeNode node;
  node.add("A").call("A");
  std::string everything = node.said();
  for (std::uint32_t i = 1; i <= kDispatchesMax; ++i) {
    node.crash("A-" + std::to_string(i), {1}).advance(1s);
    everything += ", " + node.said();
  }
  EXPECT_EQ(everything,
            "start A-1, 1 to A-1 cold, start A-2, 1 to A-2 cold, start A-3, 1 to A-3 cold, "
            "start A-4, 1 to A-4 cold, refuse 1 start-failed");
}

TEST(Exit, AsksForAnotherTryOnlyUntilTheDeadline) {
  FakeNode node;
  node.add("A").call("A", 50ms);
  node.crash("A-1", {1}).said();
  node.advance(50ms);  // the back-off lasts 100 ms
  EXPECT_EQ(node.said(), "refuse 1 deadline");
}

TEST(Drain, ReplacesAPodThatWasGivenAsManyInvocationsAsOneMay) {
  FakeNode node({.pod_dispatches_max = 3});
  node.add("A", {.pods_min = 1}).ready("A-1").said();
  for (int i = 1; i <= 3; ++i) {
    node.call("A");
    EXPECT_EQ(node.said(), std::to_string(i) + " to A-1");
    if (i < 3) node.done(static_cast<std::uint64_t>(i));
  }
  node.done(3);
  EXPECT_EQ(node.said(), "drain A-1 worn-out, start A-2") << "the minimum is kept";
  node.call("A");
  EXPECT_EQ(node.said(), "4 to A-2 cold");
}

TEST(Drain, FinishesWhatRunsInAPodThatIsWornOut) {
  FakeNode node({.pod_dispatches_max = 2});
  node.add("A", {.concurrency = 2}).calls("A", 2).ready("A-1").said();
  node.done(1);
  EXPECT_EQ(node.said(), "drain A-1 worn-out");
  node.done(2).exit("A-1");
  EXPECT_EQ(node.said(), "");
  EXPECT_EQ(node.all_calls().at(2).state, FakeNode::CallState::kCompleted);
}

TEST(CrashLoop, PutsStartsOffForLongerEachTime) {
  FakeNode node;
  node.add("A", {.pods_min = 1}).said();
  node.exit("A-1", ExitKind::kStartFailed);
  EXPECT_EQ(node.said(), "");
  EXPECT_EQ(node.view("A").last.kind, Decision::Kind::kBackingOff);
  node.advance(99ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "start A-2");
  node.exit("A-2", ExitKind::kOutOfMemory).advance(199ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);
  EXPECT_EQ(node.said(), "start A-3");
  EXPECT_EQ(node.view("A").failures, 2u);
}

TEST(CrashLoop, RefusesAtOnceWhenThereIsLittleHopeAndSaysWhenToComeBack) {
  FakeNode node;
  node.add("A", {.queue_timeout = 60s}).said();
  for (std::uint32_t i = 1; i < kCrashLoopAfter; ++i) {
    node.call("A");
    node.crash("A-" + std::to_string(i)).advance(backoff_delay(i));
  }
  node.calls("A", 2).said();
  node.crash("A-5");  // 6 waited for it: one tries at a time
  EXPECT_EQ(node.said(), "refuse 5 pod-died, refuse 6 crash-loop");
  node.advance(100ms).call("A");
  EXPECT_EQ(node.said(), "refuse 7 crash-loop");
  EXPECT_EQ(node.last<Refuse>().retry_after, backoff_delay(kCrashLoopAfter) - 100ms);
  node.advance(2s).call("A");
  EXPECT_EQ(node.said(), "start A-6, 8 to A-6 cold");
}

TEST(CrashLoop, LetsOnePodTryWhileTheOthersWait) {
  FakeNode node;
  node.add("A").call("A");
  node.crash("A-1").advance(100ms).said();
  node.calls("A", 3);
  EXPECT_EQ(node.said(), "start A-2, 2 to A-2 cold");
  node.ready("A-2");
  EXPECT_EQ(node.said(), "start A-3, 3 to A-3 cold");
}

TEST(CrashLoop, IsForgivenByACompletedInvocation) {
  FakeNode node;
  node.add("A").call("A");
  node.crash("A-1").advance(100ms).call("A");
  node.ready("A-2");
  EXPECT_EQ(node.view("A").failures, 1u);
  node.done(2);
  EXPECT_EQ(node.view("A").failures, 0u);
}

TEST(CrashLoop, DoesNotCountPodsThatWereOfUseOrWereAskedToGo) {
  FakeNode node;
  node.add("A", {.concurrency = 2, .idle_timeout = 60s}).calls("A", 2).ready("A-1").done(1);
  node.crash("A-1");  // served one before
  EXPECT_EQ(node.view("A").failures, 0u);
  node.call("A");
  node.ready("A-2").advance(kHealthyAfter).crash("A-2");  // lived long enough
  EXPECT_EQ(node.view("A").failures, 0u);
  node.call("A");
  node.update("A").crash("A-3");  // the old revision's, and draining
  EXPECT_EQ(node.view("A").failures, 0u);
}

TEST(CrashLoop, DoesNotCountPodsThatDiedAtWork) {
  FakeNode node;
  node.add("A").said();
  for (std::uint32_t i = 1; i <= 2 * kCrashLoopAfter; ++i) {
    const std::string pod = "A-" + std::to_string(i);
    node.call("A");
    node.ready(pod).crash(pod);  // the one bad request
    EXPECT_EQ(node.view("A").failures, 0u);
  }
  node.said();
  node.call("A");
  EXPECT_EQ(node.said(), "start A-11, 11 to A-11 cold");
}

TEST(Start, ThatTakesTooLongIsKilledCountsAsAFailureAndItsWaiterGoesOn) {
  FakeNode node;
  node.add("A", {.start_timeout = 2s}).call("A");
  node.said();
  node.advance(2s);
  EXPECT_EQ(node.said(), "stop A-1 start-timeout");
  node.exit("A-1", ExitKind::kKilled, {1});
  EXPECT_EQ(node.view("A").failures, 1u);
  node.advance(100ms);
  EXPECT_EQ(node.said(), "start A-2, 1 to A-2 cold");
  EXPECT_EQ(node.last<Dispatch>().attempt, 2u);
}

TEST(Drain, GivesNothingNewAndKillsOnlyWhoDoesNotEnd) {
  FakeNode node;
  node.add("A", {.idle_timeout = 5s, .drain_timeout = 3s}).call("A");
  node.ready("A-1").done(1).said();
  node.advance(5s);
  EXPECT_EQ(node.said(), "drain A-1 idle");
  node.call("A");
  EXPECT_EQ(node.said(), "start A-2, 2 to A-2 cold");
  node.advance(3s);
  EXPECT_EQ(node.said(), "stop A-1 drain-timeout");
  node.exit("A-1", ExitKind::kKilled);
  EXPECT_EQ(node.view("A").failures, 0u);
}

TEST(Drain, NeverCutsShortWhatRuns) {
  FakeNode node;
  node.add("A", {.drain_timeout = 3s}).call("A", 50s);
  node.ready("A-1").update("A", {.drain_timeout = 3s}).said();
  node.advance(49s);  // far beyond drain_timeout
  EXPECT_EQ(node.said(), "");
  node.done(1);
  node.advance(2999ms);
  EXPECT_EQ(node.said(), "");
  node.advance(1ms);  // ... which counts from when nothing runs
  EXPECT_EQ(node.said(), "stop A-1 drain-timeout");
}

TEST(Drain, EndsByTheTimeoutWhatRunsWithoutADeadline) {
  FakeNode node;
  node.add("A", {.drain_timeout = 3s}).call("A", Duration::max());
  node.ready("A-1").update("A", {.drain_timeout = 3s}).said();
  node.advance(3s);
  EXPECT_EQ(node.said(), "stop A-1 drain-timeout");
  node.exit("A-1", ExitKind::kKilled);
  EXPECT_EQ(node.said(), "refuse 1 pod-died");
}

TEST(Drain, OfAPodThatStillStartsLetsItServeWhatItWasGiven) {
  FakeNode node;
  node.add("A").call("A");
  node.update("A").said();
  node.ready("A-1").done(1).exit("A-1");
  EXPECT_EQ(node.said(), "");
  EXPECT_EQ(node.view("A").failures, 0u);
}

TEST(Measuring, FeedsServiceAndStartTimes) {
  FakeNode node;
  node.add("A").call("A");
  EXPECT_EQ(node.view("A").start, FunctionLimits{}.start_prior);
  node.advance(2ms).ready("A-1").advance(7ms).done(1);
  EXPECT_EQ(node.view("A").start, 2ms);
  EXPECT_EQ(node.view("A").service, 7ms);  // the start is not the handler's fault
  EXPECT_EQ(node.pod("A-1").start, 2ms);
  EXPECT_EQ(node.pod("A-1").served, 1u);
}

TEST(Transition, BackwardsIsAFaultOfOurOwn) {
  Ledger ledger(NodeLimits{});
  const Slot pod = ledger.add_pod(ledger.add_function(FunctionId(1)), TimePoint{});
  ledger.transition(pod, PodState::kDraining, TimePoint{});
  EXPECT_DEATH(ledger.transition(pod, PodState::kReady, TimePoint{}), "to > pod.state");
}

}  // namespace
}  // namespace subito::scheduler
