// The HTTP server with encrypted connections, over real sockets, its clock standing still.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/server/testing.h"
#include "runtime/tls/certificates.h"
#include "runtime/tls/tls_client.h"
#include "runtime/tls/tls_context.h"

namespace subito::tls {
namespace {

using server::Limits;
using server::TestClient;
using server::TestServer;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

struct Secured {
  explicit Secured(const Limits& limits = {}) : http(limits) {
    const IssuedPair pair = authority.issue();
    context = TlsContext::create({pair.certificate, "crt", pair.key, "key"}).value();
    plain_address = http.address;
    http.address =
        http.server.listen_secure({server::Address::Kind::kTcp, "127.0.0.1", 0}, *context).value();
  }
  Authority authority;
  std::unique_ptr<TlsContext> context;
  TestServer http;
  server::Address plain_address;
};

// A client of the server's encrypted port.
class SecureClient {
 public:
  explicit SecureClient(Secured& secured, const ClientTerms& terms = {})
      : http_(secured.http), socket_(secured.http.connect()), tls_(terms), parser_({}) {}

  SecureClient& send(std::string_view plain) {
    tls_.write(plain);
    pump();
    return *this;
  }
  SecureClient& shake() {
    EXPECT_TRUE(http_.until([&] { return pump() && tls_.established(); })) << tls_.error();
    return *this;
  }
  SecureClient& expect(int status, const std::string& body) {
    http::ResponseHead head;
    std::string got;
    bool done = false;
    EXPECT_TRUE(http_.until([&] {
      pump();
      std::string_view input = tls_.plain();
      for (auto event = parser_.next(input); event != http::Event::kMore && !done;
           event = parser_.next(input)) {
        if (event == http::Event::kHead) head = std::move(parser_.head());
        if (event == http::Event::kBody) got += parser_.body();
        done = event == http::Event::kEnd;
        if (done) break;
      }
      tls_.plain().erase(0, tls_.plain().size() - input.size());
      return done;
    })) << "no answer; "
        << tls_.error();
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(got.size(), body.size());
    EXPECT_TRUE(got == body);
    return *this;
  }
  // The server ended its side: with its word, or with an alert and no word.
  SecureClient& expect_end(bool with_word) {
    EXPECT_TRUE(http_.until([&] {
      pump();
      return end_of_socket();
    })) << "still open";
    pump();
    EXPECT_EQ(tls_.ended(), with_word);
    return *this;
  }
  bool pump() {
    if (const std::string wire = tls_.take(); !wire.empty()) socket_.send(wire);
    for (std::string got = socket_.read_some(1 << 16); !got.empty();
         got = socket_.read_some(1 << 16))
      tls_.give(got);
    return true;
  }
  bool end_of_socket() {
    char byte = 0;
    return ::recv(socket_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }
  TlsClient& tls() { return tls_; }
  TestClient& socket() { return socket_; }

 private:
  TestServer& http_;
  TestClient socket_;
  TlsClient tls_;
  http::ResponseParser parser_;
};

TEST(SecureServer, AnswersOnBothPortsAtOnce) {
  Secured s;
  s.http.answer_all("hi");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SecureClient c(s, {s.authority.certificate(), version, ""});
    c.send(kGet).expect(200, "hi");
    c.send(kGet).expect(200, "hi").send(std::string(kGet) + std::string(kGet));
    c.expect(200, "hi").expect(200, "hi");
  }
  s.http.address = s.plain_address;
  s.http.connect().send(kGet).expect(200, "hi");
}

TEST(SecureServer, TellsThatAPeerIsEncrypted) {
  Secured s;
  SecureClient c(s);
  c.send(kGet);
  ASSERT_TRUE(s.http.until([&] { return c.pump() && !s.http.handler.seen.empty(); }));
  const server::Peer& peer = s.http.server.peer(s.http.handler.seen[0].id);
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_TRUE(peer.secure);
}

TEST(SecureServer, CarriesLargeBodiesBothWays) {
  Secured s;
  const std::string up(3 << 20, 'u'), down(8 << 20, 'd');
  s.http.answer_all(down);
  SecureClient c(s);
  c.shake();
  for (std::size_t i = 0; i <= up.size(); i += 1 << 16) {
    if (i == 0)
      c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(up.size()) +
             "\r\n\r\n");
    if (i < up.size()) c.send(std::string_view(up).substr(i, 1 << 16));
    s.http.turn();
  }
  c.expect(200, down);
  EXPECT_TRUE(s.http.handler.seen[0].body == up);
}

TEST(SecureServer, AClientThatDoesNotReadHoldsABoundedPartOfItsAnswerAndIsDropped) {
  Secured s;
  SecureClient c(s);
  c.send(kGet);
  ASSERT_TRUE(s.http.until([&] { return c.pump() && !s.http.handler.seen.empty(); }));
  EXPECT_FALSE([&] {
    s.http.server.respond(s.http.handler.seen[0].id, {}, "", false);
    return s.http.server.body(s.http.handler.seen[0].id, std::string(32 << 20, 'x'), false);
  }());
  s.http.advance(seconds(29));
  EXPECT_FALSE(s.http.handler.seen[0].aborted);
  s.http.advance(seconds(2));
  EXPECT_TRUE(s.http.handler.seen[0].aborted);
}

TEST(SecureServer, SaysWhenItEnds) {
  Secured s;
  s.http.answer_all("hi");
  SecureClient c(s);
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect(200, "hi");
  c.expect_end(true);
  SecureClient idle(s);
  idle.send(kGet).expect(200, "hi");
  s.http.server.drain();
  idle.expect_end(true);
}

TEST(SecureServer, ABodyUntilTheEndEndsWithTheWordAndACutOneWithout) {
  Secured s;
  constexpr std::string_view kOld = "GET / HTTP/1.0\r\n\r\n";
  for (const bool whole : {true, false}) {
    s.http.handler.seen.clear();
    SecureClient c(s);
    c.send(kOld);
    ASSERT_TRUE(s.http.until([&] { return c.pump() && !s.http.handler.seen.empty(); }));
    const auto id = s.http.handler.seen[0].id;
    s.http.server.respond(id, {}, "half", false);
    if (whole)
      s.http.server.body(id, "", true);
    else
      s.http.server.abort(id);
    s.http.settle();
    c.pump();
    EXPECT_EQ(c.tls().ended(), whole);
  }
}

TEST(SecureServer, PlainHttpOnTheEncryptedPortIsToldSo) {
  Secured s;
  TestClient c = s.http.connect();
  c.send(kGet).expect(400).expect_closed();
  EXPECT_THAT(c.body(), HasSubstr("https://"));
  EXPECT_TRUE(s.http.handler.seen.empty());
}

TEST(SecureServer, GarbageAndAFailedHandshakeEndTheConnectionAlone) {
  Secured s;
  s.http.answer_all("hi");
  SecureClient stays(s);
  stays.send(kGet).expect(200, "hi");
  TestClient noise = s.http.connect();
  noise.send("\x16\x03\x01" + std::string(5000, '\x10'));
  EXPECT_TRUE(s.http.until([&] { return !noise.read_some(100).empty(); })) << "no alert";
  noise.leave();
  SecureClient old(s, {"", TLS1_1_VERSION, ""});
  old.expect_end(false);
  EXPECT_THAT(old.tls().error(), HasSubstr("protocol version"));
  stays.send(kGet).expect(200, "hi");
  s.http.advance(seconds(3));
  EXPECT_TRUE(s.http.until([&] { return s.http.server.connections() == 1; }));
}

TEST(SecureServer, AHandshakeHasItsDeadlineHoweverSlowlyItGoesOn) {
  Secured s;
  TestClient silent = s.http.connect();
  TestClient slow = s.http.connect();
  TlsClient hello;
  const std::string bytes = hello.take();
  s.http.settle();
  for (int i = 0; i < 9; ++i) {
    slow.send(bytes.substr(static_cast<std::size_t>(i), 1));
    s.http.advance(seconds(1));
  }
  slow.expect_open();
  silent.expect_open();
  s.http.advance(seconds(2));
  slow.expect_closed();
  silent.expect_closed();
  EXPECT_EQ(s.http.server.connections(), 0U);
}

TEST(SecureServer, AfterTheHandshakeTheHeadHasItsOwnDeadline) {
  Secured s;
  SecureClient c(s);
  c.shake();
  s.http.advance(seconds(9));
  EXPECT_FALSE(c.end_of_socket());
  s.http.advance(seconds(2));
  s.http.settle();
  EXPECT_EQ(s.http.server.connections(), 0U);
}

TEST(SecureServer, AFloodOfHandshakesPushesOutItsOldestAndNobodyElse) {
  Limits limits;
  limits.handshakes_max = 4;
  Secured s(limits);
  s.http.answer_all("hi");
  SecureClient served(s);
  served.send(kGet).expect(200, "hi");
  std::vector<TestClient> flood;
  for (int i = 0; i < 5; ++i) {
    flood.push_back(s.http.connect());
    s.http.settle();
    s.http.advance(seconds(1));
  }
  flood[0].expect_closed();
  flood[1].expect_open();
  SecureClient honest(s);
  honest.send(kGet).expect(200, "hi");
  served.send(kGet).expect(200, "hi");
}

TEST(SecureServer, TooManyConnectionsAreClosedBeforeTheirHandshake) {
  Limits limits;
  limits.connections_max = 1;
  Secured s(limits);
  SecureClient first(s);
  first.send(kGet);
  ASSERT_TRUE(s.http.until([&] { return first.pump() && s.http.handler.seen.size() == 1; }));
  SecureClient second(s);
  second.expect_end(false);
  EXPECT_FALSE(second.tls().established());
  s.http.respond(s.http.handler.seen[0], 200, "hi");
  first.expect(200, "hi");
}

TEST(SecureServer, ConnectionsThatAskForNothingKeepNobodyOut) {
  Limits limits;
  limits.connections_max = 1;
  Secured s(limits);
  s.http.answer_all("hi");
  SecureClient silent(s);
  silent.shake().pump();
  s.http.settle();
  SecureClient honest(s);
  honest.send(kGet).expect(200, "hi");
}

TEST(SecureServer, AHalfClosedClientGetsItsAnswer) {
  Secured s;
  SecureClient c(s);
  c.shake().send(kGet);
  c.tls().finish();
  ASSERT_TRUE(s.http.until([&] { return c.pump() && !s.http.handler.seen.empty(); }));
  s.http.settle();
  s.http.respond(s.http.handler.seen[0], 200, "hi");
  c.expect(200, "hi").expect_end(true);
}

TEST(SecureServer, AnEndWithoutTheWordAbortsWhatIsUnderWay) {
  Secured s;
  SecureClient c(s);
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(s.http.until([&] { return c.pump() && !s.http.handler.seen.empty(); }));
  c.socket().finish_sending();
  EXPECT_TRUE(s.http.until([&] { return s.http.handler.seen[0].aborted; }));

  SecureClient waits(s);
  waits.send(kGet);
  ASSERT_TRUE(s.http.until([&] { return waits.pump() && s.http.handler.seen.size() == 2; }));
  waits.socket().finish_sending();
  EXPECT_TRUE(s.http.until([&] { return s.http.handler.seen[1].aborted; }));

  SecureClient between(s);
  s.http.answer_all("hi");
  between.send(kGet).expect(200, "hi");
  between.socket().finish_sending();
  between.expect_end(true);
}

TEST(SecureServer, AFaultInsideARequestAbortsIt) {
  Secured s;
  SecureClient c(s);
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(s.http.until([&] { return c.pump() && !s.http.handler.seen.empty(); }));
  c.socket().send("\x17\x03\x03 0123456789012345678901234567890123456789");
  c.socket().send(std::string(9000, '.'));
  EXPECT_TRUE(s.http.until([&] { return s.http.handler.seen[0].aborted; }));
  s.http.advance(seconds(3));
  EXPECT_TRUE(s.http.until([&] { return s.http.server.connections() == 0; }));
}

}  // namespace
}  // namespace subito::tls
