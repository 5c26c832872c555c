// Invocations that wait in a pod behind the one that it runs.
#include <gtest/gtest.h>

#include <csignal>

#include "runtime/node/fake_pod.h"
#include "scheduler/ahead.h"

namespace subito::node {
namespace {

using Cause = pods::PodExit::Cause;
using protocol::FrameType;

class EngineAheadTest : public EngineFixture, public testing::Test {
 protected:
  // A pod that takes invocations ahead, of a function whose handlers were short so far.
  FakePod& quick_pod() {
    invoke(1'000'000);
    FakePod& pod = home->pod(0);
    pod.hello(15);
    settle();
    for (std::uint32_t i = 0; i < scheduler::Ahead::kShortCallsMin; ++i) {
      if (i > 0) invoke(1'000'000 + i);
      answer_quickly(pod, pod.expect_invoke().header.stream);
    }
    return pod;
  }
  void answer_quickly(FakePod& pod, std::uint32_t stream) {
    protocol::Result head;
    head.set_status(200);
    head.set_handler_us(5);
    pod.send(FrameType::kResult, stream, head, "quick", true);
    settle();
  }
};

TEST_F(EngineAheadTest, GivesThemToAPodTogetherAndTellsTheirWaitApart) {
  FakePod& pod = quick_pod();
  invoke(1, "POST");
  invoke(2, "POST");
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 2U);
  let_pass(std::chrono::milliseconds(2));
  const TimePoint answering = loop.now();
  answer_quickly(pod, frames[0].header.stream);
  answer_quickly(pod, frames[1].header.stream);
  const Duration answered = loop.now() - answering;
  EXPECT_EQ(outcome(2).body, "quick");
  EXPECT_GE(outcome(1).timing.handler, std::chrono::milliseconds(2));
  EXPECT_GE(outcome(2).timing.queue, std::chrono::milliseconds(2));
  EXPECT_LE(outcome(2).timing.handler, answered);
  EXPECT_EQ(home->pods.size(), 1U);
}

TEST_F(EngineAheadTest, OfALineThatItPrintsMeanwhileNobodyKnowsWhoseItIs) {
  FakePod& pod = quick_pod();
  const auto printed = [this] {
    settle();
    return std::exchange(observer.printed, {});
  };
  invoke(1, "POST");
  invoke(2, "POST");
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 2U);
  home->print(0, "of either\n");
  EXPECT_EQ(printed(), std::vector<std::string>{"of either for "});
  home->print(0, "before the answer\n");
  answer_quickly(pod, frames[0].header.stream);
  EXPECT_EQ(printed(), std::vector<std::string>{"before the answer for "});
  home->print(0, "of the last\n");
  EXPECT_EQ(printed(), std::vector<std::string>{"of the last for r2"});
}

TEST_F(EngineAheadTest, GivesThemOneByOneToAPodThatDoesNotSayItTakesThem) {
  FakePod& pod = warm_pod();
  for (std::uint32_t i = 1; i <= scheduler::Ahead::kShortCallsMin; ++i) {
    invoke(i);
    answer_quickly(pod, pod.expect_invoke().header.stream);
  }
  invoke(1001);
  invoke(1002);
  EXPECT_EQ(pod.read().size(), 1U);
}

TEST_F(EngineAheadTest, WhenThePodDiesOnlyTheOneThatItRanIsLost) {
  FakePod& pod = quick_pod();
  for (CallerToken token = 1; token <= 3; ++token) invoke(token, "POST");
  ASSERT_EQ(pod.read().size(), 3U);  // all are read
  home->exit(pod, Cause::kSignalled, SIGKILL);
  settle();
  ASSERT_TRUE(outcome(1).failure);
  EXPECT_EQ(outcome(1).failure->status, 502);
  EXPECT_FALSE(outcome(2).failure);
  EXPECT_FALSE(outcome(3).failure);
  ASSERT_TRUE(turn_until([&] { return home->pods.size() > 1; }));
  FakePod& next = home->pod(1);
  next.hello(15);
  settle();
  answer_quickly(next, next.expect_invoke().header.stream);
  EXPECT_EQ(outcome(2).body, "quick");
}

TEST_F(EngineAheadTest, WhatThePodGivesBackIsGivenToAnother) {
  FakePod& pod = quick_pod();
  invoke(1, "POST");
  invoke(2, "POST");
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 2U);
  pod.send(FrameType::kCancel, frames[1].header.stream, protocol::Cancel());
  settle();
  EXPECT_FALSE(outcome(2).failure);
  ASSERT_TRUE(turn_until([&] { return home->pods.size() > 1; }));
  FakePod& other = home->pod(1);
  other.hello(15);
  settle();
  answer_quickly(other, other.expect_invoke().header.stream);
  EXPECT_EQ(outcome(2).body, "quick");
  EXPECT_EQ(outcome(1).ends, 0) << "the pod still works on it";
  answer_quickly(pod, frames[0].header.stream);
  EXPECT_EQ(outcome(1).body, "quick");
}

TEST_F(EngineAheadTest, WhatThePodGivesBackIsSentWholeAgain) {
  FakePod& pod = quick_pod();
  invoke(1, "POST");
  const InvocationId second = ask(2, "POST", true);
  settle();
  engine.body(second, "its body", true);
  settle();
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 3U);
  pod.send(FrameType::kCancel, frames[1].header.stream, protocol::Cancel());
  settle();
  answer_quickly(pod, frames[0].header.stream);
  const auto again = (home->pods.size() > 1 ? home->pod(1) : pod).read();
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again.back().header.type, FrameType::kInvoke);
  EXPECT_EQ(again.back().body, "its body");
  EXPECT_TRUE(again.back().header.end());
}

TEST_F(EngineAheadTest, TheOneThatRunsAndGivesUpHasFailed) {
  FakePod& pod = quick_pod();
  invoke(1, "POST");
  invoke(2, "POST");
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 2U);
  pod.send(FrameType::kCancel, frames[0].header.stream, protocol::Cancel());
  settle();
  ASSERT_TRUE(outcome(1).failure);
  EXPECT_EQ(outcome(1).failure->type, "cancelled-by-function");
  answer_quickly(pod, frames[1].header.stream);
  EXPECT_EQ(outcome(2).body, "quick");
}

TEST_F(EngineAheadTest, GivenBackAfterItsCallerLeftItIsForgotten) {
  FakePod& pod = quick_pod();
  invoke(1, "POST");
  const InvocationId second = invoke(2, "POST");
  const auto frames = pod.read();
  ASSERT_EQ(frames.size(), 2U);
  engine.abort(second);
  pod.send(FrameType::kCancel, frames[1].header.stream, protocol::Cancel());
  settle();
  EXPECT_EQ(engine.invocations(), 1U);
  EXPECT_EQ(home->pods.size(), 1U);
}

}  // namespace
}  // namespace subito::node
