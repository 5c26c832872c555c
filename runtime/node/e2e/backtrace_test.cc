// What a person learns of a crash: where it was, by which signal, and of which pod.
#include <gmock/gmock.h>

#include <filesystem>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class BacktraceTest : public NodeTest {
 protected:
  // Crashes the function's pod and waits for the event of its end.
  void crash(const std::string& how) const {
    EXPECT_EQ(node.client().get("/function/misbehave/crash/" + how).status, 502);
    EXPECT_TRUE(eventually([&] {
      return node.events("misbehave").find("PodCrashed") != std::string::npos;
    })) << node.events("misbehave");
  }
};

TEST_F(BacktraceTest, NamesTheFunctionsOfACrashInLogsAndEvents) {
  node.deploy("misbehave", "misbehave");
  crash("fpe");
  const std::string place =
      "(anonymous namespace)::crash(subito::Request const&, subito::Context&)";
  const std::string logs = node.logs("misbehave", {"--previous"});
  EXPECT_THAT(logs, HasSubstr("crashed: SIGFPE at 0x"));
  EXPECT_THAT(logs, HasSubstr("\n  answering GET /crash/fpe\n  at " + place + " + 0x"));
  EXPECT_THAT(logs, HasSubstr("\n  at main + 0x"));
  EXPECT_THAT(logs, Not(HasSubstr("ended by"))) << "said once";
  EXPECT_THAT(node.events("misbehave"), HasSubstr("ended by SIGFPE in " + place));
  EXPECT_THAT(node.cli({"describe", "misbehave"}).out, HasSubstr("ended by SIGFPE in " + place));
}

// abort() itself is not what a person looks for. Compilers inline what calls it.
TEST_F(BacktraceTest, TellsWhoCalledAbort) {
  node.deploy("misbehave", "misbehave");
  crash("abort");
  EXPECT_THAT(node.logs("misbehave", {"--previous"}), HasSubstr("\n  at abort + 0x"));
  EXPECT_THAT(node.events("misbehave"), HasSubstr("ended by SIGABRT in (anonymous namespace)::"));
}

TEST_F(BacktraceTest, SaysWhyAStrippedBinaryHasNoNames) {
  const std::string stripped = testing::TempDir() + "subito-stripped-" + std::to_string(node.pid());
  ASSERT_EQ(run_program({"/usr/bin/strip", "-o", stripped, function_binary("misbehave")}).exit_code,
            0);
  EXPECT_EQ(node.try_deploy("misbehave", stripped).exit_code, 0);
  std::filesystem::remove(stripped);
  crash("segv");
  const std::string logs = node.logs("misbehave", {"--previous"});
  EXPECT_THAT(logs, HasSubstr("\n  at 0x4"));
  EXPECT_THAT(logs, HasSubstr("\n  no names: the binary is stripped; deploy one that keeps"));
}

TEST_F(BacktraceTest, TellsWhoeverDeploysWhereAPodDiedBeforeItServed) {
  for (const char* how : {"abort", "throw"}) {
    const Ran ran =
        node.try_deploy("look", function_binary("look"), "args: [" + std::string(how) + "]");
    EXPECT_EQ(ran.exit_code, 1) << ran.out;
    EXPECT_THAT(ran.err, HasSubstr("start a pod of it: ended by SIGABRT")) << how;
    EXPECT_THAT(ran.err, HasSubstr("crashed: SIGABRT")) << how;
    EXPECT_THAT(ran.err, HasSubstr("\n  at main + 0x")) << how;
    EXPECT_EQ(ran.err.find("crashed"), ran.err.rfind("crashed")) << "said once";
  }
  const Ran thrown = node.try_deploy("look", function_binary("look"), "args: [throw]");
  EXPECT_THAT(thrown.err, HasSubstr("what():  no configuration"));
  EXPECT_EQ(node.cli({"logs", "look"}).exit_code, 3) << "there is no such function";
}

TEST_F(BacktraceTest, ShowsThePodThatCrashedThoughOthersCameAndWentSince) {
  node.deploy("misbehave", "misbehave", "scaling: {max: 1, idle: 100ms}");
  const Ran none = node.cli({"logs", "misbehave", "--previous"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("none has ended since the node started"));
  EXPECT_EQ(node.client().get("/function/misbehave/exit/7").status, 502);
  EXPECT_EQ(node.client().get("/function/misbehave/noise").status, 200);
  EXPECT_TRUE(eventually([&] { return node.asleep("misbehave"); }));
  EXPECT_THAT(node.logs("misbehave", {"--previous"}), HasSubstr("exited with status 7"));
  EXPECT_THAT(node.logs("misbehave", {"--previous"}), Not(HasSubstr("printed")));
}

}  // namespace
}  // namespace subito::e2e
