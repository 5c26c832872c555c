// For which request a pod printed a line: told only where it is certain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

using testing::ElementsAre;

class EngineOutputTest : public EngineFixture, public testing::Test {
 protected:
  std::vector<std::string> printed() {
    settle();
    return std::exchange(observer.printed, {});
  }
};

TEST_F(EngineOutputTest, ALineIsOfTheRequestThatThePodWorksOn) {
  FakePod& pod = warm_pod();
  home->print(0, "idle\n");
  EXPECT_THAT(printed(), ElementsAre("idle for "));
  invoke(7);
  const std::uint32_t stream = pod.expect_invoke().header.stream;
  home->print(0, "working\n");
  EXPECT_THAT(printed(), ElementsAre("working for r7"));
  pod.answer(stream, 200, "done");
  settle();
  home->print(0, "after\n");
  EXPECT_THAT(printed(), ElementsAre("after for "));
}

TEST_F(EngineOutputTest, ALineThatIsReadWithTheAnswerIsNotTakenForTheNextRequests) {
  manifest::FunctionSpec spec = plain_spec();
  spec.mutable_scaling()->set_max(1);  // or another pod might be thought the quicker one
  put("echo", spec, 2);
  FakePod& pod = warm_pod();
  invoke(7);
  const std::uint32_t first = pod.expect_invoke().header.stream;
  // All before the node looks again: the second is dispatched in the turn that reads the answer.
  ask(8, "GET");
  home->print(0, "of the first\nhalf");
  pod.answer(first, 200, "done");
  EXPECT_THAT(printed(), ElementsAre("of the first for r7"));
  (void)pod.expect_invoke();
  home->print(0, " and half\nof the second\n");
  EXPECT_THAT(printed(), ElementsAre("half and half for ", "of the second for r8"));
}

TEST_F(EngineOutputTest, WhatAPodPrintsBeforeItsHelloIsNobodys) {
  invoke(7);
  home->print(0, "starting\n");
  home->pod(0).hello();
  EXPECT_THAT(printed(), ElementsAre("starting for "));
  home->print(0, "working\n");
  EXPECT_THAT(printed(), ElementsAre("working for r7"));
}

TEST_F(EngineOutputTest, OfAPodThatWorksOnSeveralNobodyKnows) {
  manifest::FunctionSpec spec = plain_spec();
  spec.set_concurrency(2);
  engine.remove_function(echo);
  echo = put("two", spec)->function;
  warm_pod();
  invoke(7);
  home->print(0, "working\n");
  EXPECT_THAT(printed(), ElementsAre("working for "));
}

}  // namespace
}  // namespace subito::node
