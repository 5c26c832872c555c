// A gateway and an invoker on two loops, which a test turns by hand, both on its thread.
#include "runtime/gateway/remote_invoker.h"

#include <gtest/gtest.h>

#include <map>

#include "runtime/gateway/gateway.h"
#include "runtime/gateway/remote_caller.h"
#include "runtime/server/fake_server.h"

namespace subito::gateway {
namespace {

constexpr std::size_t kKiB = 1024;

struct Asked {
  Caller* caller = nullptr;
  CallerToken token = 0;
  Invocation invocation;
  std::string body;
  bool complete = false;
  int resumed = 0;
  int aborted = 0;
};

struct ScriptedInvoker final : Invoker {
  InvocationId invoke(Caller& caller, CallerToken token, Invocation&& invocation) override {
    asked.push_back({&caller, token, std::move(invocation), {}, false, 0, 0});
    return InvocationId(asked.size());
  }
  void body(InvocationId id, std::string_view bytes, bool end) override {
    at(id).body += bytes;
    at(id).complete = end;
  }
  void resume(InvocationId id) override { ++at(id).resumed; }
  void abort(InvocationId id) override { ++at(id).aborted; }
  Asked& at(InvocationId id) { return asked.at(id.value() - 1); }

  std::vector<Asked> asked;
};

struct Heard final : Caller {
  struct Outcome {
    int status = 0;
    std::string body;
    int ends = 0;
    bool aborted = false;
    std::size_t consumed = 0;
    std::string failure;
  };
  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override {
    of[token].status = answer.head.status;
    return on_answer_body(token, body, end);
  }
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override {
    of[token].body += bytes;
    of[token].ends += end ? 1 : 0;
    return !full;
  }
  void on_answer_abort(CallerToken token) override {
    of[token].aborted = true;
    ++of[token].ends;
  }
  void on_failure(CallerToken token, Failure&& failure) override {
    of[token].status = failure.status;
    of[token].failure = failure.type;
    ++of[token].ends;
  }
  void on_consumed(CallerToken token, std::size_t bytes) override { of[token].consumed += bytes; }

  std::map<CallerToken, Outcome> of;
  bool full = false;
};

struct TokenRight final : CallGuard {
  tl::expected<std::string, Refusal> admit(std::string_view function, const http::Fields& fields,
                                           const server::Peer& peer) override {
    asked = std::string(function) + " " + peer.address;
    const std::string* token = http::find_field(fields, kTokenField);
    if (token != nullptr && *token == "Bearer right") return "ci";
    return tl::unexpected<Refusal>(
        Refusal{401, "unauthorized", "no", {{"www-authenticate", "Bearer"}}});
  }
  std::string asked;
};

class RemoteInvokerTest : public testing::Test {
 protected:
  RemoteInvokerTest() { remote.end().connect(stub.end()); }

  void turn_both() {
    for (int i = 0; i < 4; ++i) {
      gateway_loop.turn(false);
      node_loop.turn(false);
    }
  }
  InvocationId ask(CallerToken token, bool body_follows = false) {
    Invocation invocation;
    invocation.function = FunctionId(7);
    invocation.body_follows = body_follows;
    return remote.invoke(heard, token, std::move(invocation));
  }
  static Answer answer_of(int status) {
    Answer answer;
    answer.head.status = status;
    return answer;
  }
  bool answer(std::size_t which, int status, const std::string& body, bool end) {
    const Asked& one = invoker.asked.at(which);
    return one.caller->on_answer(one.token, answer_of(status), body, end);
  }
  bool more(std::size_t which, const std::string& body, bool end = false) {
    const Asked& one = invoker.asked.at(which);
    return one.caller->on_answer_body(one.token, body, end);
  }

