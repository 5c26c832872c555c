// Functions that compete, calls between functions on a full node, and refusals that cost nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "scheduler/fake_node.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using CallState = FakeNode::CallState;

std::uint32_t pods_of(const FakeNode& node, const std::string& function) {
  const FunctionView view = node.view(function);
  return view.starting + view.ready;
}

std::uint32_t count(const FakeNode& node, const std::string& function, CallState state) {
  std::uint32_t calls = 0;
  for (const auto& [number, call] : node.all_calls())
    calls += call.function == function && call.state == state;
  return calls;
}

// Pods come up, leave and answer, one answer at a time, so many times.
void answer_all(FakeNode& node, int answers) {
  for (int i = 0; i < answers; ++i) {
    const auto pods = node.pods();  // a copy: they come and go
    for (const auto& [name, pod] : pods) {
      if (!pod.said_hello) node.ready(name);
      if (pod.state == PodState::kDraining && pod.running.empty()) node.exit(name);
    }
    std::vector<std::uint64_t> running;
    for (const auto& [number, call] : node.all_calls())
      if (call.state == CallState::kRunning) running.push_back(number);
    if (!running.empty()) node.done(running[static_cast<std::size_t>(i) % running.size()]);
  }
}

// Functions A, B, C, ... of which each calls the next: what runs in one ends once its call has.
class Chain {
 public:
  Chain(std::uint32_t length, std::uint32_t places)
      : node_({.pods_max = places}), last_(length - 1) {
    for (std::uint32_t level = 0; level < length; ++level)
      node_.add(name(level), {.pods_max = 1000, .height = last_ - level});
  }

  FakeNode& node() { return node_; }
  void call() { made_[node_.call("A")] = {}; }

  // Until nothing moves any more; time stands still but for what frees places.
  void run() {
    while (pods_move() || calls_move()) {
    }
  }

 private:
  struct Made {
    std::uint32_t level = 0;
    std::uint64_t child = 0;
  };

  static std::string name(std::uint32_t level) {
    return std::string(1, static_cast<char>('A' + level));
  }

  bool pods_move() {
    for (const auto& [pod_name, pod] : node_.pods()) {
      if (!pod.said_hello) {
        node_.ready(std::string(pod_name));
        return true;
      }
      if (pod.state == PodState::kDraining && pod.running.empty()) {
        node_.exit(std::string(pod_name));
        return true;
      }
    }
    return false;
  }

  bool calls_move() {
    for (auto& [number, made] : made_) {
      if (node_.all_calls().at(number).state != CallState::kRunning) continue;
      if (made.level < last_ && made.child == 0) {
        const std::uint32_t below = made.level + 1;
        made.child = node_.call(name(below), 60s, true);
        made_[made.child] = {.level = below};
        return true;
      }
      if (made.level == last_ || node_.all_calls().at(made.child).state == CallState::kCompleted) {
        node_.done(number);
        return true;
      }
    }
    return false;
  }

  FakeNode node_;
  std::uint32_t last_;
  std::map<std::uint64_t, Made> made_;
};

class CallsOnAFullNode : public testing::TestWithParam<std::pair<std::uint32_t, std::uint32_t>> {};

TEST_P(CallsOnAFullNode, AllEndWithoutTimePassing) {
  const auto [length, places] = GetParam();
  Chain chain(length, places);
  for (std::uint32_t i = 0; i < 2 * places; ++i) chain.call();
  chain.run();
  EXPECT_EQ(count(chain.node(), "A", CallState::kCompleted), 2 * places);
}

// Length of the chain, places on the node.
INSTANTIATE_TEST_SUITE_P(Chains, CallsOnAFullNode,
                         testing::Values(std::pair{2u, 2u}, std::pair{2u, 8u}, std::pair{3u, 3u},
                                         std::pair{3u, 10u}, std::pair{5u, 5u}, std::pair{5u, 12u}),
                         [](const auto& chain) {
                           return std::to_string(chain.param.first) + "On" +
                                  std::to_string(chain.param.second);
                         });

TEST(Heights, AnIdlePodThatWouldNotHelpIsNotEvicted) {
  FakeNode node({.pods_max = 3});
  node.add("Top", {.height = 1}).add("Low").calls("Top", 2);
  node.call("Low");
  node.ready("Low-1").done(3).said();
  node.call("Top");  // the third place is not for it, whoever leaves of height 0
  EXPECT_EQ(node.said(), "");
  EXPECT_EQ(node.view("Top").last.kind, Decision::Kind::kNodeFull);
  node.ready("Top-1").done(1);  // its pod takes the next
  EXPECT_EQ(node.said(), "4 to Top-1");
}

TEST(Heights, WhoMayNotHaveThePlaceDoesNotKeepOthersFromIt) {
  FakeNode node({.pods_max = 2});
  node.add("Top", {.height = 1}).add("Low").calls("Top", 2);
  node.said();
  node.call("Low");
  EXPECT_EQ(node.said(), "start Low-1, 3 to Low-1 cold");
}

