// The pod that was written from docs/pod-protocol.md alone, and the example of that page.
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <fstream>
#include <sstream>

#include "runtime/sdk/fake_node.h"

namespace subito::sdk {
namespace {

using protocol::FrameType;

TEST(PlainCPodTest, GreetsAndAnswers) {
  FakeNode node("plain-c");
  EXPECT_EQ(node.get("/hello").body, "hello from plain C\n");
  EXPECT_EQ(node.hello->sdk(), "plain C");
  EXPECT_EQ(node.get("/elsewhere").status(), 404);
  EXPECT_EQ(node.answer(node.invoke("POST", "/hello", "unread", false)).status(), 200);
  EXPECT_EQ(node.get("/hello").header("content-type"), "text/plain");
}

TEST(PlainCPodTest, PassesLargeBodiesBothWays) {
  FakeNode node("plain-c");
  const std::string large(10 << 20, 'c');
  const auto stream = node.invoke("POST", "/echo", {}, false);
  node.send_body(stream, large, true);
  EXPECT_EQ(node.answer(stream).body, large);
  EXPECT_LT(node.peak_memory_bytes(), 3U << 20);
}

TEST(PlainCPodTest, WaitsForItsWindow) {
  FakeNode node("plain-c");
  node.give_windows = false;
  const auto stream = node.invoke("POST", "/echo", {}, false);
  node.send_body(stream, std::string(500'000, 'c'), true);
  EXPECT_TRUE(node.wait([&] { return node.body_bytes == protocol::kInitialWindowBytes; }));
  EXPECT_FALSE(node.answers[stream].ended);
  protocol::Window window;
  window.set_bytes(node.streams().consumed(stream, protocol::kInitialWindowBytes));
  node.send(FrameType::kWindow, stream, window);
  EXPECT_TRUE(node.answer(stream).ended);
}

TEST(PlainCPodTest, LetsGoWhenItIsCancelled) {
  FakeNode node("plain-c");
  const auto stream = node.invoke("POST", "/echo", "half", false);
  node.cancel(stream);
  EXPECT_TRUE(node.wait([&] { return !node.streams().is_open(stream); }));
  EXPECT_EQ(node.get("/hello").status(), 200);
}

TEST(PlainCPodTest, DrainsAndEndsWithItsNode) {
  FakeNode node("plain-c");
  const auto stream = node.invoke("POST", "/echo", "a", false);
  node.send(FrameType::kDrain, 0, protocol::Drain());
  node.send_body(stream, "b", true);
  EXPECT_EQ(node.answer(stream).body, "ab");
  EXPECT_EQ(node.wait_exit(), 0);
  FakeNode other("plain-c");
  other.close();
  EXPECT_EQ(other.wait_exit(), 0);
}

TEST(PlainCPodTest, EndsWhenTheNodeBreaksTheProtocol) {
  FakeNode node("plain-c");
  node.send_raw(std::string(16, '\x07'));
  EXPECT_EQ(WEXITSTATUS(node.wait_exit()), 76);
  EXPECT_EQ(node.printed(), "the node broke the protocol: another version\n");
}

// The bytes of the page's code block number `index`.
std::string example_bytes(int index) {
  std::ifstream page(SUBITO_POD_PROTOCOL_PAGE);
  std::string line;
  std::string bytes;
  for (int fences = 0; std::getline(page, line);) {
    if (line.starts_with("```")) ++fences;
    if (fences != index * 2 + 1 || line.starts_with("```")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word && word.size() == 2 &&
                           word.find_first_not_of("0123456789abcdef") == std::string::npos;) {
      bytes += static_cast<char>(std::stoi(word, nullptr, 16));
    }
  }
  return bytes;
}

TEST(PodProtocolPageTest, TheWorkedExampleIsWhatTheCodecReads) {
  protocol::FrameParser parser;
  parser.feed(example_bytes(0));
  protocol::Config config;
  protocol::Invoke invoke;
  auto frame = *parser.next();
  ASSERT_TRUE(frame && protocol::parse_head(*frame, config));
  EXPECT_EQ(config.pod(), "echo-1");
  frame = *parser.next();
  ASSERT_TRUE(frame && protocol::parse_head(*frame, invoke));
  EXPECT_EQ(invoke.path(), "/hi");
  EXPECT_EQ(invoke.deadline_us(), 1'000'000U);
  EXPECT_EQ(frame->body, "hello");
  parser.feed(example_bytes(1));
  frame = *parser.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.type, FrameType::kHello);
  protocol::Result result;
  frame = *parser.next();
  ASSERT_TRUE(frame && protocol::parse_head(*frame, result));
  EXPECT_EQ(result.headers(0).value(), "text/plain");
  EXPECT_EQ(frame->body, "hi");
  EXPECT_EQ(parser.pending_bytes(), 0U);
}

}  // namespace
}  // namespace subito::sdk
