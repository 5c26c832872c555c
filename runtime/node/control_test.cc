#include "runtime/node/control.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "deploy/store/store_testing.h"
#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

// A control plane over a real store and an engine with fake pods.
class ControlTest : public EngineFixture, public testing::Test {
 protected:
  ControlTest() : store(store::open_or_die(folder.path())) {
    engine.remove_function(echo);  // here they come from the store
    settle();
  }

  static manifest::Function function(const std::string& name) {
    manifest::Function function;
    function.mutable_metadata()->set_name(name);
    *function.mutable_spec() = plain_spec();
    return function;
  }

  void store_function(const std::string& name) {
    const auto candidate = store->prepare(function(name), store::put(*store, name));
    ASSERT_TRUE(candidate && store->commit(*candidate));
  }

  std::string deploy(const manifest::Function& function, const std::string& artefact) {
    std::string said = "nothing";
    control.begin_deploy(function, artefact, {.check = false}, [&](const auto& result) {
      said = result ? "deployed" : result.error().error.message;
    });
    settle();
    return said;
  }

  void ask_function(CallerToken token, const std::string& name) {
    echo = functions.find(name)->id;
    invoke(token);
  }

  store::TemporaryFolder folder;
  std::unique_ptr<store::Store> store;
  Journal journal;
  LogBook logs;
  Symbolizer symbolizer{loop};
  Reporter reporter{journal, logs, symbolizer};
  Functions functions;
  gateway::Gateway gateway{engine};
  RequestFeed requests{engine};
  std::vector<std::string> forgotten;
  Control control{{loop, *store, engine, functions, gateway, journal, logs, reporter, requests,
                   [this](const std::string& name) { forgotten.push_back(name); }}};
};

TEST_F(ControlTest, RefusesSettingsThatDoNotFitIntoAPodsConfiguration) {
  manifest::Function large = function("large");
  for (const char* key : {"a", "b"}) {
    (*large.mutable_spec()->mutable_settings())[key] = std::string(40'000, 'x');
  }
  const std::string said = deploy(large, store::put(*store, "large"));
  EXPECT_NE(said.find("deploy large: spec.settings: "), std::string::npos) << said;
  EXPECT_NE(said.find("at most 65408"), std::string::npos) << said;
  EXPECT_EQ(functions.find("large"), nullptr);
}

TEST_F(ControlTest, ComesUpWithoutAFunctionWhoseArtefactIsGone) {
  store_function("good");
  store_function("lost");
  const std::string artefact = store->function("lost")->revision.artefact;
  std::filesystem::remove(*store->artefact_path(artefact));
  const auto loaded = control.load();
  ASSERT_TRUE(loaded) << loaded.error().message;

  ask_function(1, "good");
  EXPECT_EQ(home->pods.size(), 1U);
  ask_function(2, "lost");
  ASSERT_TRUE(outcome(2).failure.has_value());
  EXPECT_EQ(outcome(2).failure->status, 503);
  EXPECT_NE(outcome(2).failure->detail.find(artefact), std::string::npos)
      << outcome(2).failure->detail;
  const auto view = control.get_function("lost");
  EXPECT_EQ(view->state, api::FunctionState::kFailing);
  EXPECT_EQ(view->events.at(0).reason, "OutOfService");

  // The same again, with its artefact: not "unchanged".
  EXPECT_EQ(deploy(function("lost"), store::put(*store, "lost")), "deployed");
  ask_function(3, "lost");
  EXPECT_EQ(home->pods.size(), 2U);
}

TEST_F(ControlTest, StartsNoPodOfAFunctionOutOfServiceHoweverItIsScaled) {
  store_function("lost");
  std::filesystem::remove(*store->artefact_path(store->function("lost")->revision.artefact));
  ASSERT_TRUE(control.load());
  ASSERT_TRUE(control.scale("lost", 2, 5));
  settle();
  const auto scheduled = engine.scheduler().function(functions.find("lost")->id);
  EXPECT_EQ(scheduled->failures, 0U);
  EXPECT_EQ(scheduled->starting, 0U);
  EXPECT_EQ(control.get_function("lost")->manifest.spec().scaling().min(), 2) << "for its repair";
}

// A pod that drains may log in once more.
TEST_F(ControlTest, ForgetsTheLoginsOfARemovedFunctionAgainWhenItsLastPodIsGone) {
  manifest::Function busy = function("busy");
  busy.mutable_spec()->mutable_scaling()->set_min(2);
  ASSERT_EQ(deploy(busy, store::put(*store, "busy")), "deployed");
  ASSERT_EQ(home->pods.size(), 2U);
  control.remove("busy", [](const Status&) {});
  settle();
  forgotten.clear();
  home->exit(home->pod(0));
  settle();
  EXPECT_TRUE(forgotten.empty()) << "one is left";
  reporter.event("busy", "PodEnded", "said by a pod that drains");
  home->exit(home->pod(1));
  settle();
  EXPECT_EQ(forgotten, (std::vector<std::string>{"busy"}));
  EXPECT_TRUE(journal.events("busy").empty());
}

TEST_F(ControlTest, KeepsTheLoginsOfAFunctionThatWasDeployedAnew) {
  manifest::Function busy = function("busy");
  busy.mutable_spec()->mutable_scaling()->set_min(1);
  ASSERT_EQ(deploy(busy, store::put(*store, "busy")), "deployed");
  control.remove("busy", [](const Status&) {});
  settle();
  ASSERT_EQ(deploy(busy, store::put(*store, "busy")), "deployed");
  forgotten.clear();
  home->exit(home->pod(0));
  settle();
  EXPECT_TRUE(forgotten.empty());
}

}  // namespace
}  // namespace subito::node
