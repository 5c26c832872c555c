#include "runtime/node/control_front.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "deploy/access/audit_files.h"
#include "deploy/store/store_testing.h"
#include "runtime/node/control_testing.h"
#include "runtime/server/fake_server.h"

namespace subito::node {
namespace {

using testing::HasSubstr;

// Stands for the API, which asks by itself who may.
class Api final : public server::Handler {
 public:
  void on_request(server::ExchangeId, http::RequestHead&&, bool) override { ++asked; }
  void on_body(server::ExchangeId, std::string_view, bool) override {}
  void on_writable(server::ExchangeId) override {}
  void on_abort(server::ExchangeId) override {}
  int asked = 0;
};

class NoInvoker final : public Invoker {
 public:
  InvocationId invoke(Caller&, CallerToken, Invocation&& invocation) override {
    last = std::move(invocation);
    return InvocationId(++invoked);
  }
  void body(InvocationId, std::string_view, bool) override {}
  void resume(InvocationId) override {}
  void abort(InvocationId) override {}
  std::uint64_t invoked = 0;
  Invocation last;
};

class ControlFrontTest : public testing::Test {
 protected:
  ControlFrontTest() {
    gateway::Routes routes;
    routes.add_function("stock", FunctionId(7));
    gateway_.set_routes(std::move(routes));
    gateway_.attach(server_);
    metrics_.attach(server_);
    remotely(true);
  }
  void remotely(bool remote) {
    front_.set_guard(guard_, server_, remote);
    server::Peer peer;
    if (remote)
      peer.address = "192.0.2.7";
    else
      peer.process = server::Peer::Process{1, 0, 0};
    server_.set_peer(peer);
  }
  void bear(const std::string& scopes) {
    const std::string name = "t" + std::to_string(++made_);
    server_.set_fields(
        {{"authorization",
          "Bearer " +
              book_.create(name, access::parse_scopes(scopes).value(), 0, "uid 0", kNow).value()}});
  }
  int status(const std::string& path) {
    const auto id = server_.request("GET", path);
    const int status = server_.answer(id).status;
    front_.on_abort(id);
    return status;
  }

  static constexpr std::int64_t kNow = 1'795'471'445'000'000'000;
  store::TemporaryFolder folder_;
  ControlFixture node_{folder_.path()};
  access::TokenBook book_ = access::TokenBook::load(*node_.store).value();
  ManualClock clock_;
  access::Gate gate_{book_, clock_, [] { return kNow; }};
  std::unique_ptr<access::AuditLog> audit_ =
      access::AuditLog::open(node_.loop, folder_.path() + "/audit").value();
  TokenGuard guard_{node_.loop, gate_, *audit_};
  Api api_;
  NoInvoker invoker_;
  gateway::Gateway gateway_{invoker_, Origin::kOperator};
  MetricsFront metrics_{node_.loop,
                        {node_.engine, node_.functions, node_.breakers, node_.gateway, nullptr,
                         [] { return NodeFacts(); }}};
  ControlFront front_{api_, gateway_, metrics_};
  server::FakeServer server_{front_};
  int made_ = 0;
};

TEST_F(ControlFrontTest, RemotelyNothingIsCalledOrToldWithoutAToken) {
  EXPECT_EQ(status("/function/stock"), 401);
  EXPECT_EQ(status("/function/nobody"), 401);
  EXPECT_EQ(status("/metrics"), 401);
  EXPECT_EQ(invoker_.invoked, 0U);
  EXPECT_EQ(api_.asked, 0);
}

TEST_F(ControlFrontTest, TheApiIsLeftToAskForItself) {
  status("/v1/functions");
  status("/");
  EXPECT_EQ(api_.asked, 2);
}

TEST_F(ControlFrontTest, ACallNeedsInvokeInTheNamespaceOfTheFunction) {
  for (const char* scopes : {"default:read", "other:invoke", "other:admin"}) {
    bear(scopes);
    EXPECT_EQ(status("/function/stock"), 403) << scopes;
  }
  EXPECT_EQ(invoker_.invoked, 0U);
  for (const char* scopes : {"default:invoke", "default:deploy", "*:invoke"}) {
    bear(scopes);
    EXPECT_EQ(status("/function/stock/x"), 0) << scopes;
  }
  EXPECT_EQ(invoker_.invoked, 3U);
  EXPECT_EQ(invoker_.last.subject, "t6");
  EXPECT_TRUE(invoker_.last.fields.empty());  // the token is not the function's
  bear("default:invoke");
  EXPECT_EQ(status("/function/stock.other"), 403);
}

TEST_F(ControlFrontTest, MetricsAreOfTheNode) {
  bear("default:admin");
  EXPECT_EQ(status("/metrics"), 403);
  bear("*:read");
  EXPECT_NE(status("/metrics"), 403);
}

TEST_F(ControlFrontTest, WhatIsRefusedIsWrittenDown) {
  bear("default:read");
  EXPECT_EQ(status("/function/stock"), 403);
  const std::string lines = access::read_audit(audit_->folder(), {}).value();
  EXPECT_THAT(lines, HasSubstr(R"("actor":"token t1","from":"192.0.2.7","action":"invoke")"));
  EXPECT_THAT(lines, HasSubstr(R"("target":"stock","outcome":"refused","status":403)"));
  EXPECT_EQ(audit_->refused(), 1U);
}

TEST_F(ControlFrontTest, TheOwnerOfTheUnixSocketNeedsNoToken) {
  remotely(false);
  EXPECT_EQ(status("/function/stock"), 0);
  EXPECT_EQ(invoker_.invoked, 1U);
  EXPECT_EQ(invoker_.last.subject, "");
}

TEST_F(ControlFrontTest, TheOwnerCallsAsWhoseTokenIsShownAndGivesFunctionsCredentialsOfTheirOwn) {
  remotely(false);
  bear("default:read");
  EXPECT_EQ(status("/function/stock"), 403);
  bear("default:invoke");
  EXPECT_EQ(status("/function/stock"), 0);
  EXPECT_EQ(invoker_.last.subject, "t2");
  EXPECT_TRUE(invoker_.last.fields.empty());
  server_.set_fields({{"authorization", "Bearer of.a.function"}});
  EXPECT_EQ(status("/function/stock"), 0);
  EXPECT_EQ(invoker_.last.subject, "");
  EXPECT_EQ(invoker_.last.fields.size(), 1U);
}

}  // namespace
}  // namespace subito::node
