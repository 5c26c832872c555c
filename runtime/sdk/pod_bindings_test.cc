// What a pod asks of its node: calls, connections, Redis, settings and logs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "runtime/sdk/fake_node.h"
#include "runtime/sdk/redis_fixture.h"

namespace subito::sdk {
namespace {

using protocol::FrameType;
using testing::HasSubstr;

protocol::Config with_binding(const std::string& name, protocol::Binding::Kind kind) {
  protocol::Config config;
  auto* binding = config.add_bindings();
  binding->set_name(name);
  binding->set_kind(kind);
  if (kind == protocol::Binding::REDIS) binding->set_key_prefix("probe:");
  return config;
}

class CallTest : public testing::Test {
 protected:
  // The pod's CALL, once its request is there whole.
  std::uint32_t wait_for_call() {
    EXPECT_TRUE(node_.wait(
        [&] { return !node_.calls.empty() && node_.answers[node_.calls.back().first].over(); }));
    return node_.calls.empty() ? 0 : node_.calls.back().first;
  }

  FakeNode node_{"probe"};
};

TEST_F(CallTest, GoesThroughTheNodeAndComesBack) {
  const auto stream = node_.invoke("PUT", "/call/stock/items/7?deep=1", "take two");
  const auto call = wait_for_call();
  const protocol::Call& head = node_.calls.back().second;
  EXPECT_EQ(head.invocation(), stream);
  EXPECT_EQ(head.function(), "stock");
  EXPECT_EQ(head.method(), "PUT");
  EXPECT_EQ(head.path(), "/items/7");
  EXPECT_EQ(head.query(), "deep=1");
  EXPECT_EQ(head.content_length(), 8U);
  EXPECT_GT(head.deadline_us(), 1'000'000U);
  EXPECT_EQ(node_.answers[call].body, "take two");
  protocol::Result result;
  result.set_status(409);
  auto* field = result.add_headers();
  field->set_name("x-stock");
  field->set_value("none");
  node_.send(FrameType::kResult, call, result, "sold ", false);
  node_.send_body(call, "out", true);
  const auto& answer = node_.answer(stream);
  EXPECT_EQ(answer.status(), 409);
  EXPECT_EQ(answer.body, "sold out");
  EXPECT_EQ(answer.header("x-stock"), "none");
}

TEST_F(CallTest, CarriesLargeBodiesBothWays) {
  const std::string large(3 << 20, 'L');
  const auto stream = node_.invoke("POST", "/call/stock/", {}, false);
  node_.send_body(stream, large, true);
  const auto call = wait_for_call();
  EXPECT_EQ(node_.answers[call].body, large);
  protocol::Result result;
  result.set_status(200);
  node_.send(FrameType::kResult, call, result);
  node_.send_body(call, large, true);
  EXPECT_EQ(node_.answer(stream).body, large);
}

TEST_F(CallTest, AFailureOfTheNodeIsACallError) {
  const auto stream = node_.invoke("GET", "/call/nobody/");
  protocol::Result result;
  result.set_status(404);
  result.mutable_failure()->set_type("not-found");
  result.mutable_failure()->set_message("there is no function nobody");
  node_.send(FrameType::kResult, wait_for_call(), result, {}, true);
  const auto& answer = node_.answer(stream);
  EXPECT_EQ(answer.status(), 502);
  EXPECT_THAT(answer.body, HasSubstr("\"type\":\"not-found\""));
  EXPECT_THAT(answer.body, HasSubstr("call nobody: there is no function nobody"));
}

TEST_F(CallTest, AnAnswerBeforeTheRequestIsWholeIsTaken) {
  const auto stream = node_.invoke("POST", "/call/stock/", std::string(1 << 16, 'x'), false);
  node_.give_windows = false;  // the call's request gets stuck at one window
  node_.send_body(stream, std::string(1 << 20, 'x'), true);
  EXPECT_TRUE(node_.wait([&] { return !node_.calls.empty(); }));
  const auto call = node_.calls.back().first;
  protocol::Result result;
  result.set_status(413);
  node_.send(FrameType::kResult, call, result, "too much", true);
  EXPECT_EQ(node_.answer(stream).status(), 413);
  EXPECT_TRUE(node_.wait([&] { return !node_.streams().is_open(call); }));
}

TEST_F(CallTest, AnAnswerThatStreamsWhileItsRequestDoesIsTaken) {
  const std::string large(2 << 20, 'L');
  const auto stream = node_.invoke("POST", "/call/stock/", {}, false);
  node_.send_body(stream, large, true);
  ASSERT_TRUE(node_.wait([&] { return !node_.calls.empty(); }));
  const auto call = node_.calls.back().first;
  // The callee takes no more of the request before it is rid of its answer so far.
  node_.give_windows = false;
  protocol::Result result;
  result.set_status(200);
  node_.send(FrameType::kResult, call, result);
  node_.send_body(call, large, false);
  EXPECT_LT(node_.answers[call].body.size(), large.size());
  node_.give_windows = true;
  protocol::Window window;
  window.set_bytes(node_.streams().consumed(call, node_.answers[call].body.size()));
  node_.send(FrameType::kWindow, call, window);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call].over(); }));
  EXPECT_TRUE(node_.answers[call].body == large);
  node_.send_body(call, "end", true);
  EXPECT_TRUE(node_.answer(stream).body == large + "end");
}

