#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

TEST_F(CliTest, RolloutStatusTellsWhatServesAndEndsWithOneWhenItFailed) {
  const Printed printed = run({"rollout", "status", "catalogue"});
  EXPECT_EQ(printed.code, kOk);
  EXPECT_EQ(printed.out,
            "catalogue: revision 2 serves\n\n"
            "REVISION  TRAFFIC  PODS  READY\n"
            "2         100 %    1     1\n");
  plane_.rollouts["catalogue"].state = api::RolloutState::kFailed;
  plane_.rollouts["catalogue"].words = "the rollout of revision 3 failed: a pod of it crashed";
  const Printed failed = run({"rollout", "status", "catalogue"});
  EXPECT_EQ(failed.code, kFailed);
  EXPECT_THAT(failed.out, HasSubstr("the rollout of revision 3 failed: a pod of it crashed"));
  EXPECT_EQ(run({"rollout", "status", "nobody"}).code, kNotFound);
}

TEST_F(CliTest, DescribeTellsOfARolloutThatIsNotComplete) {
  EXPECT_THAT(run({"describe", "catalogue"}).out, testing::Not(HasSubstr("Rollout")));
  plane_.rollouts["catalogue"].state = api::RolloutState::kPaused;
  plane_.rollouts["catalogue"].words = "paused: revision 2 serves 75 %, revision 3 serves 25 %";
  EXPECT_THAT(run({"describe", "catalogue"}).out,
              HasSubstr("paused: revision 2 serves 75 %, revision 3 serves 25 %"));
}

TEST_F(CliTest, RolloutStatusWaitsUntilTheRolloutIsOver) {
  api::RolloutView& rollout = plane_.rollouts["catalogue"];
  rollout.state = api::RolloutState::kProgressing;
  rollout.words = "0 of 2 pods of revision 3 ready, 2 of revision 2 left";
  meanwhile_ = [&] {
    plane_.emit(api::Event{1, "catalogue", "catalogue-9", "PodStarted", "started"});
    rollout.state = api::RolloutState::kComplete;
    rollout.words = "revision 3 serves";
    plane_.emit(api::Event{2, "catalogue", "", "RolloutComplete", "revision 3 serves"});
  };
  const Printed watched = run({"rollout", "status", "catalogue", "-w"});
  EXPECT_EQ(watched.code, kOk) << watched.err;
  EXPECT_EQ(watched.out,
            "0 of 2 pods of revision 3 ready, 2 of revision 2 left\nrevision 3 serves\n");
  rollout.state = api::RolloutState::kFailed;
  EXPECT_EQ(run({"rollout", "status", "catalogue", "-w"}).code, kFailed) << "it is over already";
}

TEST_F(CliTest, RolloutHistoryTellsRevisionsWithTheirMessages) {
  const Printed history = run({"rollout", "history", "catalogue"});
  EXPECT_EQ(history.out,
            "REVISION  AGE  TRAFFIC  BINARY        MESSAGE\n"
            "2         60s  100 %    aaaaaaaaaaaa  cheaper listing\n"
            "1         61m  -        bbbbbbbbbbbb  -\n");
  const Printed one = run({"rollout", "history", "catalogue", "--revision", "2"});
  EXPECT_THAT(one.out, HasSubstr("\"binary\": \"./catalogue\""));
  EXPECT_EQ(run({"rollout", "history", "catalogue", "--revision", "7"}).code, kNotFound);
}

TEST_F(CliTest, RolloutsAreUndonePausedAndResumed) {
  EXPECT_EQ(run({"rollout", "undo", "catalogue"}).out, "catalogue revision 1 serves\n");
  EXPECT_EQ(run({"rollout", "undo", "catalogue", "--to-revision", "2"}).out,
            "catalogue revision 2 serves\n");
  EXPECT_EQ(plane_.last_undo, 2U);
  EXPECT_EQ(run({"rollout", "pause", "catalogue"}).code, kFailed) << "none is in progress";
  plane_.rollouts["catalogue"].state = api::RolloutState::kProgressing;
  EXPECT_EQ(run({"rollout", "pause", "catalogue"}).code, kOk);
  EXPECT_EQ(run({"rollout", "resume", "catalogue"}).out, "catalogue: revision 2 serves\n");
}

