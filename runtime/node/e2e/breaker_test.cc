// Circuit breakers of calls: opened from many pods, still open when all of them are gone, closed
// again by a call on trial.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kPods = 4;

class BreakerTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped()) return;
    node.deploy("stock", "echo");
    node.deploy("slow", "echo");
  }

  // A caller with so many pods, one call each at a time.
  void deploy_caller(const std::string& breaker) const {
    node.deploy("shop", "probe",
                "calls: [stock, slow]\nscaling: {min: " + std::to_string(kPods) +
                    "}\nbreakers: [{call: stock, " + breaker + "}]");
  }
  Json breaker() const { return node.function("shop").at("breakers").at(0); }
  std::string state() const { return breaker().at("state"); }
  std::uint64_t calls_of_stock() const { return node.function("stock").at("requestsServed"); }
  HttpResponse call(const std::string& path) const {
    return node.client().get("/function/shop/call/stock" + path);
  }

  std::vector<pid_t> pids_of_shop() const {
    std::vector<pid_t> pids;
    for (const Json& pod : node.pod_list()) {
      if (pod.at("function") == "shop") pids.push_back(pod.at("hostPid"));
    }
    return pids;
  }

  // Each pod holds one request, waits for `slow`, and has one call of stock fail meanwhile.
  void fail_from_all_pods() const {
    std::vector<std::thread> clients;
    for (int i = 0; i < kPods; ++i) {
      clients.emplace_back([this] {
        const HttpResponse answer =
            node.client().post("/function/shop/calls",
                               "start slow GET /?sleep_ms=300 0\nstart stock GET /status/503 0\n"
                               "get 2\nget 1\n");
        EXPECT_THAT(answer.body, HasSubstr("2 503"));
      });
    }
    for (std::thread& client : clients) client.join();
  }
};

TEST_F(BreakerTest, OpensFromManyPodsAndStaysOpenWhenAllOfThemAreGone) {
  deploy_caller("failures: " + std::to_string(kPods) + ", open: 1h");
  ASSERT_TRUE(eventually([&] { return pids_of_shop().size() == kPods; }));
  EXPECT_EQ(call("/status/200").status, 200);
  fail_from_all_pods();
  int served = 0;
  for (const Json& pod : node.pod_list()) {
    served += pod.at("function") == "shop" && pod.at("requestsServed") > 0 ? 1 : 0;
  }
  EXPECT_GE(served, 2) << "one pod served all";
  EXPECT_EQ(state(), "open");
  const std::uint64_t calls = calls_of_stock();

  const std::vector<pid_t> before = pids_of_shop();
  for (const pid_t pid : before) ::kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    for (const pid_t pid : pids_of_shop()) {
      if (std::find(before.begin(), before.end(), pid) != before.end()) return false;
    }
    return true;
  }));
  for (int i = 0; i < 10; ++i) {
    const HttpResponse refused = call("/status/200");
    EXPECT_EQ(refused.status, 502);
    EXPECT_THAT(refused.body, HasSubstr("circuit-open"));
    EXPECT_THAT(refused.body, HasSubstr("it answered 503"));
  }
  EXPECT_EQ(calls_of_stock(), calls) << "it was called while the breaker was open";
  EXPECT_THAT(node.cli({"describe", "function", "shop"}).out, HasSubstr("stock: open for "));
  EXPECT_THAT(node.events("shop"), HasSubstr("CircuitOpened calls to stock: 4 of 5 failed within"));

  // Deployed anew with the same settings it stays open, with others it begins closed.
  node.deploy("shop", "probe",
              "calls: [stock, slow]\nbreakers: [{call: stock, failures: 4, open: 1h}]");
  EXPECT_THAT(call("/status/200").body, HasSubstr("circuit-open"));
  deploy_caller("failures: 100, open: 1h");
  EXPECT_EQ(state(), "closed");
  EXPECT_EQ(call("/status/200").status, 200);
}

TEST_F(BreakerTest, ClosesByACallOnTrial) {
  deploy_caller("failures: 2, open: 50ms, probes: 2");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(call("/status/500").status, 500);
  ASSERT_TRUE(eventually([&] { return state() == "half-open"; }));
  EXPECT_EQ(call("/status/500").status, 500);  // a trial that fails
  EXPECT_THAT(node.events("shop"), Not(HasSubstr("CircuitClosed")));
  ASSERT_TRUE(eventually([&] { return state() == "half-open"; }));
  EXPECT_EQ(call("/status/200").status, 200);
  EXPECT_EQ(state(), "half-open") << "one more is wanted";
  EXPECT_EQ(call("/status/404").status, 404);
  EXPECT_EQ(state(), "closed");
  EXPECT_THAT(node.events("shop"),
              HasSubstr("CircuitClosed calls to stock are answered again, after "));
}

TEST_F(BreakerTest, ACallThatTakesTooLongIsAFailureAndADeletedCallerIsForgotten) {
  node.deploy("stock", "echo", "timeout: 100ms");
  deploy_caller("failures: 1, open: 1h");
  EXPECT_THAT(call("/?sleep_ms=3600000").body, HasSubstr("deadline-exceeded"));
  EXPECT_THAT(call("/").body, HasSubstr("circuit-open"));
  EXPECT_EQ(node.cli({"delete", "shop"}).exit_code, 0);
  deploy_caller("failures: 1, open: 1h");
  EXPECT_EQ(call("/").status, 200);
}

}  // namespace
}  // namespace subito::e2e