TEST_F(CallTest, EndsWhenAnAnswerIsTooLargeBeforeItsRequestIsSent) {
  const auto stream = node_.invoke("POST", "/call/stock/", {}, false);
  node_.send_body(stream, std::string(1 << 20, 'L'), true);
  ASSERT_TRUE(node_.wait([&] { return !node_.calls.empty(); }));
  const auto call = node_.calls.back().first;
  node_.give_windows = false;
  protocol::Result result;
  result.set_status(200);
  node_.send(FrameType::kResult, call, result);
  node_.send_body(call, std::string((16 << 20) + 1, 'x'), false);
  EXPECT_THAT(node_.answer(stream).body, HasSubstr("answer-too-large"));
}

TEST_F(CallTest, EndsWithItsInvocation) {
  const auto stream = node_.invoke("GET", "/call/stock/slow");
  const auto call = wait_for_call();
  node_.cancel(stream);
  EXPECT_TRUE(node_.wait([&] { return node_.answers[call].cancelled; }));
  node_.cancel(call);
  EXPECT_TRUE(node_.wait([&] { return node_.streams().open_streams() == 0; }));
}

TEST(ConnectTest, HandsTheConnectedSocketToTheHandler) {
  FakeNode node("probe", with_binding("mail", protocol::Binding::TCP));
  const auto stream = node.invoke("POST", "/connect/mail", "HELO");
  ASSERT_TRUE(node.wait([&] { return !node.connects.empty(); }));
  EXPECT_EQ(node.connects.back().second.binding(), "mail");
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd ours(pair[0]);
  node.send_descriptor(node.connects.back().first, pair[1]);
  ::close(pair[1]);
  char greeting[5] = {};
  EXPECT_EQ(::recv(ours.get(), greeting, 4, MSG_WAITALL), 4);
  EXPECT_STREQ(greeting, "HELO");
  EXPECT_EQ(::send(ours.get(), "250 OK", 6, MSG_NOSIGNAL), 6);
  ::shutdown(ours.get(), SHUT_RDWR);
  EXPECT_EQ(node.answer(stream).body, "250 OK");
}

TEST(ConnectTest, TellsWhyTheFarEndIsAway) {
  FakeNode node("probe", with_binding("mail", protocol::Binding::TCP));
  const auto stream = node.invoke("POST", "/connect/mail", "HELO");
  ASSERT_TRUE(node.wait([&] { return !node.connects.empty(); }));
  protocol::Connected head;
  head.set_error("connect mail: Connection refused");
  node.send(FrameType::kConnected, node.connects.back().first, head, {}, true);
  EXPECT_EQ(node.answer(stream).head->failure().message(), "connect mail: Connection refused");
}

TEST(ConnectTest, AnUnknownBindingIsTheHandlersFault) {
  FakeNode node("probe");
  EXPECT_EQ(node.get("/redis/nothing/key").head->failure().type(), "std::out_of_range");
}

class RedisTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!redis_.available()) GTEST_SKIP() << "redis-server is not installed";
  }

  // Answers the pod's CONNECTs until the answer is there.
  const PodAnswer& answer(std::uint32_t stream) {
    node_.wait([&] {
      for (; !node_.connects.empty(); node_.connects.pop_front()) {
        const UniqueFd fd = redis_.connect();
        node_.send_descriptor(node_.connects.front().first, fd.get());
        ++dialled_;
      }
      return node_.answers[stream].over();
    });
    return node_.answer(stream);
  }

  RedisFixture redis_;
  FakeNode node_{"probe", with_binding("store", protocol::Binding::REDIS)};
  int dialled_ = 0;
};

TEST_F(RedisTest, KeepsItsConnectionFromOneInvocationToTheNext) {
  EXPECT_EQ(answer(node_.invoke("PUT", "/redis/store/greeting", "hello")).status(), 204);
  EXPECT_EQ(answer(node_.invoke("GET", "/redis/store/greeting")).body, "hello");
  EXPECT_EQ(answer(node_.invoke("GET", "/raw/store/probe:greeting")).body, "hello");
  EXPECT_EQ(answer(node_.invoke("GET", "/redis/store/missing")).status(), 404);
  EXPECT_EQ(answer(node_.invoke("POST", "/redis/store/n/incr")).body, "1");
  EXPECT_EQ(answer(node_.invoke("POST", "/redis/store/n/incr")).body, "2");
  EXPECT_EQ(dialled_, 1);
}

TEST_F(RedisTest, ReplacesAConnectionThatBroke) {
  EXPECT_EQ(answer(node_.invoke("POST", "/redis/store/n/incr")).body, "1");
  redis_.restart();
  EXPECT_EQ(answer(node_.invoke("POST", "/redis/store/n/incr")).body, "1");  // it kept nothing
  EXPECT_EQ(dialled_, 2);
}

TEST_F(RedisTest, AnErrorOfRedisIsAnException) {
  answer(node_.invoke("PUT", "/redis/store/word", "text"));
  const auto& failed = answer(node_.invoke("POST", "/redis/store/word/incr"));
  EXPECT_EQ(failed.head->failure().type(), "subito::RedisError");
  EXPECT_THAT(failed.head->failure().message(), HasSubstr("not an integer"));
}

TEST_F(RedisTest, ASilentServerIsLeftAtTheDeadlineAndNotUsedAgain) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd silent(pair[0]);
  protocol::Invoke head;
  head.set_method("GET");
  head.set_path("/redis/store/key");
  head.set_deadline_us(30'000);
  const auto stream = node_.invoke(head, "", true);
  ASSERT_TRUE(node_.wait([&] { return !node_.connects.empty(); }));
  node_.send_descriptor(node_.connects.front().first, pair[1]);
  ::close(pair[1]);
  node_.connects.clear();
  EXPECT_EQ(node_.answer(stream).status(), 504);
  EXPECT_EQ(answer(node_.invoke("PUT", "/redis/store/key", "v")).status(), 204);
}

TEST(PodContextTest, KnowsItsSettings) {
  protocol::Config config;
  (*config.mutable_settings())["colour"] = "red";
  FakeNode node("probe", config);
  EXPECT_EQ(node.get("/setting/colour").body, "red");
  EXPECT_EQ(node.get("/setting/size").status(), 404);
}

TEST(PodContextTest, LogsRecordsWithFields) {
  FakeNode node("probe");
  const auto stream = node.invoke("POST", "/log/warning", "low \xff stock");
  EXPECT_EQ(node.answer(stream).status(), 204);
  ASSERT_EQ(node.logs.size(), 1U);
  EXPECT_EQ(node.logs[0].message(), "low \xff stock");
  EXPECT_EQ(node.logs[0].level(), protocol::Log::WARNING);
  EXPECT_EQ(node.logs[0].invocation(), stream);
  EXPECT_EQ(node.logs[0].fields_json(), R"({"from":"probe","path":"/log/warning"})");
  EXPECT_GT(node.logs[0].unix_nanoseconds(), 1'600'000'000'000'000'000);
}

}  // namespace
}  // namespace subito::sdk
