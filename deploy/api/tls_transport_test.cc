// CurlTransport against the real server by TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "deploy/api/tls_errors.h"
#include "deploy/api/transport.h"
#include "runtime/base/check.h"
#include "runtime/loop/loop.h"
#include "runtime/server/server.h"
#include "runtime/tls/certificates.h"
#include "runtime/tls/tls_context.h"

namespace subito::api {
namespace {

using testing::HasSubstr;

// Answers with what the request showed; to POST with the size of its body.
class Mirror final : public server::Handler {
 public:
  void attach(server::Server& server) { server_ = &server; }
  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override {
    const std::string* token = http::find_field(head.fields, "authorization");
    if (head.path == "/lines") return server_->respond(id, {}, "one\ntwo\n", true);
    if (end) return server_->respond(id, {}, head.path + (token ? " " + *token : ""), true);
  }
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override {
    size_ += bytes.size();
    server_->consumed(id, bytes.size());
    if (end) server_->respond(id, {}, std::to_string(size_), true);
  }
  void on_writable(server::ExchangeId) override {}
  void on_abort(server::ExchangeId) override {}

 private:
  server::Server* server_ = nullptr;
  std::size_t size_ = 0;
};

class TlsTransports : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "subito-tls-transport-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    mirror_.attach(*server_);
  }
  void TearDown() override {
    if (thread_.joinable()) {
      stop_.notify();
      thread_.join();
    }
    std::filesystem::remove_all(folder_);
  }
  void serve(const tls::Issue& issue = {}) {
    const tls::IssuedPair pair = authority_.issue(issue);
    context_ = tls::TlsContext::create({pair.certificate, "crt", pair.key, "key"}).value();
    const server::Address any{server::Address::Kind::kTcp, "127.0.0.1", 0};
    port_ = server_->listen_secure(any, *context_)->port;
    plain_port_ = server_->listen(any)->port;
    thread_ = std::thread([this] { loop_.run(); });
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  Endpoint endpoint(const std::string& host = "127.0.0.1") const {
    return {"", "https://" + host + ":" + std::to_string(port_),
            file("ca.pem", authority_.certificate()), ""};
  }
  static std::string refusal(const Endpoint& endpoint) {
    const auto reply = make_curl_transport(endpoint)->send({"GET", "http://subito/x"});
    EXPECT_FALSE(reply);
    if (reply) return "";
    EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
    const std::string begin = "connect to " + endpoint.server + ": ";
    EXPECT_EQ(reply.error().message.substr(0, begin.size()), begin);
    return reply.error().message.substr(begin.size());
  }

  tls::Authority authority_;
  std::unique_ptr<tls::TlsContext> context_;
  std::string folder_;
  Loop loop_;
  Wakeup stop_{loop_, [this] { loop_.stop(); }};
  Mirror mirror_;
  std::unique_ptr<server::Server> server_ = server::Server::create(loop_, {}, mirror_);
  std::thread thread_;
  int port_ = 0, plain_port_ = 0;
};

TEST_F(TlsTransports, SendStreamAndUploadShowTheToken) {
  serve();
  Endpoint where = endpoint();
  where.token = "subito_secret";
  const auto transport = make_curl_transport(where);
  const auto reply = transport->send({"GET", "http://subito/v1/version"});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, "/v1/version Bearer subito_secret");
  std::string lines;
  ASSERT_TRUE(transport->stream({"GET", "http://subito/lines"}, [&](std::string_view line) {
    lines += std::string(line) + ",";
    return true;
  }));
  EXPECT_EQ(lines, "one,two,");
  ClientRequest upload{"PUT", "http://subito/file"};
  upload.body_file = file("large", std::string(3 << 20, 'x'));
  const auto stored = transport->send(upload);
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->body, std::to_string(3 << 20));
  EXPECT_TRUE(make_curl_transport(endpoint("localhost"))->send({"GET", "http://subito/"}));
}

TEST_F(TlsTransports, AServerThatIsNotWhoItShouldBeIsRefusedWithTheReason) {
  serve();
  Endpoint where = endpoint();
  const tls::Authority other("other");
  where.ca_file = file("other.pem", other.certificate());
  EXPECT_EQ(refusal(where), "its certificate is not signed by " + where.ca_file);
  where.ca_file.clear();
  EXPECT_THAT(refusal(where), HasSubstr("say who has: --ca FILE or SUBITO_CA"));
  where.ca_file = file("none.pem", "nothing");
  EXPECT_EQ(refusal(where), "read " + where.ca_file + ": no certificate in PEM in it");
  where.ca_file = folder_ + "/absent.pem";
  EXPECT_THAT(refusal(where), HasSubstr("read " + where.ca_file + ": No such file"));
  where.ca_file = folder_;
  EXPECT_THAT(refusal(where), HasSubstr("read " + folder_ + ": it is a folder"));
  where.ca_file = file("unreadable.pem", authority_.certificate());
  ASSERT_EQ(::chmod(where.ca_file.c_str(), 0), 0);
  if (::geteuid() != 0) {  // root reads all
    EXPECT_THAT(refusal(where), HasSubstr("read " + where.ca_file + ": Permission denied"));
  }
  where = endpoint();
  where.server = "https://127.0.0.1:" + std::to_string(plain_port_);
  EXPECT_EQ(refusal(where), "it speaks plain HTTP there, not TLS");
}

TEST_F(TlsTransports, ACertificateForAnotherNameIsRefused) {
  tls::Issue issue;
  issue.names = {"DNS:elsewhere.example"};
  serve(issue);
  EXPECT_THAT(refusal(endpoint()), HasSubstr("is for another name"));
}

TEST_F(TlsTransports, ACertificateThatHasRunOutIsRefused) {
  tls::Issue issue;
  issue.to_s = -60;
  serve(issue);
  EXPECT_EQ(refusal(endpoint()), "its certificate has run out");
}

TEST_F(TlsTransports, ACertificateOfLaterIsRefused) {
  tls::Issue issue;
  issue.from_s = 3600;
  serve(issue);
  EXPECT_THAT(refusal(endpoint()), HasSubstr("not valid yet"));
}

TEST(ServerUrl, IsHttpsAndAHostAndNothingElse) {
  for (const char* good : {"https://a", "https://node.example:8443", "https://[::1]:1"})
    EXPECT_TRUE(check_server_url(good)) << good;
  for (const char* bad :
       {"", "a:1", "http://a", "https://", "https://a/x", "https://u@a", "https://a b"}) {
    const auto refused = make_curl_transport({"", bad, "", ""})->send({"GET", "http://subito/"});
    if (std::string(bad).empty()) continue;  // no server: as the URL says
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace subito::api
