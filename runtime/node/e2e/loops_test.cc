// A node whose clients are served by several loops.
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr int kConnections = 32;  // the kernel spreads them over the loops
constexpr std::uint64_t kLargeBytes = 8 << 20;

class LoopsTest : public testing::Test {
 protected:
  LoopsTest() : node({"--loops", "2"}) {}
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "a loop needs a core";
    node.start();
  }
  // A fresh connection for each: all loops are asked.
  std::map<int, int> statuses(const std::string& target, const http::Fields& fields = {}) const {
    std::map<int, int> counts;
    for (int i = 0; i < kConnections; ++i)
      ++counts[node.client().request("GET", target, "", fields).status];
    return counts;
  }
  LiveNode node;
};

TEST_F(LoopsTest, AllKnowAFunctionAsSoonAsItsDeployIsAnsweredAndCountWhatTheyAnswered) {
  EXPECT_EQ(statuses("/function/echo"), (std::map<int, int>{{404, kConnections}}));
  node.deploy("echo", "echo");
  EXPECT_EQ(statuses("/function/echo"), (std::map<int, int>{{200, kConnections}}));
  EXPECT_EQ(statuses("/readyz"), (std::map<int, int>{{200, kConnections}}));
  const Ran page =
      run_program({"/usr/bin/curl", "-sS", "--unix-socket", node.socket(), "http://node/metrics"});
  EXPECT_THAT(page.out,
              HasSubstr("subito_http_requests_total{route=\"/function/*\",code=\"2xx\"} " +
                        std::to_string(kConnections) + "\n"));
  EXPECT_THAT(page.out, HasSubstr("\nsubito_gateway_loop_requests_total{loop=\"1\"} "));
  node.deploy("guarded", "echo", "auth: token");
  EXPECT_EQ(statuses("/function/guarded"), (std::map<int, int>{{401, kConnections}}));
  EXPECT_EQ(statuses("/function/guarded", {{"authorization", "Bearer none"}}).count(200), 0U);
  EXPECT_EQ(node.cli({"delete", "echo"}).exit_code, 0);
  EXPECT_EQ(statuses("/function/echo"), (std::map<int, int>{{404, kConnections}}));
  EXPECT_EQ(node.stop(), 0) << node.output();
}

TEST_F(LoopsTest, LargeBodiesGoBothWaysAtOnce) {
  node.deploy("echo", "echo", "bodyMax: 1Gi\nscaling: {max: 4}");
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      HttpClient client(node.port(), seconds(60));
      HttpClient::Transfer transfer;
      transfer.head =
          "POST /function/echo/stream HTTP/1.1\r\nhost: n\r\ntransfer-encoding: chunked\r\n\r\n";
      transfer.upload_bytes = kLargeBytes;
      transfer.chunked = true;
      std::uint64_t got = 0;
      bool same = true;
      transfer.on_body = [&](std::string_view piece) {
        same = same && piece == HttpClient::piece_at(got, piece.size());
        got += piece.size();
      };
      const HttpResponse answer = client.transfer(transfer);
      EXPECT_EQ(answer.status, 200) << answer.error;
      EXPECT_EQ(got, kLargeBytes);
      EXPECT_TRUE(same);
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(node.stop(), 0) << node.output();
}

TEST_F(LoopsTest, WhoLeavesIsNoticedAndWhatIsTooMuchIsRefused) {
  node.deploy("few", "echo", "timeout: 5m\nscaling: {max: 1, inFlightMax: 4}");
  std::vector<HttpClient> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(node.client());
    ASSERT_TRUE(waiting.back().write(request_bytes("GET", "/function/few?sleep_ms=200000")));
  }
  // One runs, or is about to, the others wait: what comes earlier would be one of the four.
  EXPECT_TRUE(eventually([&] { return node.function("few").at("waiting") == 3; }));
  EXPECT_EQ(statuses("/function/few"), (std::map<int, int>{{429, kConnections}}));
  for (HttpClient& client : waiting) client.close();
  EXPECT_TRUE(eventually([&] { return node.client().get("/function/few").status == 200; }));
  EXPECT_EQ(node.stop(), 0) << node.output();
}

TEST_F(LoopsTest, EndsInOrderUnderTrafficAndLosesNothing) {
  node.deploy("echo", "echo", "scaling: {idle: 5ms}");
  std::atomic<int> wrong = 0;
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&, i] {
      HttpClient client = node.client();
      for (int n = 0;; ++n) {
        const std::string body = std::to_string(i) + "/" + std::to_string(n);
        const HttpResponse answer = client.post("/function/echo", body);
        if (answer.status == 200 && answer.whole()) {
          ++(answer.body == body ? good : wrong);
          if (answer.kept) continue;
        } else if (answer.status != 503 && !answer.closed && answer.error != "not connected") {
          ++wrong;
        }
        return;
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return good > 500; }));
  EXPECT_EQ(node.stop(), 0) << node.output();
  for (auto& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(LoopsTest, APortOfAnotherNodeIsNotShared) {
  const Ran ran =
      run_program({subito_binary(), "up", "--loops", "2", "--listen",
                   "127.0.0.1:" + std::to_string(node.port()), "--data", node.data() + "/other"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("it is taken by subito"));
  EXPECT_EQ(node.stop(), 0) << node.output();
}

TEST(LoopsOptionTest, MoreLoopsThanCoresAreRefused) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  if (::sysconf(_SC_NPROCESSORS_ONLN) > 63) GTEST_SKIP() << "it has as many cores";
  const Ran ran =
      run_program({subito_binary(), "up", "--loops", "64", "--data", "/nowhere/subito"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("choose no more loops than that"));
}

}  // namespace
}  // namespace subito::e2e
