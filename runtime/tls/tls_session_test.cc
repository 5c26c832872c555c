// A session against OpenSSL's own client, without sockets.
#include "runtime/tls/tls_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "runtime/tls/certificates.h"
#include "runtime/tls/tls_client.h"
#include "runtime/tls/tls_context.h"

namespace subito::tls {
namespace {

using testing::HasSubstr;
using Input = server::SecureSession::Input;

constexpr char kHttp11[] = "\x08http/1.1";
constexpr char kHttp2[] = "\x02h2";
constexpr char kBoth[] = "\x02h2\x08http/1.1";

class TlsSessions : public testing::Test {
 protected:
  static std::unique_ptr<TlsContext> make_context(const IssuedPair& pair) {
    auto made = TlsContext::create({pair.certificate, "a.crt", pair.key, "a.key"});
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  // Hands over what both sides have to say, `step` bytes at a time, until neither has.
  Input exchange(server::SecureSession& session, TlsClient& client,
                 std::size_t step = std::string::npos) {
    Input input = Input::kOpen;
    for (;;) {
      const std::string up = client.take();
      for (std::size_t i = 0; i < up.size() && input == Input::kOpen;
           i += std::min(step, up.size()))
        input = session.receive(std::string_view(up).substr(i, step), plain_, wire_);
      if (up.empty() && wire_.empty()) return input;
      client.give(wire_);
      wire_.clear();
      if (input != Input::kOpen) return input;
    }
  }

  Authority authority_;
  std::unique_ptr<TlsContext> context_ = make_context(authority_.issue());
  std::string plain_;  // what the server understood
  std::string wire_;
};

TEST_F(TlsSessions, BothVersionsCarryBytesBothWays) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto session = context_->begin();
    TlsClient client({authority_.certificate(), version, ""});
    plain_.clear();
    EXPECT_EQ(exchange(*session, client), Input::kOpen);
    ASSERT_TRUE(session->established() && client.established()) << client.error();
    const std::string large(100'000, 'x');
    client.write(large);
    EXPECT_EQ(exchange(*session, client), Input::kOpen);
    EXPECT_EQ(plain_, large);
    ASSERT_TRUE(session->seal(large, wire_));
    EXPECT_THAT(wire_, testing::Not(HasSubstr("xxxx")));
    exchange(*session, client);
    EXPECT_EQ(client.plain(), large);
    EXPECT_EQ(SSL_version(client.raw()), version);
  }
}

TEST_F(TlsSessions, BytesMayComeOneByOne) {
  const auto session = context_->begin();
  TlsClient client;
  client.write("hello");
  EXPECT_EQ(exchange(*session, client, 1), Input::kOpen);
  EXPECT_EQ(plain_, "hello");
}

TEST_F(TlsSessions, WhatStandsBehindTheCertificateIsSentWithIt) {
  const IssuedPair pair = authority_.issue();
  const auto chained = make_context({pair.certificate + authority_.certificate(), pair.key});
  TlsClient with, without;
  exchange(*chained->begin(), with);
  exchange(*context_->begin(), without);
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(with.raw())), 2);
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(without.raw())), 1);
}

TEST_F(TlsSessions, OlderVersionsAreRefused) {
  const auto session = context_->begin();
  TlsClient client({"", TLS1_1_VERSION, ""});
  EXPECT_EQ(exchange(*session, client), Input::kBroken);
  EXPECT_THAT(client.error(), HasSubstr("alert protocol version"));
}

TEST_F(TlsSessions, HttpIsChosenByAlpnAndWhoSpeaksOnlyAnotherProtocolIsTold) {
  TlsClient http({"", 0, kHttp11}), both({"", 0, kBoth}), h2({"", 0, kHttp2});
  exchange(*context_->begin(), http);
  EXPECT_EQ(http.protocol(), "http/1.1");
  exchange(*context_->begin(), both);
  EXPECT_EQ(both.protocol(), "http/1.1");
  EXPECT_EQ(exchange(*context_->begin(), h2), Input::kBroken);
  EXPECT_THAT(h2.error(), HasSubstr("no application protocol"));
}

