// Calls of one handler that go on at once (Context::start_call()), with one thread in the pod and
// with several.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/sdk/fake_node.h"

namespace subito::sdk {
namespace {

using protocol::FrameType;
using testing::HasSubstr;

class CallsAtOnceTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  static protocol::Config config() {
    protocol::Config config;
    config.set_concurrency(GetParam());
    return config;
  }

  // Has the pod do these steps (functions/testing/probe), and waits for its calls.
  std::uint32_t begin(const std::string& steps, std::size_t calls) {
    const auto stream = node_.invoke("POST", "/calls", steps);
    EXPECT_TRUE(node_.wait([&] { return node_.calls.size() >= calls; })) << node_.breach;
    EXPECT_FALSE(node_.answers[stream].over()) << node_.answers[stream].body;
    return stream;
  }
  std::uint32_t call(std::size_t number) const { return node_.calls.at(number - 1).first; }

  void answer(std::size_t number, const std::string& body) {
    protocol::Result result;
    result.set_status(200);
    node_.send(FrameType::kResult, call(number), result);
    node_.send_body(call(number), body, true);
  }
  void fail(std::size_t number, const std::string& type) {
    protocol::Result result;
    result.set_status(503);
    result.mutable_failure()->set_type(type);
    node_.send(FrameType::kResult, call(number), result, {}, true);
  }

  FakeNode node_{"probe", config()};
};

INSTANTIATE_TEST_SUITE_P(Threads, CallsAtOnceTest, testing::Values(1, 4));

constexpr const char* kTwo = "start stock GET /levels 0\nstart catalogue POST /all?a=b 3\n";

TEST_P(CallsAtOnceTest, AreOnTheirWayBeforeTheFirstAnswer) {
  const auto stream = begin(std::string(kTwo) + "get 1\nget 2\n", 2);
  EXPECT_EQ(node_.calls[0].second.function(), "stock");
  EXPECT_EQ(node_.calls[1].second.function(), "catalogue");
  EXPECT_EQ(node_.calls[1].second.query(), "a=b");
  EXPECT_EQ(node_.calls[1].second.invocation(), stream);
  answer(2, "products");
  EXPECT_EQ(node_.answers[call(2)].body, "xxx");
  answer(1, "levels");
  EXPECT_EQ(node_.answer(stream).body, "1 200 levels\n2 200 products\n");
}

TEST_P(CallsAtOnceTest, AreAnsweredInAnyOrderWithBodiesOverTheWindow) {
  const std::string large(1 << 20, 'l');
  const auto stream =
      begin("start stock PUT / 700000\nstart catalogue PUT / 700000\nget 2\nget 1\n", 2);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(2)].over(); }));
  answer(2, "small");
  answer(1, large);
  EXPECT_TRUE(node_.answer(stream).body == "2 200 small\n1 200 " + large + "\n");
  EXPECT_EQ(node_.answers[call(1)].body.size(), 700'000U);
  EXPECT_EQ(node_.answers[call(2)].body.size(), 700'000U);
}

TEST_P(CallsAtOnceTest, OneThatFailsLeavesTheOther) {
  const auto stream = begin(std::string(kTwo) + "get 1\nget 2\n", 2);
  fail(1, "queue-full");
  answer(2, "products");
  EXPECT_EQ(node_.answer(stream).body, "1 queue-full\n2 200 products\n");
}

TEST_P(CallsAtOnceTest, OneThatIsDroppedIsCancelledAtOnce) {
  const auto stream = begin(std::string(kTwo) + "drop 1\nget 2\n", 2);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(1)].cancelled; }));
  node_.cancel(call(1));
  EXPECT_TRUE(node_.streams().is_open(stream));
  answer(2, "products");
  EXPECT_EQ(node_.answer(stream).body, "2 200 products\n");
}

TEST_P(CallsAtOnceTest, DoNotWaitUntilTheHandlerWaits) {
  node_.invoke("POST", "/calls", std::string(kTwo) + "drop 1\nexit\n");
  EXPECT_FALSE(node_.wait([] { return false; }));
  EXPECT_TRUE(node_.eof());
  ASSERT_EQ(node_.calls.size(), 2U);
  EXPECT_TRUE(node_.answers[call(1)].cancelled);
}

TEST_P(CallsAtOnceTest, WhatNobodyWaitedForIsCancelledWithTheHandler) {
  EXPECT_EQ(node_.answer(node_.invoke("POST", "/calls", kTwo)).status(), 200);
  ASSERT_EQ(node_.calls.size(), 2U);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(1)].cancelled; }));
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(2)].cancelled; }));
}

TEST_P(CallsAtOnceTest, MayBeLookedAtAndWaitedForShortly) {
  const auto stream = begin(
      "start stock GET / 0\nwait 1 0\nwait 1 2\nstart catalogue GET / 0\n"
      "get 2\nwait 1 20000\nwait 1 0\nget 1\n",
      2);
  answer(2, "products");
  answer(1, std::string(600'000, 'x'));  // over the window: the wait gathers it
  EXPECT_TRUE(node_.answer(stream).body ==
              "1 not yet\n1 not yet\n2 200 products\n1 ready\n1 ready\n1 200 " +
                  std::string(600'000, 'x') + "\n");
}

TEST_P(CallsAtOnceTest, AllEndAtTheDeadline) {
  protocol::Invoke head;
  head.set_method("POST");
  head.set_path("/calls");
  head.set_deadline_us(20'000);
  const auto stream = node_.invoke(head, std::string(kTwo) + "wait 2 60000\nget 1\n", true);
  EXPECT_EQ(node_.answer(stream).status(), 504);
  ASSERT_EQ(node_.calls.size(), 2U);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(1)].cancelled; }));
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(2)].cancelled; }));
}

TEST_P(CallsAtOnceTest, AllEndWhenTheClientLeaves) {
  const auto stream = begin(std::string(kTwo) + "get 2\n", 2);
  node_.cancel(stream);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(1)].cancelled; }));
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call(2)].cancelled; }));
  EXPECT_TRUE(node_.wait([&] { return !node_.streams().is_open(stream); }));
}

TEST_P(CallsAtOnceTest, MoreThanTheProtocolAllowsAreRefusedAndThePodLivesOn) {
  std::string steps;
  for (int i = 0; i < 1025; ++i) steps += "start stock GET / 0\n";
  const auto stream = node_.invoke("POST", "/calls", steps);
  const auto& answer = node_.answer(stream);
  EXPECT_EQ(answer.status(), 502);
  EXPECT_THAT(answer.body, HasSubstr("too-many-requests"));
  EXPECT_EQ(node_.calls.size(), 1024U);
  EXPECT_EQ(node_.breach, "");
  for (std::size_t i = 1; i <= 1024; ++i) node_.cancel(call(i));
  EXPECT_EQ(node_.get("/setting/none").status(), 404);
}

}  // namespace
}  // namespace subito::sdk
