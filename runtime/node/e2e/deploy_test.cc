// Deploying: what is accepted, what is refused and how it is said, and what stays as it was.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr int kRefused = 5;
constexpr int kFailed = 1;
constexpr int kNotFound = 3;

class DeployTest : public NodeTest {
 protected:
  std::string status_body() const { return node.client().get("/function/echo?describe").body; }
};

TEST_F(DeployTest, RefusesBinariesThatNoPodCanRunWithReasonAndRemedy) {
  const std::string script = node.data() + "/script";
  write_file(script, "#!/bin/sh\nexit 0\n");
  ::chmod(script.c_str(), 0755);
  for (const auto& [binary, said] : std::vector<std::pair<std::string, std::string>>{
           {"/bin/true", "dynamic"},
           {script, "is a script"},
           {subito_binary() + "-launcher", "Subito note"},
           {"/nonexistent", "No such file"}}) {
    const Ran ran = node.try_deploy("bad", binary);
    EXPECT_EQ(ran.exit_code, kRefused) << binary << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(said)) << binary;
  }
  EXPECT_EQ(node.cli({"describe", "bad"}).exit_code, kNotFound);
}

TEST_F(DeployTest, TellsEveryFaultOfAManifestWithItsLine) {
  const Ran ran = node.try_deploy("bad", function_binary("echo"),
                                  "timeout: soon\nconcurency: 3\nscaling: {min: 5, max: 2}");
  EXPECT_EQ(ran.exit_code, kRefused);
  EXPECT_THAT(ran.err, HasSubstr("bad.yaml:7"));
  EXPECT_THAT(ran.err, HasSubstr("concurrency"));
  EXPECT_THAT(ran.err, HasSubstr("bad.yaml:9"));
}

TEST_F(DeployTest, KeepsThePreviousRevisionWhenTheNewOneDoesNotComeUp) {
  node.deploy("echo", "echo");
  const Ran ran = node.try_deploy("echo", function_binary("look"), "args: [quit]");
  EXPECT_EQ(ran.exit_code, kFailed) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("exited with status 3"));
  EXPECT_THAT(ran.err, HasSubstr("previous revision stays: echo revision 1"));
  EXPECT_THAT(status_body(), HasSubstr("function echo"));
  const Json revisions = node.json({"get", "revisions", "echo", "-o", "json"}).at("items");
  ASSERT_EQ(revisions.size(), 1U) << revisions;
  EXPECT_EQ(revisions[0].at("current"), true);
  EXPECT_THAT(node.events("echo"), HasSubstr("DeployFailed"));
  EXPECT_TRUE(eventually([&] { return node.pods().size() <= 1; }));
}

TEST_F(DeployTest, ChangesNothingWhenNothingChangedAndListsRevisions) {
  node.deploy("echo", "echo");
  const Ran again = node.try_deploy("echo", function_binary("echo"));
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.out, HasSubstr("echo revision 1 is unchanged"));
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  EXPECT_EQ(node.pods().size(), 1U);
  const Ran changed = node.try_deploy("echo", function_binary("echo"), "timeout: 10s");
  EXPECT_THAT(changed.out, HasSubstr("echo revision 2 is deployed, started in"));
  EXPECT_THAT(changed.out, HasSubstr("curl -i http://127.0.0.1:"));
  const Json revisions = node.json({"get", "revisions", "echo", "-o", "json"}).at("items");
  EXPECT_EQ(revisions[0].at("number"), 2);
  EXPECT_EQ(revisions[0].at("current"), true);
}

TEST_F(DeployTest, ScalesWithoutANewRevisionAndSurvivesARestart) {
  node.deploy("echo", "echo");
  EXPECT_EQ(node.cli({"scale", "echo", "--min", "3"}).exit_code, 0);
  EXPECT_TRUE(eventually([&] { return node.pods().size() == 3; }));
  EXPECT_NE(node.cli({"scale", "echo", "--min", "9", "--max", "2"}).exit_code, 0);
  EXPECT_EQ(node.function("echo").at("revision"), 1);
  EXPECT_EQ(node.stop(), 0);
  EXPECT_EQ(node.leftovers(), "");
  node.start();
  EXPECT_TRUE(eventually([&] { return node.pods().size() == 3; }));
  EXPECT_EQ(node.cli({"scale", "echo", "--min", "0", "--max", "1"}).exit_code, 0);
  EXPECT_TRUE(eventually([&] { return node.pods().size() <= 1; }));
}

TEST_F(DeployTest, ForgetsAFunctionThatIsDeletedAndLetsWhatRunsEnd) {
  node.deploy("echo", "echo");
  HttpClient client = node.client();
  ASSERT_TRUE(client.write(request_bytes("GET", "/function/echo?sleep_ms=700&describe")));
  EXPECT_TRUE(eventually([&] {
    const Json pods = node.pod_list();
    return pods.size() == 1 && pods[0].at("state") == "busy";
  }));
  EXPECT_EQ(node.cli({"delete", "echo"}).exit_code, 0);
  EXPECT_EQ(node.client().get("/function/echo").status, 404);
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(eventually([&] { return node.pods().empty(); }));
  EXPECT_EQ(node.cli({"delete", "echo"}).exit_code, kNotFound);
  node.deploy("echo", "echo");
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
}

TEST_F(DeployTest, NamesWhoHasThePortAndWhoHasTheFolder) {
  const Ran folder =
      run_program({subito_binary(), "up", "--data", node.data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(folder.exit_code, kFailed);
  EXPECT_THAT(folder.err, HasSubstr(std::to_string(node.pid())));
  const std::string other = node.data() + "-other";
  const Ran port = run_program({subito_binary(), "up", "--data", other, "--listen",
                                "127.0.0.1:" + std::to_string(node.port())});
  EXPECT_EQ(port.exit_code, kFailed);
  EXPECT_THAT(port.err, HasSubstr(std::to_string(node.pid())));
  EXPECT_THAT(port.err, HasSubstr("subito"));
  EXPECT_EQ(node.client().get("/healthz").status, 200) << "the first goes on";
}

TEST_F(DeployTest, InvokesFromTheCommandLine) {
  node.deploy("echo", "echo");
  const Ran ran = node.cli({"invoke", "echo", "/any", "-d", "hello", "-v"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "hello");
  EXPECT_THAT(ran.err, HasSubstr("pooled"));
  EXPECT_EQ(node.cli({"invoke", "nobody"}).exit_code, kNotFound);
  const Ran failed = node.cli({"invoke", "echo", "/status/500"});
  EXPECT_EQ(failed.exit_code, kFailed);
  EXPECT_THAT(failed.err, HasSubstr("500 Internal Server Error, from the function itself"));
  ASSERT_EQ(node.try_deploy("echo", function_binary("echo"), "timeout: 50ms").exit_code, 0);
  EXPECT_THAT(node.cli({"invoke", "echo", "/?sleep_ms=60000"}).err,
              HasSubstr("504 Gateway Timeout, from the node, not from the function: the function "
                        "did not answer within spec.timeout 50ms"));
}

}  // namespace
}  // namespace subito::e2e
