#include "runtime/server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "runtime/server/testing.h"

namespace subito::server {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(HttpServerTest, AnswersAndKeepsTheConnection) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  c.send(kGet).expect(200, "hi");
  EXPECT_EQ(*http::find_field(c.head().fields, "server"), "subito");
  EXPECT_NE(http::find_field(c.head().fields, "date"), nullptr);
  c.send(kGet).expect(200, "hi").expect_open();
  EXPECT_EQ(s.server.exchanges(), 0U);
}

TEST(HttpServerTest, GivesTheHandlerHeadAndBody) {
  TestServer s;
  s.answer_all("");
  s.connect()
      .send("POST /p?q HTTP/1.1\r\nHost: a\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nabc")
      .expect(200, "");
  ASSERT_EQ(s.handler.seen.size(), 1U);
  const SeenRequest& seen = s.handler.seen[0];
  EXPECT_EQ(seen.head.path, "/p");
  EXPECT_EQ(seen.head.query, "q");
  EXPECT_EQ(*http::find_field(seen.head.fields, "x-y"), "z");
  EXPECT_EQ(seen.body, "abc");
}

TEST(HttpServerTest, TellsWhoAsksUntilTheAnswer) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 1; }));
  const ExchangeId id = s.handler.seen[0].id;
  EXPECT_EQ(s.server.peer(id).address, "127.0.0.1");
  EXPECT_NE(s.server.peer(id).port, 0);
  EXPECT_FALSE(s.server.peer(id).process);
  s.respond(s.handler.seen[0], 200, "");
  c.expect(200, "");
  EXPECT_EQ(s.server.peer(id).address, "");
}

TEST(PeerTest, OfAUnixSocketIsAProcess) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const UniqueFd one(fds[0]), other(fds[1]);
  const Peer peer = peer_of(one.get());
  ASSERT_TRUE(peer.process);
  EXPECT_EQ(peer.process->pid, ::getpid());
  EXPECT_EQ(peer.process->uid, ::geteuid());
  EXPECT_EQ(peer.address, "");
}

TEST(HttpServerTest, TakesARequestByteByByte) {
  TestServer s;
  s.answer_all("ok");
  TestClient c = s.connect();
  for (const char byte : post("abc")) c.send(std::string_view(&byte, 1));
  c.expect(200, "ok");
  EXPECT_EQ(s.handler.seen.at(0).body, "abc");
}

TEST(HttpServerTest, AnswersPipelinedRequestsInOrderOneAtATime) {
  TestServer s;
  TestClient c = s.connect();
  c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + post("x"));
  s.settle();
  ASSERT_EQ(s.handler.seen.size(), 1U);
  s.respond(s.handler.seen[0], 200, "1");
  c.expect(200, "1");
  ASSERT_EQ(s.handler.seen.size(), 2U);
  s.respond(s.handler.seen[1], 200, "2");
  c.expect(200, "2");
  ASSERT_EQ(s.handler.seen.size(), 3U);
  EXPECT_EQ(s.handler.seen[2].body, "x");
}

TEST(HttpServerTest, SendsTheAnswersOfOneTurnTogether) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  std::string many;
  for (int i = 0; i < 100; ++i) many += kGet;
  c.send(many);
  for (int i = 0; i < 100; ++i) c.expect(200, "hi");
}

TEST(HttpServerTest, ReadsAheadOnlyUpToItsBound) {
  Limits limits;
  limits.read_ahead_bytes_max = 1000;
  TestServer s(limits);
  TestClient c = s.connect();
  c.send(kGet);
  ASSERT_TRUE(s.until([&] { return !s.handler.seen.empty(); }));
  const std::string junk(64 << 10, 'x');
  std::size_t taken = 0;
  // A client that sends without end is not read without end: its kernel buffers fill.
  for (int i = 0; i < 1000; ++i) {
    s.turn();
    const ssize_t n = ::send(c.fd(), junk.data(), junk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) taken += static_cast<std::size_t>(n);
  }
  EXPECT_LT(taken, std::size_t{32} << 20);
  EXPECT_EQ(s.handler.seen.size(), 1U);
}

