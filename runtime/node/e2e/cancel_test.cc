// Handlers past their deadline, and handlers whose client has left.
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

class CancelTest : public NodeTest {
 protected:
  // How many of `count` calls are answered 200.
  int healthy(const std::string& target, int count) const {
    HttpClient client = node.client();
    int good = 0;
    for (int i = 0; i < count; ++i) {
      const HttpResponse answer = client.get(target);
      if (answer.status == 200) ++good;
      if (answer.status != 200)
        ADD_FAILURE() << answer.status << " " << answer.error << answer.body;
    }
    return good;
  }
};

TEST_F(CancelTest, EndsACooperativeHandlerAtItsDeadlineAndKeepsThePod) {
  node.deploy("echo", "echo", "timeout: 300ms\nscaling: {max: 1}");
  HttpClient client = node.client();
  EXPECT_EQ(client.get("/function/echo").status, 200);
  const auto pods = node.pods();
  const HttpResponse late = client.get("/function/echo?sleep_ms=60000");
  EXPECT_EQ(late.status, 504) << late.error;
  EXPECT_THAT(late.body, HasSubstr("deadline-exceeded"));
  EXPECT_THAT(late.field("content-type"), HasSubstr("application/problem+json"));
  EXPECT_EQ(client.get("/function/echo").status, 200);
  EXPECT_EQ(node.pods(), pods) << "the same one";
  EXPECT_THAT(node.logs("echo"), HasSubstr("answered 504 deadline-exceeded"));
}

TEST_F(CancelTest, KillsAPodThatLoopsForEverWhileAHundredHealthyCallsBesideItNoticeNothing) {
  node.deploy("misbehave", "misbehave", "timeout: 1s\nconcurrency: 4");
  node.deploy("echo", "echo");
  ASSERT_EQ(healthy("/function/misbehave/noise", 1), 1);
  HttpResponse looped;
  std::thread looper([&] { looped = node.client().get("/function/misbehave/loop"); });
  int others = 0;
  std::thread beside([&] { others = healthy("/function/echo", 100); });
  EXPECT_EQ(healthy("/function/misbehave/noise", 100), 100) << "in the same function";
  looper.join();
  beside.join();
  EXPECT_EQ(others, 100) << "in another";
  EXPECT_EQ(looped.status, 504) << looped.error;
  EXPECT_TRUE(eventually([&] {
    return node.events("misbehave").find("PodStopped") != std::string::npos;
  })) << node.events("misbehave");
  const std::string logs = node.logs("misbehave");
  EXPECT_THAT(logs, HasSubstr("answered 504 deadline-exceeded"));
  EXPECT_THAT(logs, HasSubstr("killed"));
  EXPECT_EQ(healthy("/function/misbehave/noise", 1), 1) << "from a new pod";
}

TEST_F(CancelTest, LetsHealthyCallsInTheLoopingPodEndBeforeItIsKilled) {
  node.deploy("misbehave", "misbehave", "timeout: 500ms\nconcurrency: 8\nscaling: {max: 1}");
  ASSERT_EQ(healthy("/function/misbehave/noise", 1), 1);
  std::thread looper([&] { (void)node.client().get("/function/misbehave/loop"); });
  EXPECT_TRUE(eventually([&] { return node.pod_list()[0].at("inFlight") == 1; }));
  // The pod is killed and a new one started while these go on, in it and after it.
  const auto end = SteadyClock::now() + seconds(3);
  while (SteadyClock::now() < end && !HasFailure()) healthy("/function/misbehave/noise", 5);
  looper.join();
}

TEST_F(CancelTest, CancelsAHandlerWhoseClientLeft) {
  node.deploy("echo", "echo", "timeout: 15m");
  HttpClient client = node.client();
  ASSERT_TRUE(client.write(request_bytes("GET", "/function/echo?sleep_ms=600000")));
  EXPECT_TRUE(eventually([&] { return node.pod_list()[0].at("state") == "busy"; }));
  const auto pods = node.pods();
  client.close();
  EXPECT_TRUE(eventually([&] { return node.pod_list()[0].at("state") == "idle"; }));
  EXPECT_EQ(healthy("/function/echo", 1), 1);
  EXPECT_EQ(node.pods(), pods) << "the same one";
}

TEST_F(CancelTest, KillsAPodThatDoesNotYieldWhenItsClientLeft) {
  node.deploy("misbehave", "misbehave", "timeout: 15m");
  HttpClient client = node.client();
  ASSERT_TRUE(client.write(request_bytes("GET", "/function/misbehave/sleep")));
  EXPECT_TRUE(eventually([&] {
    const Json pods = node.pod_list();
    return pods.size() == 1 && pods[0].at("state") == "busy";
  }));
  client.close();
  EXPECT_TRUE(eventually([&] { return node.pods().empty(); }));
  EXPECT_THAT(node.logs("misbehave"),
              HasSubstr("killed: its handler went on after its client had left"));
}

TEST_F(CancelTest, TellsWhereAHandlerWasThatWentOnPastItsDeadline) {
  node.deploy("misbehave", "misbehave", "timeout: 100ms");
  EXPECT_EQ(node.client().get("/function/misbehave/loop?token=secret").status, 504);
  EXPECT_TRUE(eventually([&] {
    return node.events("misbehave").find("PodStopped") != std::string::npos;
  })) << node.events("misbehave");
  const std::string logs = node.logs("misbehave", {"--previous"});
  const std::string said = "killed: its handler went on past its deadline; raise spec.timeout";
  EXPECT_THAT(logs, HasSubstr(said));
  EXPECT_EQ(logs.find("killed"), logs.rfind("killed")) << "said once\n" << logs;
  EXPECT_THAT(logs, HasSubstr("\n  answering GET /loop\n  at (anonymous namespace)::loop("));
  EXPECT_THAT(logs, HasSubstr(" request="));
  EXPECT_THAT(node.events("misbehave"), HasSubstr("past its deadline in (anonymous namespace)::l"));
  EXPECT_THAT(node.events("misbehave"), HasSubstr(", answering GET /loop"));
}

TEST_F(CancelTest, RefusesWhoWaitsTooLongForAPod) {
  node.deploy("echo", "echo", "timeout: 400ms\nscaling: {max: 1, queueLimit: 1}");
  std::vector<HttpResponse> answers(3);
  std::vector<std::thread> clients;
  for (auto& answer : answers) {
    clients.emplace_back([&] { answer = node.client().get("/function/echo?sleep_ms=60000"); });
  }
  for (auto& client : clients) client.join();
  int full = 0;
  int late = 0;
  for (const auto& answer : answers) {
    full += answer.status == 429;
    late += answer.status == 504;
  }
  EXPECT_EQ(full, 1) << "one runs, one waits, one is too many";
  EXPECT_EQ(late, 2);
}

}  // namespace
}  // namespace subito::e2e