TEST(Heights, MayChangeWhilePodsRunAndFunctionsStandInLine) {
  FakeNode node({.pods_max = 2});
  node.add("Top", {.height = 1}).calls("Top", 2);
  node.ready("Top-1").said();
  node.set_limits("Top", {.height = 0});
  EXPECT_EQ(node.said(), "start Top-2, 2 to Top-2 cold");
  node.set_limits("Top", {.height = 1});  // both places are taken by now: nothing is taken away
  EXPECT_EQ(node.said(), "");
  node.add("Low").call("Low");
  node.ready("Top-2").done(1);
  EXPECT_EQ(node.said(), "drain Top-1 evicted");
}

// --- shares

TEST(Shares, AFloodedFunctionGivesPlacesToOneThatComesLater) {
  FakeNode node({.pods_max = 4});
  node.add("Flood", {.pods_max = 4}).add("Late").calls("Flood", 20);
  for (int i = 1; i <= 4; ++i) node.ready("Flood-" + std::to_string(i));
  node.calls("Late", 5).said();
  node.done(1);
  EXPECT_EQ(node.said(), "drain Flood-1 yielded");
  node.done(2);  // one place is on its way already, and one function stands in line
  EXPECT_EQ(node.said(), "5 to Flood-2");
  node.exit("Flood-1");
  EXPECT_EQ(node.said(), "start Late-1, 21 to Late-1 cold");
  node.done(3);
  EXPECT_EQ(node.said(), "drain Flood-3 yielded");
  node.exit("Flood-3").done(4).done(5);
  EXPECT_EQ(pods_of(node, "Flood"), 2u);
  EXPECT_EQ(pods_of(node, "Late"), 2u);  // half each, and so it stays
}

TEST(Shares, AreByWeight) {
  FakeNode node({.pods_max = 4});
  node.add("Flood", {.pods_max = 4, .weight = 3}).add("Late").calls("Flood", 20);
  for (int i = 1; i <= 4; ++i) node.ready("Flood-" + std::to_string(i));
  node.calls("Late", 5).said();
  node.done(1).exit("Flood-1").done(2).done(3).done(4);
  EXPECT_EQ(pods_of(node, "Flood"), 3u);
  EXPECT_EQ(pods_of(node, "Late"), 1u);
}

TEST(Shares, NothingIsGivenUpBelowAMinimumOrWithoutWork) {
  FakeNode node({.pods_max = 2});
  node.add("Kept", {.pods_min = 2, .pods_max = 2}).add("Late");
  node.ready("Kept-1").ready("Kept-2").calls("Kept", 4).call("Late");
  node.said();
  node.done(1);
  EXPECT_EQ(node.said(), "3 to Kept-2");  // the pod of 1, which came up last
}

TEST(Shares, APlaceThatWouldNotHelpIsNotGivenUp) {
  FakeNode node({.pods_max = 3});
  node.add("Top", {.height = 1}).add("Low").calls("Top", 3).calls("Low", 2);
  node.ready("Top-1").ready("Top-2").ready("Low-1");
  node.add("Other", {.weight = 2, .height = 1}).call("Other");
  node.said();
  node.done(4);
  EXPECT_EQ(node.said(), "5 to Low-1");
  node.done(1);
  EXPECT_EQ(node.said(), "drain Top-1 yielded");
}

// The flood wants more than there is: it stands in line itself, and stood there first.
TEST(Shares, WhoHoldsMostDoesNotStandInTheWayOfOthers) {
  for (const std::uint32_t weight : {1u, 3u}) {
    FakeNode node({.pods_max = 8});
    node.add("Flood", {.pods_max = 20, .weight = weight}).add("Late").calls("Flood", 200);
    for (int i = 1; i <= 8; ++i) node.ready("Flood-" + std::to_string(i));
    node.calls("Late", 200).said();
    answer_all(node, 60);
    const std::uint32_t late = weight == 1 ? 4 : 2;  // of 8, by 1 to 1 or 3 to 1
    EXPECT_EQ(pods_of(node, "Late"), late) << weight;
    EXPECT_EQ(pods_of(node, "Flood"), 8 - late) << weight;
  }
}

TEST(Shares, TwoFloodsMakeRoomForAThird) {
  FakeNode node({.pods_max = 6});
  node.add("A", {.pods_max = 20}).add("B", {.pods_max = 20}).add("C", {.pods_max = 20});
  node.calls("A", 3).calls("B", 200).calls("A", 197);
  answer_all(node, 12);
  node.calls("C", 200);
  answer_all(node, 100);
  for (const char* name : {"A", "B", "C"}) EXPECT_EQ(pods_of(node, name), 2u) << name;
}

TEST(Shares, OneThatWaitsTakesOnePodAlsoWhereEachRunsSeveral) {
  FakeNode node({.pods_max = 4});
  node.add("Flood", {.pods_max = 4, .concurrency = 2}).add("Late").calls("Flood", 20);
  for (int i = 1; i <= 4; ++i) node.ready("Flood-" + std::to_string(i));
  node.call("Late");
  node.said();
  for (const std::uint64_t call : {1, 3, 5, 7}) node.done(call);  // one of each pod's two
  EXPECT_EQ(pods_of(node, "Flood"), 3u);
  node.done(2).exit("Flood-1");
  EXPECT_EQ(pods_of(node, "Late"), 1u);
}

