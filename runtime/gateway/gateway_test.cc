#include "runtime/gateway/gateway.h"

#include <gtest/gtest.h>

#include "runtime/server/fake_server.h"

namespace subito::gateway {
namespace {

using std::chrono::microseconds;

struct FakeInvoker final : Invoker {
  InvocationId invoke(Caller& by, CallerToken by_token, Invocation&& asked) override {
    caller = &by;
    token = by_token;
    invocation = std::move(asked);
    return InvocationId(++invocations);
  }
  void body(InvocationId, std::string_view bytes, bool end) override {
    received += bytes;
    complete = end;
  }
  void resume(InvocationId) override { ++resumed; }
  void abort(InvocationId) override { ++aborted; }

  Caller* caller = nullptr;
  CallerToken token = 0;
  Invocation invocation;
  std::uint64_t invocations = 0;
  std::string received;
  bool complete = false;
  int resumed = 0;
  int aborted = 0;
};

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() : gateway(invoker), server(gateway) {
    gateway.attach(server);
    gateway.set_routes(routes());
  }
  static Routes routes(const std::string& name = "echo") {
    Routes routes;
    routes.add_function(name, FunctionId(7));
    return routes;
  }

  // An answer of the function, whole.
  void answer(int status, const std::string& body) {
    Answer made;
    made.head.status = status;
    made.head.content_length = body.size();
    made.timing.start = microseconds(1050);
    made.timing.start_kind = "pooled";
    invoker.caller->on_answer(invoker.token, std::move(made), body, true);
  }

