// kill -9 of everything, at any moment: what was acknowledged is there again, nothing else is.
#include <gmock/gmock.h>

#include <csignal>
#include <random>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr int kRounds = 20;

class KillTest : public NodeTest {
 protected:
  std::uint64_t revision() const { return node.function("echo").at("revision"); }
  // Which one runs, as the pod tells: its answer to a setting that each revision has.
  std::string setting() const { return node.client().get("/function/echo/setting/ROUND").body; }

  std::minstd_rand random{2026};
};

TEST_F(KillTest, ComesBackWithTheOldOrTheNewRevisionWheneverItIsKilledDuringADeploy) {
  const auto spec = [](int round) {
    return "settings: {ROUND: \"" + std::to_string(round) + "\"}\nscaling: {min: 1}";
  };
  node.deploy("echo", "probe", spec(0));
  int acknowledged = 0;
  for (int round = 1; round <= kRounds; ++round) {
    const std::string manifest = node.data() + "/../round.yaml";
    write_file(manifest,
               "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: echo}\nspec:\n"
               "  binary: " +
                   function_binary("probe") + "\n  settings: {ROUND: \"" + std::to_string(round) +
                   "\"}\n  scaling: {min: 1}\n");
    Child deploying = node.follow({"deploy", "-f", manifest}, "deploy");
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));  // any moment
    node.kill();
    if (deploying.wait() == 0) acknowledged = round;
    EXPECT_TRUE(eventually([] { return reap_orphans() == 0; })) << node.leftovers();
    node.start();
    ASSERT_FALSE(HasFatalFailure());
    const std::string runs = setting();
    EXPECT_TRUE(runs == std::to_string(round) || runs == std::to_string(acknowledged))
        << "round " << round << " runs " << runs << ", acknowledged was " << acknowledged;
    if (runs == std::to_string(round)) acknowledged = round;
    const Json revisions = node.json({"get", "revisions", "echo", "-o", "json"}).at("items");
    int current = 0;
    for (const Json& one : revisions) current += one.at("current") == true;
    EXPECT_EQ(current, 1) << revisions;
    EXPECT_TRUE(eventually([&] { return node.pods().size() == 1; }));
  }
}

TEST_F(KillTest, LeavesNoPodCgroupOrProcessWhenItIsKilledUnderLoad) {
  node.deploy("echo", "echo", "scaling: {idle: 1ms}");
  for (int round = 0; round < 5; ++round) {
    std::vector<HttpClient> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(node.client());
      (void)clients.back().write(request_bytes("GET", "/function/echo?sleep_ms=50"));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 80'000));  // any moment
    node.kill();
    EXPECT_TRUE(eventually([] { return reap_orphans() == 0; })) << node.leftovers();
    node.start();
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(node.client().get("/function/echo").status, 200);
  }
}

TEST_F(KillTest, StartsAtOnceWhileTheOldLauncherIsStillEnding) {
  node.deploy("echo", "echo", "scaling: {min: 3}");
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(eventually([&] { return node.pods().size() == 3; })) << "round " << round;
    node.kill();
    node.start();
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(node.client().get("/function/echo").status, 200);
  }
  EXPECT_TRUE(eventually([] { return reap_orphans() == 1; })) << "the node, and no other launcher";
  EXPECT_EQ(node.client().get("/function/echo?after=all").status, 200);
}

TEST_F(KillTest, SweepsWhatANodeLeftThatWasKilledTogetherWithItsLauncher) {
  node.deploy("echo", "echo", "scaling: {min: 3}");
  ASSERT_TRUE(eventually([&] { return node.pods().size() == 3; }));
  ::kill(node.pid(), SIGSTOP);
  ::kill(node.launcher(), SIGKILL);
  ::kill(node.pid(), SIGKILL);
  ASSERT_TRUE(node.process().wait());
  EXPECT_TRUE(eventually([] { return reap_orphans() == 0; })) << node.leftovers();
  EXPECT_FALSE(node.cgroups().empty()) << "the test wants something to sweep";
  node.start();
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
}

}  // namespace
}  // namespace subito::e2e