  Loop gateway_loop;
  Loop node_loop;
  InvocationLink link;
  ScriptedInvoker invoker;
  TokenRight guard;
  Heard heard;
  RemoteInvoker remote{gateway_loop, link};
  RemoteCaller stub{node_loop, link, invoker, guard};
};

TEST_F(RemoteInvokerTest, BringsInvocationsOverAndAnswersBack) {
  ask(1);
  ask(2);
  EXPECT_TRUE(invoker.asked.empty());
  turn_both();
  ASSERT_EQ(invoker.asked.size(), 2U);
  EXPECT_EQ(invoker.asked[0].invocation.function, FunctionId(7));
  answer(1, 202, "second", true);
  answer(0, 201, "first", true);
  EXPECT_EQ(heard.of[1].ends, 0);
  turn_both();
  EXPECT_EQ(heard.of[1].status, 201);
  EXPECT_EQ(heard.of[1].body, "first");
  EXPECT_EQ(heard.of[1].ends, 1);
  EXPECT_EQ(heard.of[2].body, "second");
}

TEST_F(RemoteInvokerTest, BodiesGoOverAndWhatWasConsumedComesBack) {
  const InvocationId id = ask(1, true);
  remote.body(id, "one ", false);
  turn_both();
  remote.body(id, "two", true);
  turn_both();
  EXPECT_EQ(invoker.asked[0].body, "one two");
  EXPECT_TRUE(invoker.asked[0].complete);
  invoker.asked[0].caller->on_consumed(invoker.asked[0].token, 7);
  turn_both();
  EXPECT_EQ(heard.of[1].consumed, 7U);
}

TEST_F(RemoteInvokerTest, AnInvokerIsToldToWaitUntilTheCallerHasTakenWhatIsAhead) {
  const InvocationId id = ask(1);
  turn_both();
  heard.full = true;
  EXPECT_TRUE(answer(0, 200, "", false));
  EXPECT_TRUE(more(0, std::string(kBodyWindowBytes - 1, 'x')));
  EXPECT_FALSE(more(0, "y"));
  turn_both();
  EXPECT_EQ(heard.of[1].body.size(), kBodyWindowBytes);
  EXPECT_EQ(invoker.asked[0].resumed, 0);
  heard.full = false;
  remote.resume(id);
  turn_both();
  EXPECT_EQ(invoker.asked[0].resumed, 1);
  // A caller that takes at once is told of in portions.
  for (int i = 0; i < 64; ++i) {
    more(0, std::string(16 * kKiB, 'z'));
    turn_both();
  }
  EXPECT_TRUE(more(0, "", true));
  turn_both();
  EXPECT_EQ(heard.of[1].ends, 1);
  EXPECT_EQ(invoker.asked[0].resumed, 1) << "it was never full again";
}

TEST_F(RemoteInvokerTest, WhatIsSaidOfOneThatWasGivenUpReachesNobody) {
  const InvocationId first = ask(1);
  turn_both();
  remote.abort(first);
  answer(0, 200, "late", true);  // crosses the abort
  const InvocationId second = ask(2);
  EXPECT_EQ(place_of(second), place_of(first));
  turn_both();
  EXPECT_EQ(heard.of.count(1), 0U);
  answer(1, 200, "mine", true);
  turn_both();
  EXPECT_EQ(heard.of[2].body, "mine");
  remote.body(first, "x", true);
  remote.resume(first);
  remote.abort(second);  // it is over
  turn_both();
  EXPECT_EQ(invoker.asked[0].aborted + invoker.asked[1].aborted, 0);
  const InvocationId third = ask(3);
  turn_both();
  remote.abort(third);
  turn_both();
  EXPECT_EQ(invoker.asked[2].aborted, 1);
}

TEST_F(RemoteInvokerTest, FailuresAndBrokenAnswersEndAnInvocation) {
  ask(1);
  ask(2);
  turn_both();
  Failure failure;
  failure.status = 429;
  failure.type = "queue-full";
  invoker.asked[0].caller->on_failure(invoker.asked[0].token, std::move(failure));
  answer(1, 200, "half", false);
  invoker.asked[1].caller->on_answer_abort(invoker.asked[1].token);
  turn_both();
  EXPECT_EQ(heard.of[1].failure, "queue-full");
  EXPECT_EQ(heard.of[2].body, "half");
  EXPECT_TRUE(heard.of[2].aborted);
}

TEST_F(RemoteInvokerTest, WhoFindsTheMailboxFullIsRefusedAndWhatIsUnderWayGoesOn) {
  const InvocationId open = ask(1, true);
  turn_both();
  for (std::size_t i = 0; i < kLinkMessagesMax; ++i) ask(100);
  const InvocationId given_up = ask(3);
  ask(2);
  remote.abort(given_up);
  remote.body(open, "a", false);
  remote.body(open, "b", true);
  const InvocationId late = ask(4);  // room or not: who comes now comes behind
  gateway_loop.turn(false);
  EXPECT_EQ(heard.of[2].failure, "node-busy");
  EXPECT_EQ(heard.of[2].status, 503);
  EXPECT_EQ(heard.of[4].ends, 1);
  EXPECT_EQ(heard.of.count(3), 0U);
  remote.abort(late);
  EXPECT_FALSE(invoker.asked[0].complete);
  turn_both();
  EXPECT_EQ(invoker.asked.size(), 1 + kLinkMessagesMax);
  EXPECT_EQ(invoker.asked[0].body, "ab");
  EXPECT_TRUE(invoker.asked[0].complete);
  ask(5);
  turn_both();
  EXPECT_EQ(invoker.asked.size(), 2 + kLinkMessagesMax);
}

TEST_F(RemoteInvokerTest, AnAbortThatFindsNoRoomComesLater) {
  const InvocationId open = ask(1);
  turn_both();
  for (std::size_t i = 0; i < kLinkMessagesMax; ++i) ask(100);
  remote.abort(open);
  turn_both();
  EXPECT_EQ(invoker.asked[0].aborted, 1);
}

TEST_F(RemoteInvokerTest, AnswersThatFindNoRoomComeLaterInOrder) {
  ask(1, true);
  ask(2);
  ask(3);
  ask(4);
  turn_both();
  answer(0, 200, "", false);
  std::string sent;
  for (std::size_t i = 0; i < 2 * kLinkMessagesMax; ++i) {
    sent += std::to_string(i);
    more(0, std::to_string(i));
    invoker.asked[0].caller->on_consumed(invoker.asked[0].token, 1);
  }
  answer(1, 201, "whole", true);
  answer(2, 202, "half", false);
  invoker.asked[2].caller->on_answer_abort(invoker.asked[2].token);
  invoker.asked[3].caller->on_failure(invoker.asked[3].token, Failure{});
  more(0, "", true);
  turn_both();
  EXPECT_EQ(heard.of[1].body, sent);
  EXPECT_EQ(heard.of[1].ends, 1);
  EXPECT_EQ(heard.of[1].consumed, 2 * kLinkMessagesMax);
  EXPECT_EQ(heard.of[2].body, "whole");
  EXPECT_EQ(heard.of[3].body, "half");
  EXPECT_TRUE(heard.of[3].aborted);
  EXPECT_EQ(heard.of[4].status, 500);
  ask(5);  // in a place that was used
  turn_both();
  EXPECT_EQ(invoker.asked.size(), 5U);
}

TEST_F(RemoteInvokerTest, AFunctionThatAsksForATokenIsAskedForBesideTheInvoker) {
  Gateway gateway(remote);
  server::FakeServer server(gateway);
  gateway.attach(server);
  Routes routes;
  routes.add_function("echo", FunctionId(7));
  gateway.set_routes(std::move(routes), {{FunctionId(7), "echo.shop"}});
  server.set_peer({"192.0.2.7", 1, false, {}});
  const auto refused = server.request("GET", "/function/echo");
  turn_both();
  EXPECT_EQ(guard.asked, "echo.shop 192.0.2.7");
  EXPECT_EQ(server.answer(refused).status, 401);
  EXPECT_EQ(server.answer(refused).field("www-authenticate"), "Bearer");
  EXPECT_TRUE(invoker.asked.empty());
  server.set_fields({{"authorization", "Bearer right"}, {"accept", "*/*"}});
  server.request("GET", "/function/echo");
  turn_both();
  ASSERT_EQ(invoker.asked.size(), 1U);
  EXPECT_EQ(invoker.asked[0].invocation.subject, "ci");
  EXPECT_EQ(invoker.asked[0].invocation.guarded_as, "");
  EXPECT_EQ(invoker.asked[0].invocation.fields, (http::Fields{{"accept", "*/*"}}));
}

}  // namespace
}  // namespace subito::gateway
