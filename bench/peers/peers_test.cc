#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/peers/listening_handler.h"
#include "bench/peers/nginx.h"

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

}  // namespace
}  // namespace subito::bench
