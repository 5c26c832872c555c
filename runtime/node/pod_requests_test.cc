#include "runtime/node/pod_requests.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "runtime/node/fake_pod.h"
#include "runtime/node/heads.h"

namespace subito::node {
namespace {

using protocol::FrameType;

// "echo" may call "stock"; a pod of echo runs an invocation on stream `parent`.
class PodRequestsTest : public EngineFixture, public testing::Test {
 protected:
  PodRequestsTest()
      : dialer(loop), requests(engine, dialer, breakers, [this](const std::string& name) {
          const auto it = names.find(name);
          return it == names.end() ? FunctionId() : it->second;
        }) {
    engine.set_request_handler(requests);
    manifest::FunctionSpec spec = plain_spec();
    spec.add_calls("stock");
    spec.add_calls("nowhere");
    manifest::Binding* binding = spec.add_bindings();
    binding->set_name("away");
    binding->mutable_tcp()->set_address("unix:/nonexistent/socket");
    binding = spec.add_bindings();
    binding->set_name("silent");
    binding->mutable_tcp()->set_address("127.0.0.1:" + std::to_string(listen_silently()));
    put("echo", spec, 2);
    put("stock", plain_spec());
    caller_pod = &warm_pod();
    invoke(2);
    parent = caller_pod->expect_invoke().header.stream;
  }

  // A port whose backlog of 0 is full: the kernel drops what comes (listen(2)).
  std::uint16_t listen_silently() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    for (UniqueFd& fd : sockets) {
      fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }
    EXPECT_EQ(::bind(sockets[0].get(), any, size), 0);
    EXPECT_EQ(::listen(sockets[0].get(), 0), 0);
    EXPECT_EQ(::getsockname(sockets[0].get(), any, &size), 0);
    for (std::size_t i = 1; i < sockets.size(); ++i) ::connect(sockets[i].get(), any, size);
    return ntohs(address.sin_port);
  }

  void connect_silent(std::uint32_t stream) {
    protocol::Connect head;
    head.set_binding("silent");
    caller_pod->send(FrameType::kConnect, stream, head, "", true);
    settle();
  }

  void call(std::uint32_t stream, const std::string& function, const std::string& body = {}) {
    protocol::Call head;
    head.set_invocation(parent);
    head.set_function(function);
    head.set_method("POST");
    head.set_path("/reservations");
    caller_pod->send(FrameType::kCall, stream, head, body, true);
    settle();
  }

  // The pod of stock that the caller's invocation calls.
  FakePod& called() {
    call(2, "stock");
    FakePod& stock = home->pod(home->pods.size() - 1);
    stock.hello();
    settle();
    return stock;
  }

  protocol::Result refusal() {
    const auto frames = caller_pod->read();
    EXPECT_EQ(frames.size(), 1U);
    return frames.empty() ? protocol::Result() : frames[0].parse<protocol::Result>();
  }

  std::array<UniqueFd, 4> sockets;
  bindings::Dialer dialer;
  std::vector<std::string> told;  // of breakers
  CallBreakers breakers{
      [this](const std::string& of, const std::string& reason, const std::string& message) {
        told.push_back(of + " " + reason + " " + message);
      }};
  PodRequests requests;
  FakePod* caller_pod = nullptr;
  std::uint32_t parent = 0;
};

TEST_F(PodRequestsTest, BringsACallToTheOtherFunctionAndItsAnswerBack) {
  call(2, "stock", "one anvil");
  ASSERT_EQ(home->pods.size(), 2U);
  FakePod& stock = home->pod(1);
  stock.hello();
  settle();
  std::string body;
  std::uint32_t stream = 0;
  for (const auto& frame : stock.read()) {
    if (frame.header.type != FrameType::kInvoke && frame.header.type != FrameType::kBody) continue;
    stream = frame.header.stream;
    body += frame.body;
    if (frame.header.type != FrameType::kInvoke) continue;
    EXPECT_EQ(frame.parse<protocol::Invoke>().request_id(), "r2") << "the request id goes along";
    EXPECT_EQ(frame.parse<protocol::Invoke>().depth(), 1U);
  }
  EXPECT_EQ(body, "one anvil");
  stock.answer(stream, 201, "reserved");
  settle();
  const auto frames = caller_pod->read();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].header.stream, 2U);
  EXPECT_EQ(frames[0].parse<protocol::Result>().status(), 201U);
  EXPECT_EQ(frames[0].body, "reserved");
}

TEST_F(PodRequestsTest, RefusesACallThatTheSpecDoesNotList) {
  call(2, "payment");
  const protocol::Result result = refusal();
  EXPECT_EQ(result.failure().type(), "forbidden");
  EXPECT_NE(result.failure().message().find("spec.calls"), std::string::npos);
}

