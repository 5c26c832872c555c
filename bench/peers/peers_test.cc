#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/peers/listening_handler.h"
#include "bench/peers/nginx.h"
#include "bench/peers/peer.h"

namespace subito::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ListeningHandler, SaysWhereItListens) {
  const auto tcp = parse_listens("measured listens on http://127.0.0.1:4711");
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->host, "127.0.0.1");
  EXPECT_EQ(tcp->port, 4711);
  const auto socket = parse_listens("measured listens on unix:/run/a.sock");
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->socket_path, "/run/a.sock");
  EXPECT_FALSE(parse_listens("measured: no such address"));
}

TEST(ListeningHandler, TellsWhatDidNotStart) {
  const auto handler = ListeningHandler::start("/nonexistent", "127.0.0.1:0");
  ASSERT_FALSE(handler);
  EXPECT_THAT(handler.error().message, HasSubstr("start /nonexistent --listen 127.0.0.1:0"));
}

TEST(NginxConfig, ProxiesOnKeptAliveConnections) {
  const std::string config = nginx_config({"/run/up.sock", {}}, "/run/bench", "127.0.0.1:80");
  EXPECT_THAT(config, HasSubstr("server unix:/run/up.sock;"));
  EXPECT_THAT(config, HasSubstr("proxy_set_header Connection \"\";"));
  EXPECT_THAT(config, HasSubstr("keepalive 512;"));
  EXPECT_THAT(config, HasSubstr("listen 127.0.0.1:80;"));
  EXPECT_THAT(config, HasSubstr("worker_processes 1;"));
  EXPECT_THAT(config, Not(HasSubstr("return 200")));
}

TEST(NginxConfig, AnswersByItself) {
  const std::string config =
      nginx_config({"", {{"/a", ""}, {"/b", R"({"x":1})"}}}, "/run/bench", "unix:/run/n.sock");
  EXPECT_THAT(config, HasSubstr("location = /a { return 200 ''; }"));
  EXPECT_THAT(config, HasSubstr(R"(location = /b { return 200 '{"x":1}'; })"));
  EXPECT_THAT(config, HasSubstr("listen unix:/run/n.sock;"));
  EXPECT_THAT(config, Not(HasSubstr("proxy_pass")));
}

PeerPlace place() {
  return {"/run/bench", "/cache/peers", "/usr/bin/peer", 4711, "/run/up.sock", "/bin/classic"};
}

TEST(PeerPlans, EachListensWhereItIsTold) {
  for (const PeerPlan& plan : peer_plans()) {
    std::string all;
    for (const auto& [name, text] : plan.files(place())) all += text;
    for (const std::string& word : plan.command(place())) all += " " + word;
    EXPECT_THAT(all, HasSubstr("4711")) << plan.name;
    EXPECT_THAT(all, HasSubstr("/usr/bin/peer")) << plan.name;
    const bool proxies = plan.kind == PeerKind::kProxy;
    EXPECT_EQ(all.find("/run/up.sock") != all.npos, proxies) << plan.name;
    EXPECT_EQ(all.find("/bin/classic") != all.npos, plan.kind == PeerKind::kFork) << plan.name;
    EXPECT_EQ(find_plan(plan.name), &plan);
  }
  EXPECT_EQ(find_plan("apache"), nullptr);
}

TEST(PeerPlans, OneThatIsNotInstalledSaysWhatToInstall) {
  PeerPlan plan = peer_plans().front();
  plan.programs = {"/nonexistent/haproxy"};
  const auto found = Peer::start(plan, "/run/up.sock");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(found.error().message,
            "find haproxy: it is not installed; Debian package haproxy: subito bench peers "
            "--install");
}

}  // namespace
}  // namespace subito::bench
