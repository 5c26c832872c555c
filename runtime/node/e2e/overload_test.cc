// A node with less room than is asked of it: right answers, and nobody pays for another's flood.
#include <gmock/gmock.h>

#include <fstream>
#include <future>
#include <map>
#include <set>
#include <vector>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

std::vector<HttpResponse> get_at_once(const LiveNode& node, const std::string& target, int count) {
  std::vector<std::future<HttpResponse>> asked;
  for (int i = 0; i < count; ++i)
    asked.push_back(std::async(std::launch::async, [&] { return node.client().get(target); }));
  std::vector<HttpResponse> answers;
  for (auto& answer : asked) answers.push_back(answer.get());
  return answers;
}

// How many answers have each status. Those that refuse say when to come back.
std::map<int, int> count(const std::vector<HttpResponse>& answers) {
  std::map<int, int> counts;
  for (const HttpResponse& answer : answers) {
    ++counts[answer.status];
    if (answer.status == 429) {
      EXPECT_GE(std::atoi(answer.field("retry-after").c_str()), 1) << answer.body;
    }
  }
  return counts;
}

// How many pods the kernel gives half of what a pod starts with.
std::size_t pods_with_half_the_cpu(const LiveNode& node) {
  std::set<std::string> pods;  // a hierarchy may be there under two names
  for (const std::string& group : node.cgroups()) {
    for (const char* file : {"/cpu.shares", "/cpu.weight"}) {  // version 1, version 2
      int share = 0;
      std::ifstream(group + file) >> share;
      if (share == 512 || share == 50) pods.insert(group.substr(group.rfind('/')));
    }
  }
  return pods.size();
}

TEST(OverloadTest, BusyPodsOfAFunctionShareWhatOnePodGetsOfTheCpu) {
  LiveNode node;
  node.start();
  node.deploy("two", "echo", "scaling: {min: 2}");
  ASSERT_TRUE(eventually([&] { return node.pod_list().size() == 2; }));
  auto both = std::async(std::launch::async,
                         [&] { return get_at_once(node, "/function/two?sleep_ms=1500", 2); });
  EXPECT_TRUE(eventually([&] { return pods_with_half_the_cpu(node) == 2; }));
  EXPECT_EQ(count(both.get()), (std::map<int, int>{{200, 2}}));
  // The next one has it alone; the other is idle and is not told.
  auto alone = std::async(std::launch::async,
                          [&] { return get_at_once(node, "/function/two?sleep_ms=1500", 1); });
  EXPECT_TRUE(eventually([&] { return pods_with_half_the_cpu(node) == 1; }));
  EXPECT_EQ(count(alone.get()), (std::map<int, int>{{200, 1}}));
  EXPECT_EQ(node.stop(), 0);
}

// With as many callers under way as the node has places, all of them wait for one that calls
// nobody.
TEST(OverloadTest, CallsBetweenFunctionsEndThoughCallersCouldTakeEveryPlace) {
  constexpr int kPlaces = 4, kCallers = 3 * kPlaces;
  LiveNode node({"--pods", std::to_string(kPlaces)});
  node.start();
  node.deploy("echo", "echo");
  node.deploy("middle", "probe", "calls: [echo]");
  node.deploy("top", "probe", "calls: [middle]");
  const auto counts =
      count(get_at_once(node, "/function/top/call/middle/call/echo/any?sleep_ms=20", kCallers));
  EXPECT_EQ(counts, (std::map<int, int>{{200, kCallers}}));
  EXPECT_EQ(node.stop(), 0);
}

TEST(OverloadTest, AFloodIsAnswered429ForItsOwnExcessAndNobodyElseIs) {
  constexpr int kFlood = 60, kPods = 2, kQueue = 10;
  LiveNode node({"--pods", "4"});
  node.start();
  node.deploy("flood", "echo", "scaling: {max: 2, queueLimit: 10}");
  node.deploy("quiet", "echo");
  auto flood = std::async(std::launch::async, [&] {
    return get_at_once(node, "/function/flood?sleep_ms=300", kFlood);
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(node.client().get("/function/quiet").status, 200);
  const auto counts = count(flood.get());
  EXPECT_EQ(counts.size(), 2U) << testing::PrintToString(counts);
  EXPECT_GE(counts.at(200), kPods + kQueue);
  EXPECT_EQ(counts.at(200) + counts.at(429), kFlood);
  EXPECT_EQ(node.stop(), 0);
}

TEST(OverloadTest, WorkStartsNoMorePodsThanTheCoresAreWorth) {
  constexpr int kAtOnce = 48;
  LiveNode node({"--pods", "64"});
  node.start();
  node.deploy("work", "echo", "scaling: {max: 64}");
  node.deploy("wait", "echo", "scaling: {max: 64}");
  for (int i = 0; i < 12; ++i) {  // the first is not told, and eight must be
    EXPECT_EQ(node.client().get("/function/work?burn_ms=5").status, 200);
    EXPECT_EQ(node.client().get("/function/wait?sleep_ms=20").status, 200);
  }
  EXPECT_GE(node.function("work").at("scaling").at("cpuMicros"), 5000);
  EXPECT_EQ(count(get_at_once(node, "/function/work?burn_ms=5", kAtOnce)),
            (std::map<int, int>{{200, kAtOnce}}));
  EXPECT_EQ(count(get_at_once(node, "/function/wait?sleep_ms=200", kAtOnce)),
            (std::map<int, int>{{200, kAtOnce}}));
  // A busy machine makes calls look as if they waited for something; hence the margin.
  EXPECT_LE(node.pods_started("work"), kAtOnce / 2);
  EXPECT_GE(node.pods_started("wait"), kAtOnce / 2);
  EXPECT_EQ(node.stop(), 0);
}

TEST(OverloadTest, LimitsWhatIsInFlightAndRefusesWhatCannotBeInTime) {
  LiveNode node;
  node.start();
  node.deploy("few", "echo", "scaling: {inFlightMax: 2}");
  auto counts = count(get_at_once(node, "/function/few?sleep_ms=3000", 6));
  EXPECT_EQ(counts, (std::map<int, int>{{200, 2}, {429, 4}}));
  node.deploy("slow", "echo", "timeout: 1s\nscaling: {max: 1}");
  EXPECT_EQ(node.client().get("/function/slow?sleep_ms=400").status, 200);  // measured
  const auto answers = get_at_once(node, "/function/slow?sleep_ms=400", 12);
  counts = count(answers);
  EXPECT_GT(counts[429], 0);
  EXPECT_THAT(answers, testing::Contains(testing::Field(&HttpResponse::body,
                                                        testing::HasSubstr("queue-too-long"))));
  EXPECT_EQ(node.stop(), 0);
}

}  // namespace
}  // namespace subito::e2e
