// Real function binaries, driven over their channel by a FakeNode: what a pod does with requests,
// bodies, cancellation, draining and faults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "runtime/sdk/fake_node.h"

namespace subito::sdk {
namespace {

using protocol::FrameType;
using testing::HasSubstr;
using testing::StartsWith;

protocol::Config with_concurrency(std::uint32_t concurrency) {
  protocol::Config config;
  config.set_concurrency(concurrency);
  return config;
}

TEST(PodTest, GreetsAndAnswers) {
  FakeNode node("echo");
  const auto& answer = node.answer(node.invoke("POST", "/a/b?x=1", "hello"));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("content-type"), "application/octet-stream");
  EXPECT_EQ(answer.head->content_length(), 5U);
  ASSERT_TRUE(node.hello);
  EXPECT_THAT(node.hello->sdk(), StartsWith("subito-sdk "));
  EXPECT_EQ(node.hello->build_id().size(), 40U);
}

TEST(PodTest, ArgumentsOfItsSpecAreTheFunctionsOwn) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--colour", "red"}, {"one"}, {"--help"}}) {
    FakeNode node("echo", {}, arguments);
    EXPECT_EQ(node.answer(node.invoke("POST", "/", "hello")).body, "hello") << arguments[0];
  }
}

TEST(PodTest, TellsTheHandlerWhatItIsAsked) {
  FakeNode node("echo");
  protocol::Invoke head;
  head.set_method("PUT");
  head.set_path("/caf%C3%A9/\xff");
  head.set_query("describe=1");
  head.set_request_id("r-7");
  auto* field = head.add_headers();
  field->set_name("x-shop");
  field->set_value("anvil \xfe");
  const auto& answer = node.answer(node.invoke(head, "", true));
  EXPECT_EQ(answer.body,
            "PUT /caf%C3%A9/\xff?describe=1\nx-shop: anvil \xfe\n"
            "function echo, pod echo-1, request r-7\n");
}

TEST(PodTest, ServesManyOneAfterTheOther) {
  FakeNode node("echo");
  for (int i = 0; i < 200; ++i) {
    const std::string body = std::to_string(i);
    EXPECT_EQ(node.answer(node.invoke("POST", "/", body)).body, body);
  }
  EXPECT_EQ(node.streams().open_streams(), 0U);
}

TEST(PodTest, AnswersHeadWithoutABody) {
  FakeNode node("echo");
  const auto& answer = node.answer(node.invoke("HEAD", "/?describe=1"));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_GT(answer.head->content_length(), 10U);
}

TEST(PodTest, HundredMegabytesPassBothWaysInConstantMemory) {
  constexpr std::uint64_t kBytes = 100 << 20;
  FakeNode node("echo");
  node.keep_bodies = false;
  const auto stream = node.invoke("POST", "/stream", {}, false);
  const std::string piece(1 << 20, 'z');
  for (std::uint64_t sent = 0; sent < kBytes; sent += piece.size()) {
    node.send_body(stream, piece, sent + piece.size() == kBytes);
  }
  EXPECT_TRUE(node.answer(stream).ended);
  EXPECT_EQ(node.body_bytes, kBytes);
  EXPECT_LT(node.peak_memory_bytes(), 12U << 20);
}

