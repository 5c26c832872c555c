// A recorded life of a node is decided again to the letter by `subito simulate --replay`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

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

// What the simulator makes of the same calls is what the node did: cold starts and the seconds of
// pods within a tenth.
TEST_F(RecordTest, TheSimulatorAgreesWithTheNode) {
  LiveNode node({"--record", file_});
  node.start();
  node.deploy("echo", "echo", "scaling: {idle: 1s}");
  HttpClient client = node.client();
  for (int round = 0; round < 6; ++round) {
    EXPECT_TRUE(eventually([&] { return node.asleep("echo") && node.pods().empty(); }));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.get("/function/echo").status, 200);
  }
  EXPECT_TRUE(eventually([&] { return node.asleep("echo") && node.pods().empty(); }));
  EXPECT_EQ(node.stop(), 0);

  const Ran ran = run_program(
      {subito_binary(), "simulate", "--recorded", file_, "--policy", "instant", "-o", "json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json runs = Json::parse(ran.out).at("runs");
  const Json& live = runs.at(0);
  const Json& simulated = runs.at(1);
  EXPECT_EQ(live.at("policy"), "live");
  EXPECT_EQ(live.at("completed"), 600);
  EXPECT_GE(live.at("cold"), 6);
  for (const char* figure : {"completed", "cold", "starts", "podSeconds"}) {
    const double expected = live.at(figure).get<double>();
    EXPECT_NEAR(simulated.at(figure).get<double>(), expected, expected / 10) << figure;
  }
}

}  // namespace
}  // namespace subito::e2e
