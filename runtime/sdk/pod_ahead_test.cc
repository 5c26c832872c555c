// What a pod of concurrency 1 does with the invocations that it gets ahead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/sdk/channel.h"
#include "runtime/sdk/fake_node.h"

namespace subito::sdk {
namespace {

using protocol::FrameType;
using testing::HasSubstr;
using testing::Not;

// How often its main thread has slept.
long sleeps_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  const std::string field = "voluntary_ctxt_switches:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stol(line.substr(field.size()));
  }
  return -1;
}

// Waits until its main thread sleeps. Who was just woken does not.
bool rests(pid_t pid) {
  const auto end = std::chrono::steady_clock::now() + FakeNode::kPatience;
  while (std::chrono::steady_clock::now() < end) {
    std::string text;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), text);
    if (text.find(") S ") != text.npos) return true;
    std::this_thread::yield();
  }
  return false;
}

// INVOKE, as the node would write it; the frame is booked as sent.
std::string invoke_frame(FakeNode& node, std::uint32_t stream, const std::string& path) {
  protocol::Invoke head;
  head.set_method("GET");
  head.set_path(path);
  std::string out;
  EXPECT_TRUE(protocol::append_frame(out, FrameType::kInvoke, stream, head, {}, true));
  node.streams().sent({FrameType::kInvoke, protocol::kFlagEnd, stream, 0, 0});
  return out;
}

TEST(PodAheadTest, TakesSoManyAtOnceAndAnswersThemAllInOrder) {
  FakeNode node("echo");
  std::vector<std::uint32_t> streams;
  for (std::uint32_t i = 0; i < 1 + kAheadMax; ++i) {
    streams.push_back(node.invoke("POST", "/", std::to_string(i)));
  }
  for (std::size_t i = streams.size(); i-- > 0;) {
    EXPECT_EQ(node.answer(streams[i]).body, std::to_string(i));
    for (std::size_t before = 0; before < i; ++before) {
      EXPECT_TRUE(node.answers[streams[before]].ended) << "the last one began before " << before;
    }
  }
  ASSERT_TRUE(node.hello);
  EXPECT_EQ(node.hello->ahead(), kAheadMax);
}

TEST(PodAheadTest, TellsHowLongItsHandlerTook) {
  FakeNode node("echo");
  const auto& quick = node.get("/status/200");
  EXPECT_GE(quick.head->handler_us(), 1U);
  EXPECT_GE(node.get("/?burn_ms=5").head->handler_us(), 5000U);
  EXPECT_EQ(node.get("/?bytes=5").head->handler_us(), 0U) << "the answer is made later";
}

TEST(PodAheadTest, GivesBackWhatItHasNotBegunOnceItsHandlerWaits) {
  FakeNode node("echo");
  const auto waits = node.invoke("POST", "/", "half", false);
  const auto second = node.invoke("POST", "/", "second");
  const auto third = node.invoke("POST", "/", "third", false);
  EXPECT_TRUE(node.wait([&] { return node.answers[second].over() && node.answers[third].over(); }));
  EXPECT_TRUE(node.answers[second].cancelled);
  EXPECT_TRUE(node.answers[third].cancelled);
  node.cancel(third);  // as a node must: its own direction is open
  node.send_body(waits, " and half", true);
  EXPECT_EQ(node.answer(waits).body, "half and half");
  EXPECT_EQ(node.get("/status/204").status(), 204);
}

TEST(PodAheadTest, GivesBackWhatItHasNotBegunWhenItsHandlerLooksWhetherItIsCancelled) {
  FakeNode node("echo");
  const auto sleeps = node.invoke("GET", "/?sleep_ms=60000");
  const auto second = node.invoke("GET", "/status/200");
  EXPECT_TRUE(node.answer(second).cancelled);
  EXPECT_FALSE(node.answers[sleeps].over());
}

TEST(PodAheadTest, DoesNotBeginWhatWasCancelledMeanwhile) {
  FakeNode node("misbehave");
  std::string out = invoke_frame(node, 1, "/nothing");
  out += invoke_frame(node, 3, "/noise");
  protocol::append_frame(out, FrameType::kCancel, 3);
  node.streams().sent({FrameType::kCancel, 0, 3, 0, 0});
  node.send_raw(out);
  EXPECT_TRUE(node.wait([&] { return node.answers[3].over(); }));
  EXPECT_TRUE(node.answers[3].cancelled);
  node.close();
  node.wait_exit();
  EXPECT_THAT(node.printed(), Not(HasSubstr("printed")));
}

// The socket becomes writable when the node reads an answer: that is no reason to wake.
TEST(PodAheadTest, SleepsOnceForEachInvocation) {
  constexpr int kInvocations = 100;
  FakeNode node("echo");
  node.get("/status/200");
  ASSERT_TRUE(rests(node.pid()));
  const long before = sleeps_of(node.pid());
  for (int i = 0; i < kInvocations; ++i) {
    const auto stream = node.invoke("GET", "/status/200");
    ASSERT_TRUE(rests(node.pid()));
    EXPECT_EQ(node.answer(stream).status(), 200);
    ASSERT_TRUE(rests(node.pid()));
  }
  EXPECT_LE(sleeps_of(node.pid()) - before, kInvocations + kInvocations / 4);
}

}  // namespace
}  // namespace subito::sdk