TEST(PodTest, ALargeAnswerWaitsForItsWindow) {
  FakeNode node("echo");
  node.give_windows = false;
  const auto stream = node.invoke("GET", "/?bytes=300000");
  EXPECT_TRUE(node.wait([&] { return node.body_bytes == protocol::kInitialWindowBytes; }));
  EXPECT_FALSE(node.answers[stream].ended);
  protocol::Window window;
  window.set_bytes(node.streams().consumed(stream, protocol::kInitialWindowBytes));
  node.send(FrameType::kWindow, stream, window);
  EXPECT_TRUE(node.answer(stream).ended);
  EXPECT_EQ(node.body_bytes, 300'000U);
}

TEST(PodTest, AnswersBeforeItHasTheWholeRequest) {
  FakeNode node("echo");
  const auto stream = node.invoke("POST", "/status/204", "the beginning", false);
  EXPECT_EQ(node.answer(stream).status(), 204);
  EXPECT_FALSE(node.streams().is_open(stream));
  EXPECT_EQ(node.get("/status/201").status(), 201);
}

TEST(PodTest, RefusesABodyThatIsTooLargeToHoldWhole) {
  FakeNode node("echo");
  const auto stream = node.invoke("POST", "/", {}, false);
  node.send_body(stream, std::string((16 << 20) + 1, 'x'), true);
  EXPECT_EQ(node.answer(stream).status(), 413);
}

TEST(PodTest, SeesACancelWhileItWaitsForTheBody) {
  FakeNode node("echo");
  const auto stream = node.invoke("POST", "/", "half", false);
  node.cancel(stream);
  EXPECT_TRUE(node.wait([&] { return !node.streams().is_open(stream); }));
  EXPECT_EQ(node.get("/status/200").status(), 200);
}

TEST(PodTest, SeesACancelWhileItWaitsForItsWindow) {
  FakeNode node("echo");
  node.give_windows = false;
  const auto stream = node.invoke("GET", "/?bytes=1000000");
  EXPECT_TRUE(node.wait([&] { return node.body_bytes == protocol::kInitialWindowBytes; }));
  node.cancel(stream);
  EXPECT_TRUE(node.wait([&] { return !node.streams().is_open(stream); }));
  EXPECT_EQ(node.get("/status/200").status(), 200);
}

TEST(PodTest, AHandlerCanAskWhetherItIsCancelled) {
  FakeNode node("echo");
  const auto stream = node.invoke("GET", "/?sleep_ms=60000");
  EXPECT_TRUE(node.wait([&] { return node.hello.has_value(); }));
  node.cancel(stream);
  EXPECT_TRUE(node.wait([&] { return !node.streams().is_open(stream); }));
}

TEST(PodTest, StopsAtItsDeadlineByItself) {
  FakeNode node("echo");
  protocol::Invoke head;
  head.set_method("POST");
  head.set_path("/");
  head.set_deadline_us(20'000);
  EXPECT_EQ(node.answer(node.invoke(head, "", false)).status(), 504);
}

TEST(PodTest, DrainEndsAnIdlePodWithStatusZero) {
  FakeNode node("echo");
  node.get("/");
  node.send(FrameType::kDrain, 0, protocol::Drain());
  EXPECT_EQ(node.wait_exit(), 0);
}

TEST(PodTest, DrainLetsTheRunningInvocationEnd) {
  FakeNode node("echo");
  const auto stream = node.invoke("POST", "/", "first ", false);
  node.send(FrameType::kDrain, 0, protocol::Drain());
  node.send_body(stream, "last", true);
  EXPECT_EQ(node.answer(stream).body, "first last");
  EXPECT_EQ(node.wait_exit(), 0);
}

TEST(PodTest, EndsWhenTheNodeIsGone) {
  FakeNode node("echo");
  node.invoke("POST", "/", "half", false);
  EXPECT_TRUE(node.wait([&] { return node.hello.has_value(); }));
  node.close();
  EXPECT_TRUE(WIFEXITED(node.wait_exit()));
}

TEST(PodTest, AnExceptionAnswers500AndThePodLivesOn) {
  FakeNode node("misbehave");
  const auto& answer = node.get("/throw/standard");
  EXPECT_EQ(answer.status(), 500);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, HasSubstr("internal-error"));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("anvil")));
  EXPECT_EQ(answer.head->failure().type(), "std::out_of_range");
  EXPECT_EQ(answer.head->failure().message(), "no such anvil");
  ASSERT_GT(answer.head->failure().backtrace_size(), 3);
  EXPECT_THAT(answer.head->failure().backtrace(0), StartsWith("0x4"));
  EXPECT_EQ(node.get("/throw/number").head->failure().type(), "int");
  EXPECT_EQ(node.get("/throw/http").status(), 418);
}

TEST(PodTest, AnAnswerThatBreaksOffIsCancelledAndLogged) {
  FakeNode node("misbehave");
  const auto& answer = node.get("/throw/late");
  EXPECT_EQ(answer.body, "half an answer");
  EXPECT_TRUE(answer.cancelled);
  EXPECT_FALSE(answer.ended);
  ASSERT_EQ(node.logs.size(), 1U);
  EXPECT_THAT(node.logs[0].message(), HasSubstr("and then nothing"));
}

struct Crash {
  const char* how;
  int signal;
  const char* says;
};

class CrashTest : public testing::TestWithParam<Crash> {};

TEST_P(CrashTest, IsReportedAndEndsByItsSignal) {
  FakeNode node("misbehave");
  const auto stream = node.invoke("GET", std::string("/crash/") + GetParam().how);
  EXPECT_FALSE(node.wait([&] { return node.answers[stream].over(); }));
  ASSERT_EQ(node.logs.size(), 1U);
  EXPECT_THAT(node.logs[0].message(), StartsWith(GetParam().says));
  EXPECT_GT(node.logs[0].backtrace_size(), 3);
  EXPECT_EQ(node.logs[0].signal(), static_cast<std::uint32_t>(GetParam().signal));
  EXPECT_EQ(node.logs[0].invocation(), stream);
  EXPECT_EQ(node.logs[0].level(), protocol::Log::ERROR);
  EXPECT_EQ(WTERMSIG(node.wait_exit()), GetParam().signal);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CrashTest,
                         testing::Values(Crash{"segv", SIGSEGV, "crashed: SIGSEGV at 0x10"},
                                         Crash{"abort", SIGABRT, "crashed: SIGABRT"},
                                         Crash{"terminate", SIGABRT, "crashed: SIGABRT"},
                                         Crash{"fpe", SIGFPE, "crashed: SIGFPE at 0x4"},
                                         Crash{"ill", SIGILL, "crashed: SIGILL at 0x4"},
                                         Crash{"overflow", SIGSEGV, "crashed: SIGSEGV at 0x7"}),
                         [](const auto& crash) { return std::string(crash.param.how); });

