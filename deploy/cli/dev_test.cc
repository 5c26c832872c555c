// `dev FOLDER`: when it builds and deploys, what it leaves out, what it prints. The whole of it
// runs in the end-to-end tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/dev_plan.h"
#include "deploy/cli/exit_code.h"
#include "deploy/cli/follower.h"
#include "deploy/cli/ignore.h"

namespace subito::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Step = DevPlan::Step;

class DevPlanTest : public testing::Test {
 protected:
  Step next() const { return plan.next(clock.now()); }
  void after(milliseconds time) { clock.advance(time); }
  void changed() { plan.changed(clock.now()); }
  void build(bool well = true) {
    EXPECT_EQ(next(), Step::kBuild);
    plan.begin_build();
    plan.built(well);
  }
  void built_and_deployed() {
    build();
    EXPECT_EQ(next(), Step::kDeploy);
    plan.deployed();
    EXPECT_EQ(next(), Step::kWait);
    EXPECT_FALSE(plan.deadline());
  }

  ManualClock clock;
  DevPlan plan{clock.now()};
};

TEST_F(DevPlanTest, BuildsAndDeploysAtOnceAndThenWaits) {
  built_and_deployed();
}

TEST_F(DevPlanTest, WhatIsSavedTogetherIsOneBuild) {
  built_and_deployed();
  changed();
  after(milliseconds(30));
  changed();
  after(milliseconds(49));
  EXPECT_EQ(next(), Step::kWait);
  EXPECT_EQ(plan.deadline(), clock.now() + milliseconds(1));
  after(milliseconds(1));
  built_and_deployed();
}

TEST_F(DevPlanTest, SavesWithoutEndDoNotPutTheBuildOffForEver) {
  built_and_deployed();
  int saves = 0;
  for (; next() == Step::kWait && saves < 100; ++saves) {
    changed();
    after(milliseconds(40));
  }
  EXPECT_EQ(saves, 13);  // 500 ms
}

TEST_F(DevPlanTest, ASaveDuringABuildStartsAnotherWhenThatIsDeployed) {
  EXPECT_EQ(next(), Step::kBuild);
  plan.begin_build();
  changed();
  after(milliseconds(3000));
  plan.built(true);
  EXPECT_EQ(next(), Step::kDeploy);
  plan.deployed();
  built_and_deployed();
}

TEST_F(DevPlanTest, WhatDoesNotCompileIsNotDeployed) {
  build(false);
  EXPECT_EQ(next(), Step::kWait);
  changed();
  after(milliseconds(50));
  built_and_deployed();
}

TEST_F(DevPlanTest, LooksForANodeThatIsAwayAndBuildsMeanwhile) {
  build();
  plan.lost_node(clock.now());
  EXPECT_EQ(next(), Step::kWait);
  changed();
  EXPECT_EQ(plan.deadline(), clock.now() + milliseconds(50));
  after(milliseconds(50));
  build();
  EXPECT_EQ(next(), Step::kWait) << "there is nobody to deploy to";
  after(milliseconds(450));
  EXPECT_EQ(next(), Step::kReach);
  plan.lost_node(clock.now());
  EXPECT_EQ(next(), Step::kWait);
  after(milliseconds(500));
  EXPECT_EQ(next(), Step::kReach);
  plan.reached();
  EXPECT_EQ(next(), Step::kDeploy);
}

TEST_F(DevPlanTest, ANodeThatCameBackIsGivenNothingBroken) {
  build(false);
  plan.lost_node(clock.now());
  plan.reached();
  EXPECT_EQ(next(), Step::kWait);
}

TEST(IgnoreTest, LeavesOutBuildHiddenAndEditorsFiles) {
  const Ignore ignore("");
  for (const char* path : {".git", "src/.hidden", "a.cc~", "src/a.cc.swp", "#a.cc#", "4913"})
    EXPECT_TRUE(ignore.ignores(path, false)) << path;
  EXPECT_TRUE(ignore.ignores("build", true));
  for (const char* path : {"a.cc", "src/build", "function.yaml", "CMakeLists.txt", "src/a.h"})
    EXPECT_FALSE(ignore.ignores(path, false)) << path;
}

TEST(IgnoreTest, FollowsTheGitignore) {
  const Ignore ignore("# made\r\n/debug/\n*.log\n!keep.log\nout/*.txt\ncache/\n\n");
  EXPECT_TRUE(ignore.ignores("debug", true));
  EXPECT_FALSE(ignore.ignores("debug", false)) << "a file of that name";
  EXPECT_FALSE(ignore.ignores("src/debug", true)) << "only at the top";
  EXPECT_TRUE(ignore.ignores("src/run.log", false));
  EXPECT_FALSE(ignore.ignores("src/keep.log", false));
  EXPECT_TRUE(ignore.ignores("out/a.txt", false));
  EXPECT_FALSE(ignore.ignores("out/deep/a.txt", false));
  EXPECT_TRUE(ignore.ignores("src/cache", true));
}

Json request() {
  return {{"time", "T"},        {"function", "hello"}, {"revision", 4},
          {"pod", "hello-3"},   {"requestId", "req"},  {"method", "GET"},
          {"path", "/a"},       {"status", 200},       {"start", "pooled"},
          {"queueMicros", 100}, {"startMicros", 1000}, {"handlerMicros", 240},
          {"missed", 0}};
}

TEST(RequestLine, TellsWhereTheTimeWent) {
  Json line = request();
  EXPECT_EQ(request_line(line, false),
            "T hello-3 GET /a 200 waited 1.1 ms, handler 240 µs, pooled start request=req");
  line["requestId"] = "50b4f9fdd1c24782-of-a-client";
  EXPECT_THAT(request_line(line, false),
              testing::EndsWith(" pooled start request=50b4f9fdd1c24782"));
  line.erase("requestId");
  line["start"] = "warm";
  line["startMicros"] = 0;
  EXPECT_EQ(request_line(line, false), "T hello-3 GET /a 200 waited 100 µs, handler 240 µs, warm");
}

TEST(RequestLine, TellsWhatWasMissedWhoLeftAndWhatReachedNobody) {
  Json line = request();
  line["missed"] = 7;
  line["status"] = 0;
  line["pod"] = "";
  line["start"] = "";
  EXPECT_EQ(request_line(line, false),
            "(7 requests before this one came faster than they could be told)\n"
            "T - GET /a client left waited 1.1 ms, reached no pod request=req");
}

TEST(RequestLine, CannotDriveTheTerminal) {
  Json line = request();
  line["path"] = "/\x1b[2J";
  EXPECT_THAT(request_line(line, false), HasSubstr("/\\x1b[2J"));
}

class DevTest : public CliTest {};

TEST_F(DevTest, SaysWhatIsNoFolder) {
  const Printed missing = run({"dev", folder_ + "/nothing"});
  EXPECT_EQ(missing.code, kUsage);
  EXPECT_THAT(missing.err, HasSubstr("there is no such folder"));
  EXPECT_EQ(run({"dev", write("file", "")}).code, kUsage);
  EXPECT_EQ(run({"dev"}).code, kUsage);
}

}  // namespace
}  // namespace subito::cli