TEST_F(CliTest, RolloutsAreToldAndUndoneByLabels) {
  const Printed history = run({"rollout", "history", "-l", "!tier"});
  EXPECT_EQ(history.code, kOk) << history.err;
  EXPECT_THAT(history.out, HasSubstr("catalogue\nREVISION  AGE"));
  EXPECT_THAT(history.out, HasSubstr("stock\nREVISION  AGE"));
  EXPECT_EQ(run({"rollout", "undo", "-l", "app=shop"}).out, "catalogue revision 1 serves\n");
  EXPECT_EQ(run({"rollout", "undo", "-l", "app=none"}).code, kNotFound);
  for (const std::vector<std::string>& of_one :
       {std::vector<std::string>{"history", "--revision"}, {"undo", "--to-revision"}}) {
    const Printed wrong = run({"rollout", of_one[0], "-l", "app=shop", of_one[1], "1"});
    EXPECT_EQ(wrong.code, kUsage);
    EXPECT_THAT(wrong.err, HasSubstr(of_one[1] + ": is of one function; say its NAME"));
  }
}

TEST_F(CliTest, RolloutsOfSeveralFunctionsAreOneListAsJson) {
  const auto items = [this](const std::string& verb) {
    const Printed printed = run({"rollout", verb, "-l", "!tier", "-o", "json"});
    const Json all = Json::parse(printed.out, nullptr, false);
    EXPECT_TRUE(all.is_object()) << "not one document: " << printed.out;
    return all.is_object() ? all.at("items") : Json::array();
  };
  std::vector<std::string> functions;
  for (const Json& revision : items("history")) functions.push_back(revision.at("function"));
  EXPECT_THAT(functions, testing::IsSupersetOf({"catalogue", "stock"}));
  EXPECT_GE(items("status").size(), 2U);
  EXPECT_GE(items("undo").size(), 2U);
}

TEST_F(CliTest, TrafficIsSetByRevision) {
  const Printed set = run({"traffic", "set", "catalogue", "r1=90,2=10"});
  EXPECT_EQ(set.code, kOk) << set.err;
  EXPECT_THAT(set.out, HasSubstr("1         90 %"));
  EXPECT_THAT(run({"traffic", "get", "catalogue"}).out, HasSubstr("2         10 %"));
  const Printed wrong = run({"traffic", "set", "catalogue", "r1=90,r2=9"});
  EXPECT_EQ(wrong.code, kUsage);
  EXPECT_EQ(wrong.err, "subito: traffic set: the percentages are 99 together, they must be 100\n");
  EXPECT_EQ(run({"traffic", "set", "catalogue", "r1=50,1=50"}).err,
            "subito: traffic set: revision 1 is there twice\n");
}

TEST_F(CliTest, WrongRolloutCommandLinesAreUsage) {
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"rollout"},
        {"rollout", "status"},
        {"rollout", "statsu", "catalogue"},
        {"rollout", "status", "catalogue", "--to-revision", "1"},
        {"rollout", "undo", "catalogue", "--to-revision", "0"},
        {"rollout", "undo", "catalogue", "--revision", "1"},
        {"rollout", "pause", "catalogue", "-w"},
        {"traffic", "set", "catalogue"},
        {"traffic", "set", "catalogue", "r1"},
        {"traffic", "set", "catalogue", "x=100"},
        {"traffic", "set", "catalogue", "r1=50,,r2=50"},
        {"traffic", "get", "catalogue", "r1=100"}})
    EXPECT_EQ(run(wrong).code, kUsage) << testing::PrintToString(wrong);
  EXPECT_THAT(run({"rollout", "statsu", "catalogue"}).err, HasSubstr("did you mean 'status'?"));
}

}  // namespace
}  // namespace subito::cli