TEST(PodTest, AStackOverflowIsCalledByItsName) {
  for (const std::uint32_t concurrency : {1U, 4U}) {
    FakeNode node("misbehave", with_concurrency(concurrency));
    node.invoke("GET", "/crash/overflow");
    EXPECT_TRUE(node.wait([&] { return !node.logs.empty(); }));
    EXPECT_THAT(node.logs.at(0).message(), HasSubstr("(stack overflow)"));
  }
}

TEST(PodTest, RunsAsManyHandlersAsItIsToldTo) {
  constexpr std::uint32_t kMany = 8;
  FakeNode node("echo", with_concurrency(kMany));
  std::vector<std::uint32_t> streams;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    streams.push_back(node.invoke("POST", "/", "part ", false));
  }
  // All run at once: the last asked is the first answered.
  for (auto at = streams.rbegin(); at != streams.rend(); ++at) {
    node.send_body(*at, "whole", true);
    EXPECT_EQ(node.answer(*at).body, "part whole");
  }
  node.send(FrameType::kDrain, 0, protocol::Drain());
  EXPECT_EQ(node.wait_exit(), 0);
}

TEST(PodTest, WithThreadsToCancelReachesTheRightOne) {
  FakeNode node("echo", with_concurrency(4));
  const auto one = node.invoke("POST", "/", "", false);
  const auto two = node.invoke("POST", "/", "", false);
  node.cancel(one);
  EXPECT_TRUE(node.wait([&] { return !node.streams().is_open(one); }));
  node.send_body(two, "alive", true);
  EXPECT_EQ(node.answer(two).body, "alive");
}

TEST(PodTest, DrainWithThreadsWaitsForAllOfThem) {
  FakeNode node("echo", with_concurrency(4));
  const auto one = node.invoke("POST", "/", "1", false);
  const auto two = node.invoke("POST", "/", "2", false);
  node.send(FrameType::kDrain, 0, protocol::Drain());
  node.send_body(one, "a", true);
  EXPECT_EQ(node.answer(one).body, "1a");
  node.send_body(two, "b", true);
  EXPECT_EQ(node.answer(two).body, "2b");
  EXPECT_EQ(node.wait_exit(), 0);
}

TEST(PodTest, EndsWhenTheNodeBreaksTheProtocol) {
  FakeNode node("echo");
  node.get("/");
  node.send_raw(std::string(16, '\x05'));
  EXPECT_EQ(WEXITSTATUS(node.wait_exit()), 76);
  EXPECT_THAT(node.printed(),
              HasSubstr("the node broke the pod protocol: read frame: version 5 is not known"));
}

TEST(PodTest, EndsWhenTheNodeSendsMoreAtOnceThanItSaid) {
  FakeNode node("echo", with_concurrency(2));
  for (int i = 0; i < 3; ++i) node.invoke("POST", "/", "", false);
  EXPECT_EQ(WEXITSTATUS(node.wait_exit()), 76);
  EXPECT_THAT(node.printed(), HasSubstr("accept INVOKE: more than 2 at once"));
}

TEST(PodTest, APodThatBreaksTheProtocolIsFoundOut) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"/garbage", "read frame: version 238 is not known"},
      {"/frames/twice", "accept HELLO: there was one already"},
      {"/frames/unknown", "accept BODY: stream 99 was never opened"},
      {"/frames/flood", "accept BODY: body is over the window"}};
  for (const auto& [path, breach] : kinds) {
    FakeNode node("misbehave");
    node.give_windows = false;
    node.invoke("GET", path);
    node.wait([&] { return !node.breach.empty(); });
    EXPECT_EQ(node.breach, breach) << path;
  }
}

TEST(PodTest, StrayPrintsGoWhereTheNodeReadsThem) {
  FakeNode node("misbehave");
  EXPECT_EQ(node.get("/noise").body, "loud\n");
  node.close();
  node.wait_exit();
  EXPECT_EQ(node.printed(), "printed to standard output\nprinted to standard error\n");
}

}  // namespace
}  // namespace subito::sdk
