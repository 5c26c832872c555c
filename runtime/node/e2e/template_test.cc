// Start mode template: pods that begin as copies of an initialised process.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <set>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTemplate = "start: template";

class TemplateTest : public NodeTest {
 protected:
  // Until then pods start pooled, after a kill of the node for one.
  bool await_template(const std::string& name) {
    return eventually([&] { return node.function(name).at("template").at("ready") == true; });
  }
  // By the node's word: the executable of such a pod is the launcher's (docs/security.md).
  bool no_pods() const { return node.pod_list().empty(); }
  Json ready() const { return node.json({"get", "pods", "-o", "json"}).at("ready"); }
  std::string get(const std::string& path) const { return node.client().get(path).body; }
};

bool started_as_template(const HttpResponse& answer) {
  return answer.field("server-timing").find("start;desc=template") != std::string::npos;
}

TEST_F(TemplateTest, AnswersAHundredCallsOfPodsThatBeganAsIt) {
  node.deploy("echo", "echo", "start: template\nscaling: {idle: 1ms}");
  HttpClient client = node.client();
  for (int call = 0; call < 100; ++call) {
    ASSERT_TRUE(eventually([&] { return no_pods(); }));
    const HttpResponse answer = client.post("/function/echo", "call " + std::to_string(call));
    EXPECT_EQ(answer.status, 200) << answer.error;
    EXPECT_EQ(answer.body, "call " + std::to_string(call));
    EXPECT_TRUE(started_as_template(answer)) << answer.field("server-timing");
  }
  EXPECT_EQ(node.pods_started("echo"), 100U);
}

TEST_F(TemplateTest, SaysWhatItKeeps) {
  node.deploy("look", "look", kTemplate);
  const Json kept = node.function("look").at("template");
  EXPECT_EQ(kept.at("words"), "ready");
  EXPECT_GT(kept.at("memoryBytes"), 4096);
  EXPECT_LT(kept.at("memoryBytes"), 4 << 20);
  EXPECT_EQ(ready().at("templates"), 1);
  EXPECT_EQ(ready().at("templateBytes"), kept.at("memoryBytes"));
  EXPECT_THAT(node.cli({"describe", "look"}).out, HasSubstr("template, ready, keeps "));
  EXPECT_THAT(node.events("look"), HasSubstr("TemplateReady made the template of revision 1 in "));
  EXPECT_TRUE(no_pods()) << "no process of it is kept";
}

TEST_F(TemplateTest, PodsHaveNothingOfTheLauncherAndAreNotAlike) {
  node.deploy("look", "look", "start: template\nscaling: {max: 2, idle: 60s}\nconcurrency: 1");
  EXPECT_EQ(get("/function/look/descriptors"), "0 1 2 3");
  EXPECT_EQ(get("/function/look/environment"), "");
  const std::string maps = get("/function/look/read?path=/proc/self/maps");
  EXPECT_THAT(maps, HasSubstr("[vdso]"));
  EXPECT_THAT(maps, Not(HasSubstr("launcher")));
  EXPECT_THAT(maps, Not(HasSubstr("/dev/zero"))) << "memory shared with the launcher";
  const Json living = node.pod_list().at(0);
  struct stat info = {};
  const std::string file = "/proc/" + std::to_string(living.at("hostPid").get<pid_t>()) + "/maps";
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U) << "it is dumpable";
  std::set<std::string> seen;
  for (int pod = 0; pod < 3; ++pod) {
    const std::string random = get("/function/look/random");
    EXPECT_THAT(random, HasSubstr("guard "));
    EXPECT_TRUE(seen.insert(random).second) << random;
    EXPECT_TRUE(seen.insert(random.substr(random.find("guard "))).second) << random;
    EXPECT_EQ(node.client().post("/function/look/exit", "").status, 502);  // the next is another
    ASSERT_TRUE(eventually([&] { return no_pods(); }));
  }
}

TEST_F(TemplateTest, FunctionsThatCannotBeCopiedAreRefusedWithTheReason) {
  const Ran threads =
      node.try_deploy("threads", function_binary("look"), "args: [threads]\nstart: template");
  EXPECT_NE(threads.exit_code, 0);
  EXPECT_THAT(threads.err, HasSubstr("it runs 2 threads before serve()"));
  EXPECT_THAT(threads.err, HasSubstr("start: pooled"));
  const Ran files =
      node.try_deploy("files", function_binary("look"), "args: [open]\nstart: template");
  EXPECT_NE(files.exit_code, 0);
  EXPECT_THAT(files.err, HasSubstr("it holds descriptor 4 open before serve() (/dev/null)"));
  node.deploy("threads", "look", "args: [threads]");
  // Unchecked it is deployed, and starts as if it had said nothing.
  node.deploy("files", "look", "args: [open]\nstart: template", {"--no-check"});
  EXPECT_EQ(node.client().get("/function/files/descriptors").status, 200);
  EXPECT_TRUE(eventually([&] {
    return node.events("files").find("TemplateRefused") != std::string::npos;
  })) << node.events("files");
}

TEST_F(TemplateTest, OneThatCannotBeMadeNowIsTriedAgainAndPodsStartPooled) {
  node.deploy("quit", "look", "args: [quit]\nstart: template", {"--no-check"});
  EXPECT_TRUE(eventually([&] {
    return node.events("quit").find(
               "TemplateFailed make a template: exited with status 3; its "
               "pods start pooled") != std::string::npos;
  })) << node.events("quit");
  EXPECT_THAT(node.function("quit").at("template").at("words"), HasSubstr("tried again"));
}

TEST_F(TemplateTest, AKilledPodIsFollowedByAnother) {
  node.deploy("echo", "echo", kTemplate);
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  for (const Json& pod : node.pod_list()) ::kill(pod.at("hostPid"), SIGKILL);
  EXPECT_TRUE(eventually([&] { return no_pods(); }));
  const HttpResponse next = node.client().get("/function/echo");
  EXPECT_EQ(next.status, 200);
  EXPECT_TRUE(started_as_template(next));
}

TEST_F(TemplateTest, ANewRevisionHasItsOwnAndTheOldGoes) {
  node.deploy("look", "look", kTemplate);
  node.deploy("look", "look", "start: template\nsettings: {A: \"1\"}");
  EXPECT_EQ(ready().at("templates"), 1);
  EXPECT_TRUE(started_as_template(node.client().get("/function/look/environment")));
  node.deploy("look", "look");
  EXPECT_EQ(ready().at("templates"), 0);
  EXPECT_FALSE(node.function("look").contains("template"));
}

TEST_F(TemplateTest, IsMadeAgainAfterTheNodeWasKilled) {
  node.deploy("echo", "echo", kTemplate);
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  node.kill();
  EXPECT_TRUE(eventually([] { return reap_orphans() == 0; }));
  EXPECT_TRUE(eventually([&] { return node.cgroups().empty(); }));
  node.start();
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  EXPECT_TRUE(await_template("echo"));
}

}  // namespace
}  // namespace subito::e2e