TEST(Shares, StartsGoByWeight) {
  FakeNode node({.starting_max = 1});
  node.add("Light").add("Heavy", {.weight = 2}).calls("Light", 9).calls("Heavy", 9).said();
  std::string order;
  for (int i = 0; i < 6; ++i) {
    for (const auto& [name, pod] : node.pods()) {
      if (pod.said_hello) continue;
      node.ready(std::string(name));
      break;
    }
    order += node.last<StartPod>().function.value() == 1 ? 'L' : 'H';
  }
  EXPECT_EQ(std::count(order.begin(), order.end(), 'H'), 4) << order;
}

TEST(Shares, QueueMemoryIsNeverOneFunctionsAlone) {
  FakeNode node({.waiting_max = 100});
  node.add("Flood", {.pods_max = 1, .queue_limit = 1000}).add("Other", {.pods_max = 1});
  node.calls("Flood", 200);
  EXPECT_EQ(node.view("Flood").waiting, 50u);  // as much as it leaves free
  node.calls("Other", 200);
  EXPECT_EQ(node.view("Other").waiting, 25u);
  EXPECT_EQ(count(node, "Other", CallState::kRefused), 174u);
}

TEST(Shares, CallsMayUseTheWholeQueueMemory) {
  FakeNode node({.waiting_max = 10});
  node.add("A", {.pods_max = 1}).calls("A", 20);
  EXPECT_EQ(node.view("A").waiting, 5u);
  node.call("A", 60s, true);
  EXPECT_EQ(node.view("A").waiting, 6u);
}

// --- refused before it costs anything

TEST(InFlight, AreLimitedByFunctionAndByNode) {
  FakeNode node({.in_flight_max = 3});
  node.add("A", {.in_flight_max = 2}).add("B").calls("A", 3);
  EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold, start A-2, 2 to A-2 cold, refuse 3 in-flight");
  EXPECT_EQ(http_status(node.last<Refuse>().reason), 429);
  node.calls("B", 2);
  EXPECT_EQ(node.said(), "start B-1, 4 to B-1 cold, refuse 5 node-full");
  node.call("B", 60s, true);
  EXPECT_EQ(node.said(), "start B-2, 6 to B-2 cold");  // what was let in is not lost half way
  node.ready("A-1").done(1).said();
  node.call("A");
  EXPECT_EQ(node.said(), "refuse 7 node-full");
}

// One pod that takes 1 s a call: one runs and three wait, so the fourth that waits has its turn
// after 4 s and its answer after 5. An eighth more must be allowed: 4.572 s.
class QueueAhead : public testing::Test {
 protected:
  QueueAhead() {
    node.add("A", {.pods_max = 1, .queue_timeout = 30s}).call("A");
    node.ready("A-1").advance(1s).done(1).calls("A", 4).said();
  }
  FakeNode node;
};

TEST_F(QueueAhead, RefusesADeadlineThatCannotBeMetAtOnce) {
  node.call("A", 5571ms);
  EXPECT_EQ(node.said(), "refuse 6 queue-too-long");
  EXPECT_EQ(http_status(node.last<Refuse>().reason), 429);
  EXPECT_EQ(node.last<Refuse>().retry_after, 4s);
  node.call("A", 5572ms);
  EXPECT_EQ(node.said(), "");
}

// Two pods end a call each 3 s together, a third is on its way: the 13th has its turn after 26 s.
TEST_F(QueueAhead, JudgesAlsoWhilePodsStartOnceItIsKnownHowFastItGetsShorter) {
  node.set_limits("A", {.pods_max = 2, .queue_timeout = 60s}).calls("A", 20).ready("A-2");
  for (std::uint64_t call = 2; call <= 10; ++call) node.advance(3s).done(call);
  node.set_limits("A", {.pods_max = 3, .queue_timeout = 29s}).said();
  ASSERT_EQ(node.view("A").starting, 1u);
  node.call("A");
  EXPECT_EQ(node.said(), "refuse 26 queue-too-long");
  node.set_limits("A", {.pods_max = 3, .queue_timeout = 30s}).call("A");
  EXPECT_EQ(node.said(), "");
}

TEST_F(QueueAhead, TakesTheQueueTimeoutForADeadline) {
  node.set_limits("A", {.pods_max = 1, .queue_timeout = 2s}).call("A");
  EXPECT_EQ(node.said(), "refuse 6 queue-too-long");
}

TEST_F(QueueAhead, DoesNotJudgeWhilePodsAreToCome) {
  node.set_limits("A", {.pods_max = 2, .queue_timeout = 2s}).said();
  node.call("A");
  EXPECT_FALSE(node.view("A").starting == 0);
  EXPECT_EQ(count(node, "A", CallState::kRefused), 0u);
}

}  // namespace
}  // namespace subito::scheduler