  FakeInvoker invoker;
  Gateway gateway;
  server::FakeServer server;
};

TEST_F(GatewayTest, InvokesTheFunctionOfThePathAndBringsItsAnswer) {
  const auto id = server.request("GET", "/function/echo/a/b?x=1");
  EXPECT_EQ(invoker.invocation.function, FunctionId(7));
  EXPECT_EQ(invoker.invocation.path, "/a/b");
  EXPECT_EQ(invoker.invocation.query, "x=1");
  answer(201, "made");
  EXPECT_EQ(server.answer(id).status, 201);
  EXPECT_EQ(server.answer(id).body, "made");
  EXPECT_EQ(server.answer(id).field("server-timing"),
            "queue;dur=0.000, start;desc=pooled;dur=1.050, handler;dur=0.000");
  EXPECT_EQ(server.answer(id).field("x-request-id"), invoker.invocation.request_id);
}

struct FakeGuard final : CallGuard {
  tl::expected<std::string, Refusal> admit(std::string_view function, const http::Fields& fields,
                                           const server::Peer& peer) override {
    asked.push_back(std::string(function) + " " + peer.address);
    const std::string* token = http::find_field(fields, "authorization");
    if (token != nullptr && *token == "Bearer right") return "ci";
    return tl::unexpected<Refusal>(
        Refusal{401, "unauthorized", "no", {{"www-authenticate", "Bearer"}}});
  }
  std::vector<std::string> asked;
};

TEST_F(GatewayTest, AFunctionThatAsksForATokenIsInvokedWithOneAlone) {
  FakeGuard guard;
  gateway.set_guard(guard);
  gateway.set_routes(routes(), {{FunctionId(7), "echo.shop"}});
  server.set_peer({"192.0.2.7", 1, false, {}});
  const auto refused = server.request("GET", "/function/echo");
  EXPECT_EQ(server.answer(refused).status, 401);
  EXPECT_EQ(server.answer(refused).field("www-authenticate"), "Bearer");
  EXPECT_EQ(invoker.invocations, 0U);
  EXPECT_FALSE(gateway.has(refused));
  server.set_fields({{"authorization", "Bearer right"}, {"accept", "*/*"}});
  server.request("GET", "/function/echo");
  EXPECT_EQ(invoker.invocation.subject, "ci");
  EXPECT_EQ(invoker.invocation.fields, (http::Fields{{"accept", "*/*"}}));
  EXPECT_EQ(guard.asked, (std::vector<std::string>{"echo.shop 192.0.2.7", "echo.shop 192.0.2.7"}));
}

TEST_F(GatewayTest, WithoutAGuardOfItsOwnItAsksTheInvokerToAsk) {
  gateway.set_routes(routes(), {{FunctionId(7), "echo.shop"}});
  server.set_fields({{"authorization", "Bearer right"}});
  server.request("GET", "/function/echo");
  EXPECT_EQ(invoker.invocation.guarded_as, "echo.shop");
  EXPECT_EQ(invoker.invocation.fields, (http::Fields{{"authorization", "Bearer right"}}));
}

TEST_F(GatewayTest, RoutesThatArePublishedHoldFromTheNextRequestOn) {
  Published<const RouteTable> tables;
  gateway.follow(tables);
  EXPECT_EQ(server.answer(server.request("GET", "/function/new")).status, 404);
  tables.publish(std::make_shared<RouteTable>(RouteTable{routes("new"), {}}));
  server.request("GET", "/function/new");
  EXPECT_EQ(invoker.invocations, 1U);
  EXPECT_EQ(server.answer(server.request("GET", "/function/echo")).status, 404);
}

TEST_F(GatewayTest, OthersAreNotAskedForATokenAndSeeWhatTheClientSent) {
  FakeGuard guard;
  gateway.set_guard(guard);
  gateway.set_routes(routes(), {{FunctionId(8), "other"}});
  server.set_fields({{"authorization", "Basic eDp5"}});
  server.request("GET", "/function/echo");
  EXPECT_EQ(invoker.invocation.fields, (http::Fields{{"authorization", "Basic eDp5"}}));
  EXPECT_EQ(invoker.invocation.subject, "");
  EXPECT_TRUE(guard.asked.empty());
}

TEST_F(GatewayTest, KeepsAClientsRequestIdAndTraceAndReplacesBadOnes) {
  http::RequestHead head;
  head.method = "GET";
  head.path = "/function/echo";
  head.fields = {{"x-request-id", "mine-1"},
                 {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                 {"tracestate", "vendor=1"},
                 {"accept", "*/*"},
                 {"tracestate", "other=2"}};
  gateway.on_request(server::ExchangeId(50), http::RequestHead(head), true);
  EXPECT_EQ(invoker.invocation.request_id, "mine-1");
  EXPECT_EQ(invoker.invocation.traceparent.substr(3, 4), "4bf9");
  EXPECT_EQ(invoker.invocation.tracestate, "vendor=1,other=2");
  EXPECT_EQ(invoker.invocation.fields, (http::Fields{{"accept", "*/*"}}));

  head.fields = {{"x-request-id", "no spaces"}, {"traceparent", "bad"}, {"tracestate", "v=1"}};
  gateway.on_request(server::ExchangeId(51), std::move(head), true);
  EXPECT_TRUE(is_request_id(invoker.invocation.request_id));
  EXPECT_TRUE(traces::parse_traceparent(invoker.invocation.traceparent));
  EXPECT_EQ(invoker.invocation.tracestate, "") << "it belongs to the trace that was replaced";
}

TEST_F(GatewayTest, AnswersHealthByItself) {
  const auto id = server.request("GET", "/healthz");
  EXPECT_EQ(server.answer(id).status, 200);
  EXPECT_EQ(invoker.invocations, 0U);
}

TEST_F(GatewayTest, SaysThatThereIsNoSuchFunction) {
  const auto id = server.request("GET", "/function/ecco");
  EXPECT_EQ(server.answer(id).status, 404);
  EXPECT_EQ(server.answer(id).field("content-type"), "application/problem+json");
  EXPECT_NE(server.answer(id).body.find("the node answers: find function ecco: there is none"),
            std::string::npos);
  EXPECT_EQ(server.answer(id).field("proxy-status"), "subito; error=destination_not_found");
}

TEST_F(GatewayTest, TellsWhoAnswersAndNoFunctionCanClaimToBeTheNode) {
  const auto timed_out = server.request("GET", "/function/echo");
  Failure failure;
  failure.status = 504;
  failure.type = "deadline-exceeded";
  failure.detail = "the function did not answer within spec.timeout 30s";
  invoker.caller->on_failure(invoker.token, std::move(failure));
  EXPECT_EQ(server.answer(timed_out).field("proxy-status"), "subito; error=http_response_timeout");
  EXPECT_NE(server.answer(timed_out).body.find("\"the node answers: the function did not answer "),
            std::string::npos);

  const auto answered = server.request("GET", "/function/echo");
  Answer made;
  made.head.content_length = 0;
  made.head.fields = {{"proxy-status", "subito; error=http_response_timeout"}};
  invoker.caller->on_answer(invoker.token, std::move(made), "", true);
  EXPECT_EQ(server.answer(answered).field("proxy-status"), "");
}

TEST_F(GatewayTest, NamesAlsoTheAnswersThatTheServerGivesAndThoseWithoutAFunction) {
  const std::string name = gateway.request_id(server::ExchangeId());
  EXPECT_TRUE(is_request_id(name));
  EXPECT_NE(gateway.request_id(server::ExchangeId()), name);
  const auto id = server.begin("POST", "/function/echo");
  EXPECT_EQ(gateway.request_id(id), invoker.invocation.request_id);
  const auto lost = server.request("GET", "/function/ecco");
  EXPECT_TRUE(is_request_id(server.answer(lost).field("x-request-id")));
}

TEST_F(GatewayTest, NamesTheRequestInAnswersOfItsOwn) {
  for (const char* path : {"/healthz", "/function/ecco", "/function/echo/../x"}) {
    EXPECT_TRUE(is_request_id(server.answer(server.request("GET", path)).field("x-request-id")))
        << path;
  }
  http::RequestHead head;
  head.method = "GET";
  head.path = "/nowhere";
  head.fields = {{"x-request-id", "mine-1"}};
  gateway.on_request(server::ExchangeId(50), std::move(head), true);
  EXPECT_EQ(server.answer(server::ExchangeId(50)).field("x-request-id"), "mine-1");
}

TEST_F(GatewayTest, SaysOfWhatReachedNoPodOnlyHowLongItWaited) {
  Timing timing;
  timing.queue = microseconds(1500);
  EXPECT_EQ(server_timing(timing), "queue;dur=1.500");
  timing.start_kind = "warm";
  timing.handler = std::chrono::seconds(30);
  EXPECT_EQ(server_timing(timing),
            "queue;dur=1.500, start;desc=warm;dur=0.000, handler;dur=30000.000");
}

TEST_F(GatewayTest, RefusesAnAmbiguousPath) {
  EXPECT_EQ(server.answer(server.request("GET", "/function/echo/../x")).status, 400);
}

TEST_F(GatewayTest, PassesBodiesOnAndGivesTheServerItsWindowBack) {
  const auto id = server.request("POST", "/function/echo", "hello");
  EXPECT_TRUE(invoker.invocation.body_follows);
  EXPECT_EQ(invoker.received, "hello");
  EXPECT_TRUE(invoker.complete);
  invoker.caller->on_consumed(invoker.token, 5);
  EXPECT_EQ(server.answer(id).consumed, 5U);
}

TEST_F(GatewayTest, StreamsAnAnswerAndTellsWhenTheClientIsSlow) {
  const auto id = server.request("GET", "/function/echo");
  Answer made;
  invoker.caller->on_answer(invoker.token, std::move(made), "a", false);
  server.set_full(true);
  EXPECT_FALSE(invoker.caller->on_answer_body(invoker.token, "b", false));
  gateway.on_writable(id);
  EXPECT_EQ(invoker.resumed, 1);
  invoker.caller->on_answer_body(invoker.token, "c", true);
  EXPECT_EQ(server.answer(id).body, "abc");
  EXPECT_TRUE(server.answer(id).ended);
}

TEST_F(GatewayTest, GivesTheInvocationUpWhenTheClientLeaves) {
  const auto id = server.begin("POST", "/function/echo");
  gateway.on_abort(id);
  EXPECT_EQ(invoker.aborted, 1);
  gateway.on_abort(id);
  EXPECT_EQ(invoker.aborted, 1) << "once";
}

TEST_F(GatewayTest, TurnsAFailureIntoAProblemWithRetryAfterInWholeSeconds) {
  const auto id = server.request("GET", "/function/echo");
  Failure failure;
  failure.status = 429;
  failure.type = "queue-full";
  failure.retry_after = std::chrono::milliseconds(1200);
  invoker.caller->on_failure(invoker.token, std::move(failure));
  EXPECT_EQ(server.answer(id).status, 429);
  EXPECT_EQ(server.answer(id).field("retry-after"), "2");
  EXPECT_NE(server.answer(id).body.find("urn:subito:problem:queue-full"), std::string::npos);
}

TEST_F(GatewayTest, TellsOfRateLimitsInPlaceOfTheFunction) {
  server.set_peer({"192.0.2.7", 4711, false, {}});
  const auto id = server.request("GET", "/function/echo");
  EXPECT_EQ(invoker.invocation.client_address, "192.0.2.7");
  Answer made;
  made.head.status = 200;
  made.head.content_length = 0;
  made.head.fields.emplace_back("ratelimit", "\"own\";r=1");
  made.rate_fields = {"\"total\";q=1;w=1", "\"total\";r=0;t=1"};
  invoker.caller->on_answer(invoker.token, std::move(made), "", true);
  EXPECT_EQ(server.answer(id).field("ratelimit-policy"), "\"total\";q=1;w=1");
  EXPECT_EQ(server.answer(id).field("ratelimit"), "\"total\";r=0;t=1");
}

TEST_F(GatewayTest, ClosesTheConnectionWhenAnAnswerBreaksOff) {
  const auto id = server.request("GET", "/function/echo");
  invoker.caller->on_answer(invoker.token, Answer(), "half", false);
  invoker.caller->on_answer_abort(invoker.token);
  EXPECT_TRUE(server.answer(id).aborted);
}

TEST_F(GatewayTest, ReadsTheRestOfABodyAwayAfterTheAnswer) {
  const auto id = server.begin("POST", "/function/echo");
  answer(200, "enough");
  server.body_of_client(id, "more", true);
  EXPECT_EQ(server.answer(id).consumed, 4U);
  EXPECT_EQ(invoker.received, "");
}

}  // namespace
}  // namespace subito::gateway