TEST_F(PodRequestsTest, RefusesACallToThePathOfATrigger) {
  manifest::FunctionSpec spec = plain_spec();
  spec.add_triggers()->set_path("/reservations");
  put("stock", spec, 2);
  call(2, "stock");
  const protocol::Result result = refusal();
  EXPECT_EQ(result.status(), 403U);
  EXPECT_EQ(result.failure().type(), "trigger-path");
  EXPECT_EQ(home->pods.size(), 1U) << "nobody was woken";
}

// Calls of echo to stock, whose breaker opens after one failure.
class BreakerTest : public PodRequestsTest {
 protected:
  BreakerTest() { put_breaker(0); }

  void put_breaker(std::int64_t slow_ms) {
    Revision revision;
    revision.name = "echo";
    manifest::Breaker& breaker = *revision.manifest.mutable_spec()->add_breakers();
    breaker.set_call("stock");
    breaker.set_failures(1);
    breaker.set_failure_rate(1);
    breaker.set_window_ms(10'000);
    breaker.set_open_ms(3'600'000);
    breaker.set_probes(1);
    breaker.set_slow_ms(slow_ms);
    breakers.put(revision);
  }
  api::BreakerView view() { return breakers.views("echo", engine.now(), 0).at(0); }
};

TEST_F(BreakerTest, WhileItIsOpenNothingIsInvoked) {
  FakePod& stock = called();
  stock.answer(stock.expect_invoke().header.stream, 503, "no");
  settle();
  EXPECT_EQ(refusal().status(), 503U) << "an answer, if one of a failure";
  EXPECT_EQ(view().state, api::BreakerState::kOpen);
  const std::size_t invocations = engine.invocations();
  call(4, "stock");
  const protocol::Result result = refusal();
  EXPECT_EQ(result.failure().type(), "circuit-open");
  EXPECT_NE(result.failure().message().find("it answered 503"), std::string::npos);
  EXPECT_EQ(engine.invocations(), invocations);
  EXPECT_TRUE(stock.read().empty());
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(BreakerTest, APodThatDiesIsAFailure) {
  FakePod& stock = called();
  stock.expect_invoke();
  home->exit(stock, pods::PodExit::Cause::kSignalled, 9);
  settle();
  EXPECT_EQ(refusal().failure().type(), "pod-died");
  EXPECT_EQ(view().state, api::BreakerState::kOpen);
}

TEST_F(BreakerTest, AnAnswerThatBreaksOffIsAFailure) {
  FakePod& stock = called();
  stock.answer(stock.expect_invoke().header.stream, 200, "half", false);
  settle();
  EXPECT_EQ(view().calls, 0U) << "it is not over";
  home->exit(stock, pods::PodExit::Cause::kSignalled, 9);
  settle();
  EXPECT_EQ(view().last_failure, "unavailable: its answer broke off");
  EXPECT_EQ(view().state, api::BreakerState::kOpen);
}

TEST_F(BreakerTest, WhatItsCallerGivesUpTellsNothing) {
  FakePod& stock = called();
  const auto stream = stock.expect_invoke().header.stream;
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  settle();
  stock.answer(stream, 503, "no");
  settle();
  EXPECT_EQ(view().calls, 0U);
  call(4, "stock");
  home->exit(*caller_pod, pods::PodExit::Cause::kSignalled, 9);
  settle();
  EXPECT_EQ(view().calls, 0U);
  EXPECT_EQ(view().state, api::BreakerState::kClosed);
}

TEST_F(BreakerTest, WhatItsCallerGivesUpAfterTooLongIsAFailure) {
  put_breaker(5);
  called().expect_invoke();
  let_pass(std::chrono::milliseconds(5));
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  settle();
  EXPECT_EQ(view().state, api::BreakerState::kOpen);
  EXPECT_EQ(view().last_failure.find("it had not answered after "), 0U) << view().last_failure;
}

// An answer that has begun is not slow, however long the rest takes.
TEST_F(BreakerTest, HowLongAnAnswerTakesIsNoMatterOnceItHasBegun) {
  put_breaker(1'000);
  FakePod& stock = called();
  stock.answer(stock.expect_invoke().header.stream, 200, "half", false);
  settle();
  let_pass(std::chrono::milliseconds(1'000));
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  settle();
  EXPECT_EQ(view().failures, 0U) << view().last_failure;
}

TEST_F(PodRequestsTest, RefusesACallToAFunctionThatIsNotThere) {
  call(2, "nowhere");
  EXPECT_EQ(refusal().failure().type(), "not-found");
}

constexpr std::size_t kLongNameBytes = 65'500;

TEST_F(PodRequestsTest, RefusesACallToANameTooLongToRepeat) {
  call(2, std::string(kLongNameBytes, 'a'));
  const protocol::Result result = refusal();
  EXPECT_EQ(result.failure().type(), "forbidden");
  EXPECT_LE(result.failure().message().size(), kFailureTextBytesMax);
  EXPECT_NE(result.failure().message().find("aaaa..."), std::string::npos);
  EXPECT_NE(result.failure().message().find("spec.calls"), std::string::npos);
}

TEST_F(PodRequestsTest, RefusesABindingWithANameTooLongToRepeat) {
  protocol::Connect head;
  head.set_binding(std::string(kLongNameBytes, 'a'));
  caller_pod->send(FrameType::kConnect, 2, head, "", true);
  settle();
  const std::string error = caller_pod->read().at(0).parse<protocol::Connected>().error();
  EXPECT_LE(error.size(), kFailureTextBytesMax);
  EXPECT_NE(error.find("spec.bindings"), std::string::npos);
}

TEST_F(PodRequestsTest, CutsALongFailureOfTheNodesOwn) {
  EXPECT_EQ(cut_failure_text(std::string(100'000, 'x')).size(), kFailureTextBytesMax);
  EXPECT_EQ(cut_failure_text("short"), "short");
}

TEST_F(PodRequestsTest, KillsAPodWhoseCallHttpDoesNotAllow) {
  const auto call_of = [this](const std::string& method, const std::string& path) {
    protocol::Call head;
    head.set_invocation(parent);
    head.set_function("stock");
    head.set_method(method);
    head.set_path(path);
    return head;
  };
  std::vector<protocol::Call> bad = {call_of("", "/"), call_of("GET /", "/"), call_of("GET", ""),
                                     call_of("GET", "x"), call_of("GET", "/\r\nx: y")};
  for (const auto& [name, value] : {std::pair("", "v"), {"a b", "v"}, {"x", "1\r\ny: 2"}}) {
    protocol::Header* header = bad.emplace_back(call_of("GET", "/")).add_headers();
    header->set_name(name);
    header->set_value(value);
  }
  for (const protocol::Call& head : bad) {
    const auto parsed = parse_call(head);
    ASSERT_FALSE(parsed) << head.method() << " " << head.path();
    EXPECT_EQ(parsed.error().code, ErrorCode::kProtocol);
  }
  caller_pod->send(FrameType::kCall, 2, bad[0], "", true);
  settle();
  EXPECT_EQ(home->killed, std::vector<PodId>{caller_pod->spec.id});
  EXPECT_EQ(home->pods.size(), 1U) << "nothing was called";
}

TEST_F(PodRequestsTest, CancelsTheCallWhenTheCallerGivesItUp) {
  call(2, "stock");
  FakePod& stock = home->pod(1);
  stock.hello();
  settle();
  stock.read_all();
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  settle();
  bool cancelled = false;
  for (const auto& frame : stock.read()) cancelled |= frame.header.type == FrameType::kCancel;
  EXPECT_TRUE(cancelled);
}

// The one gives the call up in the same turn in which the other answers it.
TEST_F(PodRequestsTest, SwallowsTheAnswerToACallThatWasGivenUpInTheSameTurn) {
  FakePod& stock = called();
  const std::uint32_t stream = stock.expect_invoke().header.stream;
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  stock.answer(stream, 200, "be", false);
  stock.body(stream, "gun", true);
  settle();
  EXPECT_EQ(engine.invocations(), 1U) << "the parent";
  EXPECT_TRUE(home->killed.empty()) << "the pod did nothing wrong";
}

TEST_F(PodRequestsTest, SwallowsTheRestOfTheAnswerToACallThatWasGivenUpInTheSameTurn) {
  FakePod& stock = called();
  const std::uint32_t stream = stock.expect_invoke().header.stream;
  stock.answer(stream, 200, "begun", false);
  settle();
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  stock.body(stream, "the rest", true);
  settle();
  EXPECT_EQ(engine.invocations(), 1U) << "the parent";
  EXPECT_TRUE(home->killed.empty()) << "the pod did nothing wrong";
}

TEST_F(PodRequestsTest, RefusesACallThatGoesRound) {
  manifest::FunctionSpec spec = plain_spec();
  spec.add_calls("echo");
  spec.add_calls("stock");
  put("stock", spec, 2);
  FakePod& stock = called();
  const std::uint32_t stream = stock.expect_invoke().header.stream;
  for (const auto& [name, chain] : {std::pair("echo", "echo > stock > echo goes round"),
                                    std::pair("stock", "echo > stock > stock goes round")}) {
    protocol::Call head;
    head.set_invocation(stream);
    head.set_function(name);
    head.set_method("GET");
    head.set_path("/");
    stock.send(FrameType::kCall, name == std::string("echo") ? 2 : 4, head, "", true);
    settle();
    const auto frames = stock.read();
    ASSERT_EQ(frames.size(), 1U) << name;
    const auto result = frames[0].parse<protocol::Result>();
    EXPECT_EQ(result.status(), 508U);
    EXPECT_EQ(result.failure().type(), "call-cycle");
    EXPECT_NE(result.failure().message().find(chain), std::string::npos)
        << result.failure().message();
  }
}

// What the caller's channel takes at once is at most this much more.
constexpr std::size_t kChannelBytes = 2 << 20;

TEST_F(PodRequestsTest, GivesACallUpWhenThePodLeavesTooManyAnswersUnread) {
  manifest::FunctionSpec spec = plain_spec();
  spec.set_concurrency(200);
  put("stock", spec, 2);
  constexpr std::uint32_t kCalls =
      (kPendingAnswerBytesMax + kChannelBytes) / protocol::kInitialWindowBytes + 20;
  for (std::uint32_t i = 1; i <= kCalls; ++i) call(2 * i, "stock");
  ASSERT_EQ(home->pods.size(), 2U);
  FakePod& stock = home->pod(1);
  stock.hello();
  settle();
  std::vector<std::uint32_t> streams;
  for (const auto& frame : stock.read()) {
    if (frame.header.type == FrameType::kInvoke) streams.push_back(frame.header.stream);
  }
  ASSERT_EQ(streams.size(), kCalls);
  const std::string part(protocol::kBodyBytesMax, 'x');
  for (const std::uint32_t stream : streams) {
    stock.answer(stream, 200, part, false);
    for (int parts = 1; parts < 4; ++parts) {
      settle();
      stock.body(stream, part, parts == 3);
    }
    settle();
  }
  EXPECT_TRUE(home->killed.empty()) << "a pod that reads slowly does nothing wrong";
  std::size_t whole = 0;
  std::size_t given_up = 0;
  for (int turn = 0; turn < 200; ++turn) {
    for (const auto& frame : caller_pod->read()) {
      if (frame.header.type == FrameType::kResult && frame.header.end()) {
        EXPECT_EQ(frame.parse<protocol::Result>().failure().type(), "unavailable");
        ++given_up;
      } else if (frame.header.type == FrameType::kCancel) {
        ++given_up;
      } else if (frame.header.end()) {
        ++whole;
      }
    }
    settle();
  }
  EXPECT_EQ(whole + given_up, kCalls);
  EXPECT_GE(given_up, 20U);
  EXPECT_GE(whole, kPendingAnswerBytesMax / protocol::kInitialWindowBytes);
  EXPECT_EQ(engine.invocations(), 1U) << "the parent";
  call(2 * kCalls + 2, "stock");
  stock.answer(stock.expect_invoke().header.stream, 200, "room again");
  settle();
  EXPECT_EQ(caller_pod->read().at(0).body, "room again");
}

TEST_F(PodRequestsTest, AbandonsTheCallsOfAPodThatDied) {
  call(2, "stock");
  FakePod& stock = home->pod(1);
  stock.hello();
  settle();
  stock.read_all();
  home->exit(*caller_pod, pods::PodExit::Cause::kSignalled, 9);
  settle();
  bool cancelled = false;
  for (const auto& frame : stock.read()) cancelled |= frame.header.type == FrameType::kCancel;
  EXPECT_TRUE(cancelled);
}

TEST_F(PodRequestsTest, SaysWhyABindingCannotBeConnected) {
  protocol::Connect head;
  head.set_binding("away");
  caller_pod->send(FrameType::kConnect, 2, head, "", true);
  for (int i = 0; i < 50; ++i) loop.turn(false);
  const auto frames = caller_pod->read();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].header.type, FrameType::kConnected);
  EXPECT_NE(frames[0].parse<protocol::Connected>().error().find("away"), std::string::npos);
}

TEST_F(PodRequestsTest, NoLongerDialsForAPodThatHasChangedItsMind) {
  connect_silent(2);
  connect_silent(4);
  EXPECT_EQ(dialer.in_flight(), 2U);
  caller_pod->send(FrameType::kCancel, 2, protocol::Cancel());
  settle();
  EXPECT_EQ(dialer.in_flight(), 1U);
}

TEST_F(PodRequestsTest, NoLongerDialsForAPodThatIsGone) {
  connect_silent(2);
  connect_silent(4);
  home->exit(*caller_pod, pods::PodExit::Cause::kSignalled, 9);
  settle();
  EXPECT_EQ(dialer.in_flight(), 0U);
}

TEST_F(PodRequestsTest, RefusesABindingThatTheSpecDoesNotList) {
  protocol::Connect head;
  head.set_binding("database");
  caller_pod->send(FrameType::kConnect, 2, head, "", true);
  settle();
  EXPECT_NE(caller_pod->read().at(0).parse<protocol::Connected>().error().find("spec.bindings"),
            std::string::npos);
}

}  // namespace
}  // namespace subito::node
