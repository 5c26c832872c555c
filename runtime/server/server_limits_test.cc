// Limits, deadlines and flow control.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "runtime/server/testing.h"

namespace subito::server {
namespace {

using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPostHead = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

const SeenRequest& first_request(TestServer& s) {
  EXPECT_TRUE(s.until([&] { return !s.handler.seen.empty(); }));
  return s.handler.seen.at(0);
}

TEST(DeadlineTest, AHeadThatTakesTooLongGets408EvenIfItDripsIn) {
  TestServer s;
  TestClient c = s.connect();
  c.send("GET / HTTP/1.1\r\n");
  s.advance(seconds(9));
  c.send("Host: a\r\n").expect_open();
  s.advance(seconds(2));
  c.expect(408).expect_closed();
}

TEST(DeadlineTest, AClientThatSaysNothingIsClosedSilently) {
  TestServer s;
  TestClient c = s.connect();
  s.settle();
  s.advance(seconds(11));
  c.expect_closed();
}

TEST(DeadlineTest, AnIdleConnectionStaysForTheIdleTimeout) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  c.send(kGet).expect(200, "hi");
  s.advance(seconds(74));
  c.expect_open().send(kGet).expect(200, "hi");
  s.advance(seconds(76));
  c.expect_closed();
}

TEST(DeadlineTest, ABodyThatComesSteadilyHasAllTheTimeItNeeds) {
  TestServer s;
  s.answer_all("at last");
  TestClient c = s.connect();
  const std::string piece(kBodyProgressBytes, 'x');
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(4 * piece.size()) +
         "\r\n\r\n");
  for (int i = 0; i < 4; ++i) {
    s.advance(seconds(29));
    c.expect_open().send(piece);
  }
  c.expect(200, "at last");
}

TEST(DeadlineTest, ABodyThatDripsInGets408) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kPostHead).send("abc");
  first_request(s);
  s.advance(seconds(29));
  c.send("d").expect_open();
  s.advance(seconds(2));
  c.expect(408).expect_closed();
  EXPECT_EQ(*http::find_field(c.head().fields, "x-request-id"), "of-exchange");
  EXPECT_TRUE(s.handler.seen.at(0).aborted);
}

TEST(DeadlineTest, TheHandlerMayTakeItsTime) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const SeenRequest& request = first_request(s);
  s.advance(std::chrono::hours(1));
  s.respond(request, 200, "at last");
  c.expect(200, "at last");
}

TEST(DeadlineTest, ABodyThatTheHandlerHoldsBackHasNoDeadline) {
  TestServer s;
  s.handler.consume = false;
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  const std::string body(1'000'000, 'x');
  c.send(body.substr(0, kRequestWindowBytes));
  ASSERT_TRUE(s.until([&] { return first_request(s).body.size() == kRequestWindowBytes; }));
  s.advance(std::chrono::hours(1));
  // From the moment on that it may come again, it must.
  s.server.consumed(s.handler.seen.at(0).id, kRequestWindowBytes);
  s.advance(seconds(29));
  EXPECT_FALSE(s.handler.seen.at(0).aborted);
  s.advance(seconds(2));
  EXPECT_TRUE(s.handler.seen.at(0).aborted);
}

TEST(DeadlineTest, AClientThatDoesNotReadIsDropped) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const ExchangeId id = first_request(s).id;
  s.server.respond(id, {}, std::string(32 << 20, 'x'), false);
  s.settle();
  s.advance(seconds(29));
  EXPECT_FALSE(s.handler.seen.at(0).aborted);
  s.advance(seconds(2));
  EXPECT_TRUE(s.handler.seen.at(0).aborted);
  EXPECT_EQ(s.server.connections(), 0U);
}

TEST(DeadlineTest, AClientThatReadsNextToNothingIsDroppedToo) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const ExchangeId id = first_request(s).id;
  s.server.respond(id, {}, std::string(32 << 20, 'x'), false);
  for (int i = 0; i < 4; ++i) {
    s.advance(seconds(9));
    c.read_some(10);
  }
  EXPECT_TRUE(s.handler.seen.at(0).aborted);
}

