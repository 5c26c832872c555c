// From zero and back: how a function wakes, answers, goes to sleep, and what a person sees of it.
#include <gmock/gmock.h>

#include <algorithm>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// "pooled", "fresh" or "warm" of a Server-Timing field.
std::string start_of(const HttpResponse& response) {
  const std::string timing = response.field("server-timing");
  const std::string before = "start;desc=";
  const std::size_t begin = timing.find(before);
  if (begin == timing.npos) return "no start in: " + timing;
  const std::size_t word = begin + before.size();
  return timing.substr(word, timing.find(';', word) - word);
}

// One call by each of the first clients, all at once; what is wrong with their answers.
std::string faults_of_burst(std::vector<HttpClient>& clients, std::size_t calls,
                            const std::string& function) {
  const std::string request = request_bytes("GET", "/function/" + function);
  std::string faults;
  for (std::size_t i = 0; i < calls; ++i) {
    if (!clients[i].write(request)) faults += "not written; ";
  }
  for (std::size_t i = 0; i < calls; ++i) {
    const HttpResponse answer = clients[i].read();
    if (answer.status == 200 && answer.whole() && answer.kept) continue;
    faults += std::to_string(answer.status) + " " + answer.error + answer.body + "; ";
  }
  return faults;
}

class LifecycleTest : public NodeTest {};

TEST_F(LifecycleTest, WakesAnswersWarmSleepsAndWakesAgain) {
  node.deploy("echo", "echo", "scaling: {idle: 300ms}");
  EXPECT_TRUE(eventually([&] { return node.asleep("echo") && node.pods().empty(); }));
  HttpClient client = node.client();
  const HttpResponse cold = client.post("/function/echo", "hello");
  EXPECT_EQ(cold.status, 200) << cold.error;
  EXPECT_EQ(cold.body, "hello");
  EXPECT_EQ(start_of(cold), "pooled");
  EXPECT_EQ(start_of(client.get("/function/echo")), "warm");
  EXPECT_TRUE(eventually([&] { return node.asleep("echo") && node.pods().empty(); }));
  EXPECT_EQ(start_of(client.get("/function/echo")), "pooled") << "on the same connection";
}

// Short bursts, by turns of one call and of more than a pod takes, each to a function that has no
// pod.
TEST_F(LifecycleTest, AnswersEveryCallOfAHundredTimesFromZeroAndBack) {
  constexpr int kTimes = 100, kClients = 6, kSandboxesKept = 8;
  node.deploy("pooled", "echo", "scaling: {idle: 2ms}");
  node.deploy("fresh", "echo", "start: fresh\nscaling: {idle: 2ms}");
  const auto at_rest = [&] {
    const Json pods = node.json({"get", "pods", "-o", "json"});
    return pods.at("items").empty() && pods.at("ready").at("sandboxes") == kSandboxesKept;
  };
  ASSERT_TRUE(eventually(at_rest));
  const std::size_t descriptors = open_descriptors(node.pid());
  const std::size_t groups = node.cgroups().size();
  std::vector<HttpClient> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(node.client());
  for (int time = 0; time < kTimes; ++time) {
    const std::size_t calls = time % 2 == 0 ? clients.size() : 1;
    for (const char* name : {"pooled", "fresh"}) {
      EXPECT_EQ(faults_of_burst(clients, calls, name), "") << name << ", time " << time;
    }
    ASSERT_TRUE(eventually([&] { return node.pods().empty(); })) << "time " << time;
  }
  EXPECT_TRUE(eventually(at_rest));
  for (const char* name : {"pooled", "fresh"}) {
    EXPECT_GE(node.pods_started(name), std::uint64_t{kTimes})
        << name << ": not from zero each time";
    EXPECT_TRUE(node.asleep(name)) << name;
  }
  clients.clear();
  // Beside those of the empty sandboxes, as many again and again at most are kept for pods to come.
  EXPECT_TRUE(eventually([&] { return node.cgroups().size() <= 3 * groups; }))
      << node.cgroups().size() << " groups, " << groups << " before";
  EXPECT_TRUE(eventually([&] { return open_descriptors(node.pid()) <= descriptors; }))
      << open_descriptors(node.pid()) << " descriptors, " << descriptors << " before";
}

TEST_F(LifecycleTest, StartsFreshWhenTheFunctionAsksForItAndWhenTheNodeKeepsNoSandboxes) {
  node.deploy("echo", "echo", "start: fresh");
  EXPECT_EQ(start_of(node.client().get("/function/echo")), "fresh");
  EXPECT_EQ(node.json({"get", "pods", "-o", "json"}).at("ready").at("sandboxes"), 8)
      << "the pool is not for it";
}

TEST_F(LifecycleTest, TellsEachChangeWhileItIsWatched) {
  node.deploy("echo", "echo", "scaling: {idle: 200ms}");
  Child watch = node.follow({"get", "pods", "-w"}, "watch");
  ASSERT_TRUE(eventually([&] { return !node.followed("watch").empty(); }));
  HttpClient client = node.client();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.get("/function/echo").status, 200);
  EXPECT_TRUE(eventually([&] {
    return node.followed("watch").find("echo-1 asleep") != std::string::npos;
  })) << node.followed("watch");
  const std::string said = node.followed("watch");
  EXPECT_THAT(said,
              ContainsRegex("Z echo-1 started [0-9.]+ (µs|ms|s) pooled, 1 waiting: no pod runs\n"));
  EXPECT_THAT(said, ContainsRegex("echo-1 asleep after [0-9.]+ (ms|s) idle, 3 requests\n"));
}

