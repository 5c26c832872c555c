// Clients that leave, wholly or by half, and answers that are given up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "runtime/base/check.h"
#include "runtime/server/testing.h"

namespace subito::server {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kPostHead = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

// More than the kernel takes from a server whose client does not read.
std::size_t more_than_sockets_hold() {
  std::ifstream limits("/proc/sys/net/ipv4/tcp_wmem");  // least, first and most bytes to send
  std::size_t least = 0;
  std::size_t first = 0;
  std::size_t most = 0;
  CHECK(limits >> least >> first >> most);
  return most + (1 << 20);
}

const SeenRequest& first_request(TestServer& s) {
  EXPECT_TRUE(s.until([&] { return !s.handler.seen.empty(); }));
  return s.handler.seen.at(0);
}

TEST(LeavingClientTest, OneThatShutItsSendingSideGetsItsAnswer) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet).finish_sending();
  s.settle();
  s.respond(first_request(s), 200, "still here");
  c.expect(200, "still here").expect_closed();
  EXPECT_FALSE(c.announced_keep_alive());
}

TEST(LeavingClientTest, PipelinedRequestsBeforeTheEndAreAllAnswered) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  c.send(std::string(kGet) + std::string(kGet)).finish_sending();
  c.expect(200, "hi").expect(200, "hi").expect_closed();
}

TEST(LeavingClientTest, PipelinedRequestsThatWaitForTheClientToReadAreAnsweredToo) {
  TestServer s;
  const std::string large(more_than_sockets_hold(), 'x');
  s.answer_all(large);
  TestClient c = s.connect();
  c.send(std::string(kGet) + std::string(kGet) + std::string(kGet)).finish_sending();
  s.settle();
  EXPECT_EQ(s.handler.seen.size(), 1U);  // the others wait until the first answer drains
  for (int i = 0; i < 3; ++i) c.expect(200, large);
  c.expect_closed();
}

TEST(LeavingClientTest, AHalfClosedOneIsAskedOnceAndThenWaitedFor) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet).finish_sending();
  first_request(s);
  s.advance(milliseconds(900));
  c.expect_open();
  s.advance(milliseconds(200));
  c.expect_raw("HTTP/1.1 100 Continue\r\n\r\n").expect_open();
  s.advance(std::chrono::hours(1));
  c.expect_open();
  s.respond(first_request(s), 200, "at last");
  c.expect(200, "at last").expect_closed();
}

TEST(LeavingClientTest, AHalfClosedOneOfHttp10IsWaitedForUnasked) {
  TestServer s;
  TestClient c = s.connect();
  c.send("GET / HTTP/1.0\r\n\r\n").finish_sending();
  first_request(s);
  s.advance(std::chrono::hours(1));
  c.expect_open();
  s.respond(first_request(s), 200, "at last");
  c.expect(200, "at last").expect_closed();
}

TEST(LeavingClientTest, AHalfClosedOneIsNotAskedInTheMiddleOfItsAnswer) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet).finish_sending();
  const ExchangeId id = first_request(s).id;
  s.server.respond(id, {}, "a", false);
  s.advance(std::chrono::hours(1));
  s.server.body(id, "b", true);
  c.expect(200, "ab").expect_closed();
}

TEST(LeavingClientTest, OneThatLeftIsFoundOutByAsking) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const SeenRequest& request = first_request(s);
  c.leave();
  s.settle();
  EXPECT_FALSE(request.aborted);
  s.advance(milliseconds(1100));
  EXPECT_TRUE(s.until([&] { return request.aborted; }));
  EXPECT_EQ(s.server.connections(), 0U);
}

TEST(LeavingClientTest, AResetAbortsTheExchangeAtOnce) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const SeenRequest& request = first_request(s);
  c.reset();
  ASSERT_TRUE(s.until([&] { return request.aborted; }));
  s.respond(request, 200, "nobody hears it");  // ignored
  EXPECT_EQ(s.server.exchanges(), 0U);
  EXPECT_EQ(s.server.connections(), 0U);
}

TEST(LeavingClientTest, AResetIsNoticedWhileReadingIsPaused) {
  TestServer s;
  s.handler.consume = false;
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  c.send(std::string(kRequestWindowBytes + 100'000, 'x'));
  const SeenRequest& request = first_request(s);
  ASSERT_TRUE(s.until([&] { return request.body.size() == kRequestWindowBytes; }));
  c.reset();
  EXPECT_TRUE(s.until([&] { return request.aborted; }));
}

TEST(LeavingClientTest, ABodyCutShortAbortsTheExchange) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kPostHead).send("abc").finish_sending();
  const SeenRequest& request = first_request(s);
  ASSERT_TRUE(s.until([&] { return request.aborted; }));
  c.expect_closed();
}

TEST(LeavingClientTest, OneThatLeavesBetweenRequestsIsForgotten) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  c.send(kGet).expect(200, "hi");
  c.leave();
  EXPECT_TRUE(s.until([&] { return s.server.connections() == 0; }));
}

TEST(AbortTest, ClosesTheConnectionSoThatTheClientNotices) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  const SeenRequest& request = first_request(s);
  s.server.respond(request.id, {}, "part", false);
  s.server.abort(request.id);
  s.server.abort(request.id);  // gone: ignored
  ASSERT_TRUE(s.until([&] { return s.server.connections() == 0; }));
  EXPECT_FALSE(request.aborted);  // it was the handler's own doing
  EXPECT_THAT(c.read_some(1000), testing::EndsWith("4\r\npart\r\n"));
}

TEST(AbortTest, ResetsAnAnswerThatWouldEndWithTheConnection) {
  TestServer s;
  TestClient c = s.connect();
  c.send("GET / HTTP/1.0\r\n\r\n");
  const SeenRequest& request = first_request(s);
  s.server.respond(request.id, {}, "part", false);
  s.settle();
  s.server.abort(request.id);
  char byte = 0;
  ASSERT_TRUE(
      s.until([&] { return ::recv(c.fd(), &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET; }));
}

}  // namespace
}  // namespace subito::server
