// A recorded life of a node is decided again to the letter by `subito simulate --replay`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

constexpr int kFunctions = 4;

using testing::HasSubstr;
using testing::StartsWith;

class RecordTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  }
  void TearDown() override { std::filesystem::remove(file_); }
  const std::string file_ = testing::TempDir() + "record-test-recording";
};

TEST_F(RecordTest, ARecordedNodeReplaysToTheIdenticalDecisions) {
  LiveNode node({"--record", file_});
  node.start();
  node.deploy("echo", "echo", "scaling: {idle: 300ms, max: 3}");
  node.deploy("other", "echo");
  HttpClient client = node.client();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.get(i % 3 == 0 ? "/function/other" : "/function/echo").status, 200);
  }
  EXPECT_EQ(node.stop(), 0);

  const Ran same = run_program({subito_binary(), "simulate", "--replay", file_});
  EXPECT_EQ(same.exit_code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, StartsWith("identical: "));

  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 3);
  const Ran broken = run_program({subito_binary(), "simulate", "--replay", file_});
  EXPECT_EQ(broken.exit_code, 5);
  EXPECT_THAT(broken.err, HasSubstr("the file ends within a record"));
}

// Calls four functions in turn for a minute, at gaps about as long as their idle time, so that
// about a third of the calls find no pod.
void call_for_a_minute(const LiveNode& node, std::uint32_t seed) {
  HttpClient client = node.client();
  std::mt19937 random(seed);
  std::exponential_distribution<double> gap_ms(1 / 120.0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(gap_ms(random)));
    const std::string name(1, static_cast<char>('a' + random() % kFunctions));
    EXPECT_EQ(client.get("/function/" + name + "?burn_ms=5").status, 200);
  }
}

// What the simulator makes of the same calls is what the node did: cold starts and the seconds of
// pods within a tenth.
TEST_F(RecordTest, TheSimulatorAgreesWithTheNodeOverAMinute) {
  LiveNode node({"--record", file_});
  node.start();
  for (char name = 'a'; name < 'a' + kFunctions; ++name) {
    node.deploy(std::string(1, name), "echo", "scaling: {idle: 300ms}");
  }
  std::thread other([&] { call_for_a_minute(node, 1); });
  call_for_a_minute(node, 2);
  other.join();
  EXPECT_TRUE(eventually([&] { return node.pods().empty(); }));
  EXPECT_EQ(node.stop(), 0);

  EXPECT_EQ(run_program({subito_binary(), "simulate", "--replay", file_}).exit_code, 0);
  const Ran ran = run_program(
      {subito_binary(), "simulate", "--recorded", file_, "--policy", "instant", "-o", "json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json runs = Json::parse(ran.out).at("runs");
  const Json& live = runs.at(0);
  const Json& simulated = runs.at(1);
  EXPECT_EQ(live.at("policy"), "live");
  EXPECT_GT(live.at("completed"), 500);
  EXPECT_GT(live.at("cold"), 100);
  for (const char* figure : {"completed", "cold", "starts", "podSeconds"}) {
    const double expected = live.at(figure).get<double>();
    const double found = simulated.at(figure).get<double>();
    EXPECT_NEAR(found, expected, expected / 10) << figure;
    RecordProperty(figure,
                   std::to_string(expected) + " live, " + std::to_string(found) + " simulated");
  }
}

}  // namespace
}  // namespace subito::e2e
