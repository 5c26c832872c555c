// Functions that throw, crash, run out of memory, break the protocol or do not come up.
#include <gmock/gmock.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++found;
  return found;
}

struct Crash {
  std::string path;
  std::string said;    // in the events, and in the logs of the pod that ended
  std::string reason;  // of the event
};

class CrashTest : public NodeTest {
 protected:
  void expect_reported(const Crash& crash) const {
    EXPECT_TRUE(eventually([&] {
      return node.events("misbehave").find(crash.reason) != std::string::npos;
    })) << node.events("misbehave");
    EXPECT_THAT(node.events("misbehave"), HasSubstr(crash.said)) << crash.path;
    std::string logs;
    EXPECT_TRUE(eventually([&] {
      logs = node.logs("misbehave", {"--previous"});
      return count(logs, crash.said) > 0;
    }));
    EXPECT_EQ(count(logs, crash.said), 1) << "once is enough: " << logs;
    EXPECT_THAT(node.cli({"describe", "misbehave"}).out, HasSubstr(crash.said)) << crash.path;
  }
};

TEST_F(CrashTest, AnswersAnExceptionWith500TellsItsTypeAndBacktraceAndKeepsThePod) {
  node.deploy("misbehave", "misbehave");
  HttpClient client = node.client();
  const HttpResponse thrown = client.get("/function/misbehave/throw/standard");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_THAT(thrown.field("content-type"), HasSubstr("application/problem+json"));
  EXPECT_THAT(thrown.body, Not(HasSubstr("no such anvil"))) << "not for strangers";
  const auto pods = node.pods();
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(client.get("/function/misbehave/noise").status, 200);
  EXPECT_EQ(node.pods(), pods) << "the same one";
  std::string logs;
  EXPECT_TRUE(eventually([&] {  // the functions are looked up beside
    logs = node.logs("misbehave");
    return logs.find("std::out_of_range: no such anvil") != logs.npos;
  }));
  EXPECT_THAT(logs, HasSubstr("at (anonymous namespace)::throw_something(subito::Request const&"));
  EXPECT_THAT(logs, HasSubstr("request=" + thrown.field("x-request-id")));
  EXPECT_THAT(logs, HasSubstr("printed to standard output"));
  EXPECT_THAT(logs, HasSubstr("printed to standard error"));
}

TEST_F(CrashTest, PassesAnErrorThatTheFunctionMeant) {
  node.deploy("misbehave", "misbehave");
  EXPECT_EQ(node.client().get("/function/misbehave/throw/http").status, 418);
  EXPECT_EQ(node.client().get("/function/misbehave/throw/number").status, 500);
}

TEST_F(CrashTest, CutsAnAnswerWhoseHandlerThrewHalfway) {
  node.deploy("misbehave", "misbehave");
  const HttpResponse late = node.client().get("/function/misbehave/throw/late");
  EXPECT_EQ(late.status, 200);
  EXPECT_FALSE(late.whole()) << "half an answer must not look like a whole one";
  EXPECT_EQ(node.client().get("/function/misbehave/noise").status, 200);
}

class CrashKindTest : public CrashTest, public testing::WithParamInterface<Crash> {};

TEST_P(CrashKindTest, Answers502ReportsItAndServesTheNext) {
  const Crash& crash = GetParam();
  node.deploy("misbehave", "misbehave", "resources: {memory: 32Mi}\nscaling: {max: 1}");
  HttpClient client = node.client();
  ASSERT_EQ(client.get("/function/misbehave/noise").status, 200);
  const HttpResponse dead = client.get("/function/misbehave" + crash.path);
  EXPECT_EQ(dead.status, 502) << dead.error << dead.body;
  EXPECT_THAT(dead.body, HasSubstr("pod-died"));
  expect_reported(crash);
  EXPECT_EQ(client.get("/function/misbehave/noise").status, 200) << "from a new pod";
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, CrashKindTest,
    testing::Values(Crash{"/crash/segv", "SIGSEGV", "PodCrashed"},
                    Crash{"/crash/abort", "SIGABRT", "PodCrashed"},
                    Crash{"/crash/fpe", "SIGFPE", "PodCrashed"},
                    Crash{"/crash/ill", "SIGILL", "PodCrashed"},
                    Crash{"/crash/overflow", "SIGSEGV", "PodCrashed"},
                    Crash{"/crash/terminate", "SIGABRT", "PodCrashed"},
                    Crash{"/exit/7", "exited with status 7", "PodExited"},
                    Crash{"/exit/0", "exited with status 0", "PodExited"},
                    Crash{"/allocate?mib=100", "out of memory", "PodOutOfMemory"},
                    Crash{"/garbage", "broke the protocol", "PodBrokeProtocol"},
                    Crash{"/frames/twice", "broke the protocol", "PodBrokeProtocol"},
                    Crash{"/frames/unknown", "broke the protocol", "PodBrokeProtocol"}),
    [](const auto& crash) {
      std::string name;
      for (const char c : crash.param.path) name += std::isalnum(c) ? c : '_';
      return name;
    });

TEST_F(CrashTest, GivesAGetToASecondPodAndAPostToNone) {
  node.deploy("misbehave", "misbehave");
  node.deploy("look", "look");
  EXPECT_EQ(node.client().get("/function/misbehave/exit/3").status, 502);
  EXPECT_EQ(count(node.events("misbehave"), "PodExited"), 2) << node.events("misbehave");
  const HttpResponse posted = node.client().post("/function/look/exit", "x");
  EXPECT_EQ(posted.status, 502);
  EXPECT_THAT(posted.body, HasSubstr("exited with status 3"));
  EXPECT_EQ(count(node.events("look"), "PodExited"), 1) << node.events("look");
}

TEST_F(CrashTest, RefusesAFunctionThatCrashesAgainAndAgainAndForgivesAGoodDeploy) {
  node.deploy("quitter", "look", "args: [quit]", {"--no-check"});
  HttpClient client = node.client();
  HttpResponse refused;
  EXPECT_TRUE(eventually([&] {
    refused = client.get("/function/quitter");
    return refused.body.find("crash-loop") != std::string::npos;
  })) << refused.body;
  EXPECT_EQ(refused.status, 503);
  EXPECT_GE(std::stoi("0" + refused.field("retry-after")), 1);
  EXPECT_EQ(node.state("quitter"), "failing");
  EXPECT_THAT(node.events("quitter"), HasSubstr("exited with status 3"));
  node.deploy("quitter", "echo");
  EXPECT_EQ(client.get("/function/quitter").status, 200);
}

TEST_F(CrashTest, StopsAPodThatNeverSaysHello) {
  node.deploy("mute", "look", "args: [mute]\ntimeout: 1s", {"--no-check"});
  EXPECT_EQ(node.client().get("/function/mute").status, 504);
  EXPECT_TRUE(eventually([&] { return count(node.logs("mute"), "hello") > 0; }, seconds(40)))
      << node.logs("mute");
  EXPECT_THAT(node.events("mute"), HasSubstr("hello"));
}

}  // namespace
}  // namespace subito::e2e