TEST(HttpServerTest, SendsChunksWhenTheLengthIsUnknown) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 1; }));
  const ExchangeId id = s.handler.seen[0].id;
  s.server.respond(id, {}, "a", false);
  EXPECT_TRUE(s.server.body(id, "bc", false));
  s.settle();
  EXPECT_TRUE(s.server.body(id, "d", true));
  c.expect(200, "abcd");
  EXPECT_FALSE(c.head().content_length);
  EXPECT_TRUE(s.server.body(id, "late", true));  // the exchange is gone: ignored
  c.expect_open();
}

TEST(HttpServerTest, EndsTheBodyWithTheConnectionForHttp10) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) {
    s.server.respond(request.id, {}, "a", false);
    s.server.body(request.id, "b", true);
  };
  s.connect()
      .send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      .expect(200, "ab")
      .expect_closed();
}

TEST(HttpServerTest, HonoursConnectionOfBothVersions) {
  TestServer s;
  s.answer_all("hi");
  s.connect().send("GET / HTTP/1.0\r\n\r\n").expect(200, "hi").expect_closed();
  s.connect()
      .send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      .expect(200, "hi")
      .expect_closed();
  TestClient c = s.connect();
  c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").expect(200, "hi");
  EXPECT_TRUE(c.announced_keep_alive());
  c.expect_open();
}

TEST(HttpServerTest, SendsNoBodyToHead) {
  TestServer s;
  s.answer_all("hello");
  TestClient c = s.connect();
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").expect_to_head(200);
  s.handler.answer_end = [&](SeenRequest& request) {
    http::ResponseHead head;
    head.content_length = 5;
    s.server.respond(request.id, std::move(head), "he", false);
    s.server.body(request.id, "llo", true);
  };
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").expect_to_head(200);
  EXPECT_EQ(c.head().content_length, 5U);
  c.send(kGet).expect(200, "hello");
}

TEST(HttpServerTest, SendsNoBodyWithNoContentAndNotModified) {
  TestServer s;
  int status = 204;
  s.handler.answer_end = [&](SeenRequest& request) { s.respond(request, status, "ignored"); };
  TestClient c = s.connect();
  c.send(kGet).expect(204, "");
  EXPECT_FALSE(c.head().content_length);
  status = 304;
  c.send(kGet).expect(304, "").expect_open();
}

TEST(HttpServerTest, SaysContinueOnceTheHandlerDidNotRefuse) {
  TestServer s;
  s.answer_all("done");
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  c.expect_raw("HTTP/1.1 100 Continue\r\n\r\n");
  c.send("abc").expect(200, "done").expect_open();
}

TEST(HttpServerTest, SaysNoContinueWhenTheHandlerRefuses) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) { s.respond(request, 403, "no"); };
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  c.expect(403, "no");
  // Whether the body comes is the client's choice: what follows could be either.
  EXPECT_FALSE(c.announced_keep_alive());
  c.send("abc").expect_closed();
}

TEST(HttpServerTest, SaysNoContinueWhenTheHandlerRefusesByTheEndOfTheTurn) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) {
    const ExchangeId id = request.id;
    // The server may have been scheduled before, by another connection.
    s.loop.defer([&s, id] {
      s.loop.defer([&s, id] {
        s.loop.defer([&s, id] { s.server.respond(id, {413, {}, {}}, "no", true); });
      });
    });
  };
  TestClient other = s.connect();
  TestClient c = s.connect();
  s.settle();
  other.send(kGet);
  c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n");
  c.expect_raw("HTTP/1.1 413 ");
}

TEST(HttpServerTest, SaysContinueOnlyToThoseWhoStillWaitForIt) {
  TestServer s;
  s.answer_all("done");
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
  c.expect_raw("HTTP/1.1 200 ");
}

