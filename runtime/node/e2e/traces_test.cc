// Traces from outside: what a receiver of OTLP gets of requests to the shop.
#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <map>

#include "runtime/node/e2e/live_node.h"
#include "runtime/node/e2e/otlp_receiver.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSpan[] = "00f067aa0ba902b7";

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string traceparent(const char* flags) {
  return std::string("00-") + kTrace + "-" + kSpan + "-" + flags;
}

class TracesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    node.start();
  }
  void deploy_shop() const {
    const Ran ran = node.cli({"deploy", "-f", SUBITO_SHOP_DIR, "--no-check"}, seconds(60));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    ASSERT_EQ(node.client().post("/seed", "").status, 200);
  }
  HttpResponse order(const char* flags) const {
    return node.client().request(
        "POST", "/orders", R"({"customer": "ada", "lines": [{"productId": "3", "quantity": 1}]})",
        {{"content-type", "application/json"},
         {"idempotency-key", std::string("traced-") + flags},
         {"traceparent", traceparent(flags)}});
  }
  // The span that was asked for from outside leaves last: then all of its trace is there.
  bool is_complete() const {
    for (const auto& received : receiver.spans(bytes_of(kTrace))) {
      if (received.span.parent_span_id() == bytes_of(kSpan)) return true;
    }
    return false;
  }

  OtlpReceiver receiver;
  LiveNode node{{"--traces", receiver.url(), "--trace-sample", "0"}};
};

TEST_F(TracesTest, ACheckoutIsOneConnectedTree) {
  deploy_shop();
  const HttpResponse answer = order("01");
  ASSERT_LT(answer.status, 300) << answer.body;
  ASSERT_TRUE(eventually([&] { return is_complete(); }));
  std::map<std::string, ReceivedSpan> by_id;
  for (const auto& received : receiver.spans(bytes_of(kTrace))) {
    EXPECT_TRUE(by_id.emplace(received.span.span_id(), received).second) << "an id twice";
  }
  int roots = 0, calls = 0, servers = 0, commands = 0, starts = 0, steps = 0;
  for (const auto& [id, received] : by_id) {
    const otlp::Span& span = received.span;
    SCOPED_TRACE(received.service + ": " + span.name());
    EXPECT_LE(span.start_time_unix_nano(), span.end_time_unix_nano());
    calls += span.name().starts_with("call ") ? 1 : 0;
    servers += span.kind() == 2 ? 1 : 0;
    commands += received.has("db.system.name") ? 1 : 0;
    starts += span.name() == "start" ? 1 : 0;
    steps += span.name() == "exec" || span.name() == "hello" ? 1 : 0;
    if (span.parent_span_id() == bytes_of(kSpan)) {
      ++roots;
      EXPECT_EQ(received.service, "checkout");
      continue;
    }
    const auto parent = by_id.find(span.parent_span_id());
    ASSERT_NE(parent, by_id.end()) << "an orphan";
    EXPECT_GE(span.start_time_unix_nano(), parent->second.span.start_time_unix_nano());
    EXPECT_LE(span.end_time_unix_nano(), parent->second.span.end_time_unix_nano());
  }
  EXPECT_EQ(roots, 1);
  EXPECT_GE(calls, 2);
  EXPECT_EQ(servers, calls + 1) << "a call without what it called";
  EXPECT_GE(commands, 2);
  EXPECT_GE(starts, 1);
  // Of the steps sandbox, exec and hello those that the request waited for.
  EXPECT_GE(steps, starts);
  EXPECT_LE(steps, 3 * starts);
}

TEST_F(TracesTest, WhatIsNotSampledSendsNothing) {
  node.deploy("echo", "echo");
  const HttpResponse answer =
      node.client().request("GET", "/function/echo", "", {{"traceparent", traceparent("00")}});
  ASSERT_EQ(answer.status, 200);
  ASSERT_EQ(node.client().get("/function/echo").status, 200);
  EXPECT_EQ(node.stop(), 0);
  EXPECT_TRUE(receiver.spans().empty());
}

TEST_F(TracesTest, WhatWaitsIsSentAtTheEndAndAReceiverThatIsBusyIsAskedAgain) {
  node.deploy("echo", "echo");
  receiver.refuse(1);
  ASSERT_EQ(node.client()
                .request("GET", "/function/echo", "", {{"traceparent", traceparent("01")}})
                .status,
            200);
  EXPECT_TRUE(eventually([&] { return is_complete(); }));
  ASSERT_EQ(node.client()
                .request("GET", "/function/echo/last", "", {{"traceparent", traceparent("01")}})
                .status,
            200);
  const std::size_t before = receiver.spans().size();
  EXPECT_EQ(node.stop(), 0);
  EXPECT_GT(receiver.spans().size(), before);
}

// Connections are made by the kernel, and nobody ever reads from them.
class SilentReceiver {
 public:
  SilentReceiver() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    listens_ = ::bind(fd_.get(), raw, size) == 0 && ::listen(fd_.get(), 8) == 0 &&
               ::getsockname(fd_.get(), raw, &size) == 0;
    port_ = ntohs(address.sin_port);
  }
  bool listens() const { return listens_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  UniqueFd fd_;
  bool listens_ = false;
  std::uint16_t port_ = 0;
};

TEST_F(TracesTest, AReceiverThatNeverAnswersHoldsNobodyUp) {
  EXPECT_EQ(node.stop(), 0);
  const SilentReceiver silent;
  ASSERT_TRUE(silent.listens());
  LiveNode alone({"--traces", silent.url(), "--trace-sample", "1"});
  alone.start();
  alone.deploy("echo", "echo");
  for (int i = 0; i < 600; ++i) EXPECT_EQ(alone.client().get("/function/echo").status, 200);
  EXPECT_EQ(alone.stop(), 0) << "within its bound";
}

TEST_F(TracesTest, AReceiverThatIsAwayHoldsNobodyUp) {
  EXPECT_EQ(node.stop(), 0);
  LiveNode alone({"--traces", "http://127.0.0.1:1", "--trace-sample", "1"});
  alone.start();
  alone.deploy("echo", "echo");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(alone.client().get("/function/echo").status, 200);
  EXPECT_EQ(alone.stop(), 0);
  EXPECT_THAT(alone.output(), HasSubstr("send traces: http://127.0.0.1:1/v1/traces: "));
}

}  // namespace
}  // namespace subito::e2e