TEST(DeadlineTest, AClientThatReadsSteadilyStays) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const ExchangeId id = first_request(s).id;
  s.server.respond(id, {}, std::string(64 << 20, 'x'), false);
  for (int i = 0; i < 4; ++i) {
    s.advance(seconds(20));
    for (int n = 0; n < 100; ++n) {
      c.read_some(64 << 10);
      s.turn();
    }
  }
  EXPECT_FALSE(s.handler.seen.at(0).aborted);
}

TEST(LimitsTest, TooManyConnectionsGet503WithRetryAfter) {
  Limits limits;
  limits.connections_max = 2;
  TestServer s(limits);
  TestClient a = s.connect();
  TestClient b = s.connect();
  a.send(kGet);
  b.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 2; }));
  TestClient c = s.connect();
  c.send(kGet).expect(503).expect_closed();
  EXPECT_EQ(*http::find_field(c.head().fields, "x-request-id"), "new");
  EXPECT_NE(http::find_field(c.head().fields, "retry-after"), nullptr);
  c.leave();
  s.respond(s.handler.seen[0], 200, "hi");
  a.expect(200, "hi").leave();
  ASSERT_TRUE(s.until([&] { return s.server.connections() == 1; }));
  s.answer_all("hi");
  s.connect().send(kGet).expect(200, "hi");
}

TEST(LimitsTest, ConnectionsThatAskForNothingKeepNobodyOut) {
  Limits limits;
  limits.connections_max = 3;
  TestServer s(limits);
  TestClient busy = s.connect();
  busy.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 1; }));
  TestClient silent = s.connect();
  s.settle();
  s.advance(seconds(1));
  TestClient half = s.connect();
  half.send("GET / HT");
  s.settle();
  s.advance(seconds(1));
  TestClient honest = s.connect();
  honest.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 2; }));
  silent.expect_closed();
  half.expect_open();
  TestClient next = s.connect();
  next.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 3; }));
  half.expect_closed();
  busy.expect_open();
  s.connect().send(kGet).expect(503);
}

TEST(LimitsTest, ABodyOverItsLimitGets413) {
  Limits limits;
  limits.body_bytes_max = 9;
  TestServer s(limits);
  s.connect().send(kPostHead).expect(413).expect_closed();
  EXPECT_TRUE(s.handler.seen.empty());
}

TEST(LimitsTest, AServerOutOfDescriptorsServesAgainWhenThereAreSome) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const UniqueFd next(::dup(c.fd()));
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next.get()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  s.settle();
  EXPECT_EQ(s.server.connections(), 0U);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  c.send(kGet).expect(200, "hi");
}

TEST(FlowControlTest, TheServerStopsReadingWhenTheHandlerConsumesNothing) {
  TestServer s;
  s.handler.consume = false;
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  const std::string body(1'000'000, 'x');
  c.send(body);
  s.settle();
  const SeenRequest& request = first_request(s);
  EXPECT_EQ(request.body.size(), kRequestWindowBytes);
  s.server.consumed(request.id, 1000);
  s.settle();
  EXPECT_EQ(request.body.size(), kRequestWindowBytes + 1000);
  s.handler.consume = true;
  s.server.consumed(request.id, kRequestWindowBytes);
  ASSERT_TRUE(s.until([&] { return request.ended; }));
  EXPECT_EQ(request.body, body);
}

TEST(FlowControlTest, TheHandlerIsToldToWaitAndToGoOn) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const SeenRequest& request = first_request(s);
  s.server.respond(request.id, {}, "", false);
  const std::string piece(64 << 10, 'x');
  std::size_t given = 0;
  while (s.server.body(request.id, piece, false)) given += piece.size();
  EXPECT_GE(given + piece.size(), kResponseHighWaterBytes);
  EXPECT_EQ(request.writable, 0);
  ASSERT_TRUE(s.until([&] { return request.writable == 1; }));
  EXPECT_TRUE(s.server.body(request.id, "end", true));
  c.expect(200);
  EXPECT_EQ(c.body().size(), given + piece.size() + 3);
  EXPECT_EQ(request.writable, 1);
}

TEST(FlowControlTest, ABodyOfManyMegabytesPassesBothWays) {
  TestServer s;
  TestClient c = s.connect();
  const std::string body(5 << 20, 'b');
  s.handler.answer_end = [&](SeenRequest& request) { s.respond(request, 200, request.body); };
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body);
  c.expect(200);
  EXPECT_TRUE(c.body() == body);
}

}  // namespace
}  // namespace subito::server