TEST_F(LifecycleTest, PrintsARowForEachFunctionThatChangesWhileItIsWatched) {
  node.deploy("echo", "echo", "scaling: {idle: 200ms}");
  ASSERT_TRUE(eventually([&] { return node.asleep("echo"); }));
  Child watch = node.follow({"get", "functions", "-w"}, "watch");
  ASSERT_TRUE(eventually([&] { return !node.followed("watch").empty(); }));
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  EXPECT_TRUE(eventually([&] {
    const std::string said = node.followed("watch");  // a row for it at first, then another
    return said.find("\necho ") != said.rfind("\necho ");
  })) << node.followed("watch");
  EXPECT_TRUE(watch.running()) << node.followed("watch.err");
}

TEST_F(LifecycleTest, PassesRequestIdAndTraceOnAndMakesThemWhenMissing) {
  node.deploy("echo", "echo");
  node.deploy("look", "look");
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  HttpClient client = node.client();
  const HttpResponse given =
      client.request("GET", "/function/echo?describe", {}, {{"x-request-id", "mine-17"}});
  EXPECT_EQ(given.field("x-request-id"), "mine-17");
  EXPECT_THAT(given.body, HasSubstr("request mine-17"));
  const HttpResponse made = client.get("/function/echo?describe");
  const std::string id = made.field("x-request-id");
  EXPECT_FALSE(id.empty());
  EXPECT_NE(id, "mine-17");
  EXPECT_THAT(made.body, HasSubstr("request " + id));
  EXPECT_EQ(client.request("GET", "/function/look/trace", {}, {{"traceparent", trace}}).body,
            trace);
  EXPECT_THAT(client.get("/function/look/trace").body, MatchesRegex("00-[0-9a-f]{32}-.*"));
}

TEST_F(LifecycleTest, KeepsMinimumAndStartsAnotherWhenItIsKilled) {
  node.deploy("echo", "echo", "scaling: {min: 2, idle: 100ms}");
  // The pod that checked the deploy is gone when both lists have two.
  std::vector<pid_t> before;
  ASSERT_TRUE(eventually([&] {
    before = node.pods();
    return before.size() == 2 && node.pod_list().size() == 2;
  }));
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  ::kill(before[0], SIGKILL);
  EXPECT_TRUE(eventually([&] {
    const auto now = node.pods();
    return now.size() == 2 && std::find(now.begin(), now.end(), before[0]) == now.end();
  }));
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  EXPECT_THAT(node.events("echo"), HasSubstr("PodCrashed"));
}

TEST_F(LifecycleTest, ServesRoutesOfAFunctionsOwn) {
  node.deploy("echo", "echo", "routes:\n  - path: /shop\n    stripPrefix: true");
  HttpClient client = node.client();
  EXPECT_THAT(client.get("/shop/anvils?describe").body, HasSubstr("GET /anvils?describe"));
  EXPECT_EQ(client.get("/shops").status, 404);
  EXPECT_EQ(client.get("/function/nobody").status, 404);
  EXPECT_EQ(client.get("/healthz").body, "ok\n");
}

TEST_F(LifecycleTest, ASecondNodeIsToldWhatItWouldTakeBeforeItStartsAnything) {
  const std::string address = "127.0.0.1:" + std::to_string(node.port());
  const Ran same =
      run_program({subito_binary(), "up", "--data", node.data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(same.exit_code, 1);
  EXPECT_EQ(same.err, "subito: open data folder " + node.data() +
                          ": a node runs there already (pid " + std::to_string(node.pid()) +
                          "); another one needs a folder and port of its own: subito up --data "
                          "FOLDER --listen ADDRESS:PORT\n");
  const std::string other = node.data() + "-other";
  const Ran taken = run_program({subito_binary(), "up", "--data", other, "--listen", address});
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_THAT(taken.err, HasSubstr("subito: listen on " + address + ": it is taken by "));
  EXPECT_THAT(taken.err, HasSubstr("another port: subito up --listen ADDRESS:PORT\n"));
  EXPECT_THAT(taken.out + taken.err, Not(HasSubstr("redis")));
}

TEST_F(LifecycleTest, RunsThePodInPlainCWithoutOurSdk) {
  node.deploy("plain", "plain-c");
  HttpClient client = node.client();
  EXPECT_EQ(client.get("/function/plain/hello").status, 200);
  const std::string text(300 << 10, 'c');
  EXPECT_TRUE(client.post("/function/plain/echo", text).body == text);
  EXPECT_EQ(client.get("/function/plain/nothing").status, 404);
}

TEST_F(LifecycleTest, GivesAFunctionFourDescriptorsAndNothingOfTheHost) {
  for (const char* mode : {"pooled", "fresh"}) {
    node.deploy("look", "look", "start: " + std::string(mode));
    HttpClient client = node.client();
    EXPECT_EQ(client.get("/function/look/descriptors").body, "0 1 2 3") << mode;
    EXPECT_EQ(client.get("/function/look/environment").body, "") << mode;
    const std::string root = client.get("/function/look/list?path=/").body;
    EXPECT_THAT(root, HasSubstr("proc"));
    for (const char* of_host : {"etc", "usr", "home", "root", "var", "sys", "bin"}) {
      EXPECT_THAT(root, Not(HasSubstr(of_host + std::string("\n")))) << mode;
    }
    EXPECT_THAT(client.get("/function/look/read?path=/etc/passwd").body, HasSubstr("No such file"));
    EXPECT_THAT(client.get("/function/look/list?path=/proc").body, Not(HasSubstr("sys\n")));
  }
}

}  // namespace
}  // namespace subito::e2e