TEST_F(TlsSessions, AClientThatComesAgainResumesUnlessTheContextIsAnother) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto session = context_->begin();
    TlsClient first({"", version, ""});
    exchange(*session, first);
    TlsClient again({"", version, ""}, SSL_get0_session(first.raw()));
    exchange(*context_->begin(), again);
    EXPECT_EQ(SSL_session_reused(again.raw()), 1);
    const auto other = make_context(authority_.issue());
    TlsClient late({"", version, ""}, SSL_get0_session(first.raw()));
    exchange(*other->begin(), late);
    EXPECT_TRUE(late.established());
    EXPECT_EQ(SSL_session_reused(late.raw()), 0);
  }
}

TEST_F(TlsSessions, RenegotiationIsRefused) {
  const auto session = context_->begin();
  TlsClient client({"", TLS1_2_VERSION, ""});
  exchange(*session, client);
  SSL_renegotiate(client.raw());
  SSL_do_handshake(client.raw());
  exchange(*session, client);
  EXPECT_FALSE(SSL_is_init_finished(client.raw())) << client.error();
}

TEST_F(TlsSessions, TheEndIsSaidBothWays) {
  const auto session = context_->begin();
  TlsClient client;
  exchange(*session, client);
  client.finish();
  EXPECT_EQ(exchange(*session, client), Input::kEnd);
  ASSERT_TRUE(session->seal("after the client's end", wire_));
  session->finish(wire_);
  client.give(wire_);
  EXPECT_EQ(client.plain(), "after the client's end");
  EXPECT_TRUE(client.ended());
}

TEST_F(TlsSessions, PlainHttpIsToldFromTls) {
  const auto session = context_->begin();
  EXPECT_EQ(session->receive("GET / HTTP/1.1\r\n", plain_, wire_), Input::kPlainHttp);
  EXPECT_EQ(wire_, "");
  EXPECT_FALSE(session->seal("x", wire_));
}

// Whatever comes, it ends in one of the ways that there are, and says no more than an alert.
TEST_F(TlsSessions, GarbageIsRefused) {
  std::minstd_rand random(7);
  int broken = 0;
  for (int round = 0; round < 400; ++round) {
    const auto session = context_->begin();
    TlsClient client;
    std::string bytes = client.take();
    switch (round % 3) {
      case 0:  // noise
        for (char& c : bytes) c = static_cast<char>(random());
        bytes[0] = '\x16';
        break;
      case 1:  // a hello with faults
        for (int i = 0; i < 8; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        break;
      default:  // a hello, then noise
        for (int i = 0; i < 600; ++i) bytes += static_cast<char>(random());
    }
    Input input = Input::kOpen;
    for (std::size_t i = 0; i < bytes.size() && input == Input::kOpen; i += 100)
      input = session->receive(std::string_view(bytes).substr(i, 100), plain_, wire_);
    broken += input == Input::kBroken ? 1 : 0;
    EXPECT_FALSE(session->established());
    EXPECT_EQ(plain_, "");
    session->finish(wire_);
    EXPECT_LT(wire_.size(), 8U << 10);
    wire_.clear();
  }
  EXPECT_GT(broken, 200);
}

TEST_F(TlsSessions, AFaultAfterTheHandshakeBreaksIt) {
  const auto session = context_->begin();
  TlsClient client;
  exchange(*session, client);
  client.write("hello");
  std::string bytes = client.take();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(session->receive(bytes, plain_, wire_), Input::kBroken);
  EXPECT_EQ(plain_, "");
  client.give(wire_);
  EXPECT_THAT(client.error(), HasSubstr("bad record mac"));
  EXPECT_FALSE(session->seal("x", wire_));
}

}  // namespace
}  // namespace subito::tls
