// How a node ends: in order, at once, and against its will.
#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

// A drain may take 10 s; a node asked twice does not wait for it.
constexpr milliseconds kAtOnce = seconds(8);

using testing::HasSubstr;

class ShutdownTest : public NodeTest {
 protected:
  void expect_nothing_left(milliseconds limit = kPatience) const {
    EXPECT_TRUE(eventually([&] { return node.leftovers().empty(); }, limit)) << node.leftovers();
  }
};

TEST_F(ShutdownTest, LetsWhatRunsEndAndRefusesWhatComes) {
  node.deploy("echo", "echo");
  HttpClient running = node.client();
  HttpClient kept = node.client();
  EXPECT_EQ(kept.get("/function/echo").status, 200);
  ASSERT_TRUE(running.write(request_bytes("POST", "/function/echo?sleep_ms=1000", "patience")));
  EXPECT_TRUE(eventually([&] { return node.pod_list()[0].at("state") == "busy"; }));
  node.process().signal(SIGTERM);
  // New connections are refused as soon as it has understood.
  EXPECT_TRUE(eventually([&] { return !node.client().connected(); }));
  const HttpResponse late = kept.get("/function/echo");
  EXPECT_TRUE(late.status == 503 || !late.whole()) << late.status;
  const HttpResponse answer = running.read();
  EXPECT_EQ(answer.status, 200) << answer.error;
  EXPECT_EQ(answer.body, "patience");
  EXPECT_EQ(node.process().wait(), 0);
  expect_nothing_left();
}

TEST(ShutdownDelayTest, SaysThatItIsNotReadyBeforeItDrains) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  LiveNode node({"--shutdown-delay", "3s"});
  node.start();
  node.deploy("echo", "echo");
  EXPECT_EQ(node.client().get("/readyz").status, 200);
  node.process().signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return node.client().get("/readyz").status == 503; }));
  EXPECT_EQ(node.client().post("/function/echo", "late").body, "late") << "on a new connection";
  EXPECT_EQ(node.process().wait(), 0);
  EXPECT_EQ(node.output().find("Redis is stop"), std::string::npos) << "no fault: it was asked to";
}

TEST_F(ShutdownTest, EndsInOrderUnderTraffic) {
  node.deploy("echo", "echo", "scaling: {idle: 5ms}");
  std::atomic<int> wrong = 0;
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      HttpClient client = node.client();
      for (;;) {
        const HttpResponse answer = client.post("/function/echo", "x");
        if (answer.status == 200 && answer.whole()) ++good;
        if (answer.status == 200 && answer.whole() && answer.kept) continue;
        const bool allowed = answer.status == 200 || answer.status == 503 || answer.closed ||
                             answer.error == "not connected";
        if (!allowed) ++wrong;
        return;
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return good > 200; }));
  EXPECT_EQ(node.stop(), 0) << node.output();
  for (auto& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
  expect_nothing_left();
}

TEST_F(ShutdownTest, EndsAtOnceWhenAskedTwiceAndLeavesNothing) {
  node.deploy("misbehave", "misbehave", "timeout: 15m");
  HttpClient running = node.client();
  ASSERT_TRUE(running.write(request_bytes("GET", "/function/misbehave/sleep")));
  EXPECT_TRUE(eventually([&] { return !node.pods().empty(); }));
  node.process().signal(SIGINT);
  EXPECT_TRUE(eventually([&] { return !node.client().connected(); }));
  node.process().signal(SIGINT);
  EXPECT_EQ(node.process().wait(kAtOnce), 1);
  // The file of the API socket and the group of the cgroups are the next start's to remove.
  EXPECT_TRUE(eventually([&] { return reap_orphans() == 0; })) << node.leftovers();
  node.start();
  EXPECT_EQ(node.client().get("/function/misbehave/noise").status, 200);
}

TEST_F(ShutdownTest, SaysSoAndLeavesNothingWhenItsLauncherIsKilled) {
  node.deploy("echo", "echo", "scaling: {min: 2}");
  ASSERT_TRUE(eventually([&] { return node.pods().size() == 2; }));
  ::kill(node.launcher(), SIGKILL);
  EXPECT_EQ(node.process().wait(), 1);
  EXPECT_THAT(node.output(), HasSubstr("launcher"));
  expect_nothing_left();
  node.start();
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
}

}  // namespace
}  // namespace subito::e2e