TEST(HttpServerTest, CutsAnAnswerToItsAnnouncedLength) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) {
    http::ResponseHead head;
    head.content_length = 2;
    s.server.respond(request.id, std::move(head), "abc", true);
  };
  s.connect().send(kGet).expect(200, "ab").expect_open();
}

TEST(HttpServerTest, ClosesWhenAnAnswerFallsShortOfItsLength) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) {
    http::ResponseHead head;
    head.content_length = 5;
    s.server.respond(request.id, std::move(head), "abc", true);
  };
  TestClient c = s.connect();
  c.send(kGet).expect_raw("HTTP/1.1 200");
  ASSERT_TRUE(s.until([&] { return s.server.connections() == 0; }));
}

TEST(HttpServerTest, TurnsAHeadThatCannotBeWrittenInto500) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) {
    http::ResponseHead head;
    head.fields.emplace_back("x", "a\r\nset-cookie: b");
    s.server.respond(request.id, std::move(head), "secret", true);
  };
  TestClient c = s.connect();
  c.send(kGet).expect(500).expect_open();
  EXPECT_THAT(c.body(), HasSubstr("field x"));
  EXPECT_EQ(http::find_field(c.head().fields, "set-cookie"), nullptr);
}

TEST(HttpServerTest, ReadsTheRestOfABodyThatNobodyWants) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) { s.respond(request, 200, "enough"); };
  TestClient c = s.connect();
  c.send(post(std::string(50'000, 'x'))).expect(200, "enough");
  c.send(post("y")).expect(200, "enough").expect_open();
  EXPECT_EQ(s.handler.seen.at(0).body, "");
}

TEST(HttpServerTest, ClosesWhenTooMuchOfAnUnwantedBodyIsOwedButLetsTheAnswerArrive) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) { s.respond(request, 200, "enough"); };
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" +
         std::string(1'000'000, 'x'));
  c.expect(200, "enough").expect_closed();
  EXPECT_FALSE(c.announced_keep_alive());
}

TEST(HttpServerTest, ClosesWhenAnUnwantedChunkedBodyGoesOn) {
  TestServer s;
  s.handler.answer_head = [&](SeenRequest& request) { s.respond(request, 200, "enough"); };
  TestClient c = s.connect();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n" +
         std::string(0x40000, 'x'));
  c.expect(200, "enough").expect_closed();
}

TEST(HttpServerTest, DrainLetsExchangesEndAndClosesIdleConnections) {
  TestServer s;
  TestClient idle = s.connect();
  TestClient busy = s.connect();
  busy.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 1; }));
  s.server.drain();
  idle.expect_closed();
  s.respond(s.handler.seen[0], 200, "last");
  busy.expect(200, "last").expect_closed();
  EXPECT_FALSE(busy.announced_keep_alive());
  EXPECT_EQ(s.server.connections(), 0U);
}

TEST(HttpServerTest, DrainServesARequestThatIsAlreadyThere) {
  TestServer s;
  s.answer_all("hi");
  TestClient c = s.connect();
  c.send(kGet).expect(200, "hi");
  ASSERT_EQ(::send(c.fd(), kGet.data(), kGet.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(kGet.size()));
  s.server.drain();
  c.expect(200, "hi").expect_closed();
}

TEST(HttpServerTest, DrainClosesBehindAnAnswerThatBeganBefore) {
  TestServer s;
  TestClient c = s.connect();
  c.send(kGet);
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 1; }));
  const ExchangeId id = s.handler.seen[0].id;
  s.server.respond(id, {}, "a", false);
  s.server.drain();
  s.settle();
  s.server.body(id, "b", true);
  c.expect(200, "ab").expect_closed();
}

TEST(HttpServerTest, TellsWhatWasWrongAlsoBehindAnAnswerToHead) {
  TestServer s;
  s.answer_all("hello");
  TestClient c = s.connect();
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").expect_to_head(200);
  c.send("GET / HTTP/1.1\r\n\r\n").expect(400).expect_closed();
  EXPECT_THAT(c.body(), HasSubstr("no Host field"));
}

}  // namespace
}  // namespace subito::server
