#include "runtime/node/rollouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "deploy/manifest/defaults.h"
#include "runtime/node/control_testing.h"

namespace subito::node {
namespace {

using api::RolloutState;
using testing::HasSubstr;

// A node that may be "killed" and started again over the same data.
class RolloutsTest : public testing::Test {
 protected:
  void restart() {
    node.reset();
    node.emplace(folder.path());
    ASSERT_TRUE(node->control.load());
    node->settle();
  }

  // One more revision of "shop".
  void deploy(std::optional<int> min = {}, bool traffic = true) {
    manifest::Function shop = ControlFixture::function("shop");
    if (min) shop.mutable_spec()->mutable_scaling()->set_min(*min);
    if (pods_max > 0) shop.mutable_spec()->mutable_scaling()->set_max(pods_max);
    shop.mutable_spec()->set_start(start);
    if (!below.empty()) shop.mutable_spec()->add_calls(below);
    *shop.mutable_spec()->mutable_rollout() = rollout;
    (*shop.mutable_spec()->mutable_settings())["number"] = std::to_string(++deployed);
    const std::string artefact = store::put(*node->store, "binary " + std::to_string(deployed));
    ASSERT_EQ(node->deploy(shop, artefact, traffic), "deployed");
  }

  std::string undo(std::uint64_t to = 0) {
    std::string said = "nothing";
    node->control.undo_rollout("shop", to, [&](const auto& result) {
      said = result ? "revision " + std::to_string(result->revision) : result.error().error.message;
    });
    node->settle();
    FakePod* probe = node->home->pods.empty() ? nullptr : node->home->pods.back().get();
    if (said == "nothing" && probe != nullptr) {
      probe->hello();
      node->settle();
      node->home->exit(*probe);
      node->settle();
    }
    return said;
  }

  api::RolloutView view() { return *node->control.rollout("shop"); }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> shares() {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> shares;
    for (const auto& one : view().serving) shares.emplace_back(one.revision, one.percent);
    return shares;
  }
  using Shares = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

  // Living pods by the revision that they were told to be.
  std::vector<const Pod*> pods(std::uint64_t revision, bool draining = false) {
    std::vector<const Pod*> found;
    for (const Pod* pod : node->engine.pods().all()) {
      if (pod->revision->number == revision && pod->draining == draining) found.push_back(pod);
    }
    return found;
  }
  FakePod& fake(PodId id) {
    for (const auto& pod : node->home->pods) {
      if (pod->spec.id == id) return *pod;
    }
    throw std::runtime_error("no such pod");
  }
  // Revision 2 takes over from 1, a pod each.
  void pause_midway() {
    deploy(2);
    hello(1);
    roll("1", "0");
    deploy(2);
    hello(2);
    ASSERT_TRUE(node->turn_until([&] { return pods(1).size() == 1; }));
    ASSERT_TRUE(node->control.pause_rollout("shop"));
  }
  void hello(std::uint64_t revision) {
    for (const Pod* pod : pods(revision)) {
      if (!pod->hello) fake(pod->id).hello();
    }
    node->settle();
  }
  // Pods of the revision say hello as they come, until the rollout is no more as it was.
  bool turn_until_state(RolloutState state, std::uint64_t revision) {
    return node->turn_until([&] {
      hello(revision);
      return view().state == state;
    });
  }

  void roll(const std::string& surge, const std::string& unavailable) {
    rollout.set_strategy(manifest::ROLLING);
    rollout.set_max_surge(surge);
    rollout.set_max_unavailable(unavailable);
  }

  store::TemporaryFolder folder;
  std::optional<ControlFixture> node{std::in_place, folder.path()};
  manifest::Rollout rollout;
  manifest::StartMode start = manifest::POOLED;
  std::string below;  // a function that it calls
  int deployed = 0;
  int pods_max = 0;  // 0: as plain_spec() says
};

TEST_F(RolloutsTest, SplitsCallsByTheWeightsAndKeepsThemAfterARestart) {
  deploy();
  deploy({}, false);
  EXPECT_EQ(shares(), (Shares{{1, 100}})) << "the second has no traffic yet";
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 90}, {2, 10}}));
  restart();
  EXPECT_EQ(shares(), (Shares{{1, 90}, {2, 10}}));
  for (int i = 1; i <= 100; ++i) node->ask_function(static_cast<CallerToken>(i), "shop");
  std::map<std::uint64_t, std::uint32_t> calls;
  for (const auto& one : view().serving) calls[one.revision] = 0;
  for (const Pod* pod : node->engine.pods().all()) {
    const auto lane = node->engine.scheduler().function(pod->revision->lane);
    calls[pod->revision->number] = lane->waiting + lane->running;
  }
  EXPECT_EQ(calls, (std::map<std::uint64_t, std::uint32_t>{{1, 90}, {2, 10}}));
}

TEST_F(RolloutsTest, MovesAllTrafficToOneRevisionWithoutLosingWhoWaits) {
  deploy();
  deploy({}, false);
  node->ask_function(1, "shop");
  FakePod& old = *node->home->pods.at(0);
  old.hello();
  node->settle();
  const auto running = old.expect_invoke();
  ASSERT_TRUE(node->control.set_traffic("shop", {{2, 100}}));
  EXPECT_EQ(shares(), (Shares{{2, 100}}));
  EXPECT_EQ(view().previous, 1U);
  node->ask_function(2, "shop");
  hello(2);
  FakePod& fresh = fake(pods(2).at(0)->id);
  fresh.answer(fresh.expect_invoke().header.stream, 200, "new");
  old.answer(running.header.stream, 200, "old");
  node->settle();
  EXPECT_EQ(node->outcome(1).body, "old");
  EXPECT_EQ(node->outcome(2).body, "new");
  EXPECT_TRUE(node->turn_until([&] { return pods(1).empty(); })) << "its pods go";
}

TEST_F(RolloutsTest, ASplitLaneGoesOnlyOnceWhoWaitsThereWasServed) {
  pods_max = 1;
  deploy();
  deploy({}, false);
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 50}, {2, 50}}));
  for (CallerToken token = 1; token <= 4; ++token) node->ask_function(token, "shop");
  ASSERT_EQ(pods(2).size(), 1U);
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 100}}));
  bool looked = false;  // at what is left, a few times
  Timer later(node->loop, [&looked] { looked = true; });
  later.start(5 * kRolloutTick);
  ASSERT_TRUE(node->turn_until([&] { return looked; }));
  hello(1);
  hello(2);
  for (const std::uint64_t revision : {1U, 1U, 2U, 2U}) {
    ASSERT_EQ(pods(revision).size(), 1U);
    FakePod& pod = fake(pods(revision).at(0)->id);
    pod.answer(pod.expect_invoke().header.stream, 200, "");
    node->settle();
  }
  for (CallerToken token = 1; token <= 4; ++token) EXPECT_EQ(node->outcome(token).status, 200);
  EXPECT_TRUE(node->turn_until([&] { return pods(2).empty(); }));
  EXPECT_EQ(node->control.get_function("shop")->requests_served, 4U);
}

TEST_F(RolloutsTest, ALaneThatLeavesNeedsNoPodsWhateverTheFunctionsBelowCall) {
  below = "stock";
  deploy(2);
  deploy(2, false);
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 50}, {2, 50}}));
  node->ask_function(1, "shop");
  node->ask_function(2, "shop");
  const FunctionId lane = pods(2).at(0)->revision->lane;
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 100}}));
  ASSERT_EQ(node->engine.scheduler().function(lane)->limits.pods_min, 0U);
  manifest::Function stock = ControlFixture::function("stock");
  stock.mutable_spec()->add_calls("more");
  ASSERT_EQ(node->deploy(stock, store::put(*node->store, "stock")), "deployed");
  EXPECT_EQ(node->engine.scheduler().function(lane)->limits.pods_min, 0U);
}

TEST_F(RolloutsTest, APausedRolloutKeepsItsLimitsWhateverTheFunctionsBelowCall) {
  below = "stock";
  ASSERT_NO_FATAL_FAILURE(pause_midway());
  manifest::Function stock = ControlFixture::function("stock");
  stock.mutable_spec()->add_calls("more");
  ASSERT_EQ(node->deploy(stock, store::put(*node->store, "stock")), "deployed");
  for (const std::uint64_t revision : {1, 2}) {
    const auto lane = node->engine.scheduler().function(pods(revision).at(0)->revision->lane);
    EXPECT_EQ(lane->limits.pods_min, 1U) << revision;
    EXPECT_EQ(lane->limits.height, 2U) << "it moved";
    EXPECT_EQ(pods(revision).size(), 1U) << revision;
  }
}

TEST_F(RolloutsTest, RollsPodByPod) {
  deploy(2);
  hello(1);
  roll("1", "0");
  deploy(2);
  EXPECT_EQ(view().state, RolloutState::kProgressing);
  EXPECT_EQ(pods(2).size(), 1U);
  EXPECT_EQ(pods(1).size(), 2U) << "none of the old goes before one of the new is ready";
  EXPECT_EQ(shares(), (Shares{{1, 100}, {2, 0}}));
  hello(2);
  ASSERT_TRUE(node->turn_until([&] { return pods(1).size() == 1; }));
  EXPECT_EQ(shares(), (Shares{{1, 50}, {2, 50}}));
  ASSERT_TRUE(turn_until_state(RolloutState::kComplete, 2));
  EXPECT_EQ(shares(), (Shares{{2, 100}}));
  EXPECT_EQ(pods(2).size(), 2U);
  EXPECT_TRUE(node->turn_until([&] { return pods(1).empty(); }));
  EXPECT_EQ(node->functions.find("shop")->revision->number, 2U);
}

TEST_F(RolloutsTest, ANameOfAPodIsThatOfOneAlone) {
  deploy(2);
  hello(1);
  roll("2", "0");
  deploy(2);
  std::set<std::string> names;
  for (const Pod* pod : node->engine.pods().all()) names.insert(pod->name);
  EXPECT_EQ(names, (std::set<std::string>{"shop-1", "shop-2", "shop-3", "shop-4"}));
}

TEST_F(RolloutsTest, StopsByItselfWhenAPodOfTheNewRevisionDoesNotComeUp) {
  deploy(2);
  hello(1);
  roll("1", "0");
  deploy(2);
  node->home->exit(fake(pods(2).at(0)->id), pods::PodExit::Cause::kExited, 3);
  ASSERT_TRUE(node->turn_until([&] { return view().state == RolloutState::kFailed; }));
  EXPECT_THAT(view().words, HasSubstr("the rollout of revision 2 failed: a pod of it "));
  EXPECT_THAT(view().words, HasSubstr("revision 1 serves on"));
  EXPECT_EQ(shares(), (Shares{{1, 100}}));
  EXPECT_EQ(pods(1).size(), 2U);
  const auto events = node->control.get_function("shop")->events;
  EXPECT_EQ(events.back().reason, "RolloutFailed");
  restart();
  EXPECT_EQ(view().state, RolloutState::kFailed) << "and that is not forgotten";
  EXPECT_EQ(undo(), "revision 1") << "nothing else is gone back to";
  EXPECT_EQ(view().state, RolloutState::kComplete);
}

TEST_F(RolloutsTest, IsHeldMidwayAndGoesOn) {
  ASSERT_NO_FATAL_FAILURE(pause_midway());
  EXPECT_EQ(node->control.pause_rollout("shop").error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(shares(), (Shares{{1, 50}, {2, 50}}));
  restart();
  EXPECT_EQ(view().state, RolloutState::kPaused);
  EXPECT_EQ(shares(), (Shares{{1, 50}, {2, 50}})) << "kill -9 keeps the weights";
  ASSERT_TRUE(node->control.resume_rollout("shop"));
  ASSERT_TRUE(turn_until_state(RolloutState::kComplete, 2));
  EXPECT_EQ(node->control.resume_rollout("shop").error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(RolloutsTest, GoesOnAfterARestart) {
  deploy(1);
  hello(1);
  roll("1", "0");
  deploy(1);
  EXPECT_EQ(view().state, RolloutState::kProgressing);
  restart();
  EXPECT_TRUE(turn_until_state(RolloutState::kComplete, 2));
  EXPECT_EQ(shares(), (Shares{{2, 100}}));
}

TEST_F(RolloutsTest, IsTakenBackMidway) {
  deploy(2);
  hello(1);
  roll("1", "0");
  deploy(2);
  hello(2);
  EXPECT_EQ(undo(), "revision 1");
  EXPECT_EQ(view().state, RolloutState::kComplete);
  EXPECT_EQ(shares(), (Shares{{1, 100}}));
  EXPECT_TRUE(node->turn_until([&] { return pods(2).empty(); }));
}

TEST_F(RolloutsTest, ANewerDeployTakesThePlaceOfARolloutThatIsUnderWay) {
  deploy(1);
  hello(1);
  roll("1", "0");
  deploy(1);
  deploy(1);
  EXPECT_EQ(view().target, 3U);
  EXPECT_TRUE(turn_until_state(RolloutState::kComplete, 3));
  EXPECT_TRUE(node->turn_until([&] { return pods(2).empty() && pods(1).empty(); }));
}

TEST_F(RolloutsTest, ANewerDeployMidwayTakesNoPodsAwayBeforeThereAreOthers) {
  pods_max = 10;
  deploy(4);
  hello(1);
  ASSERT_TRUE(node->control.scale("shop", 1, 10));  // the others stay until they idled
  ASSERT_EQ(pods(1).size(), 4U);
  roll("1", "0");
  deploy(1);
  ASSERT_TRUE(node->turn_until([&] {
    hello(2);
    return pods(1).size() == 1;
  }));
  deploy(1);
  EXPECT_EQ(pods(1).size(), 4U) << "the old revision gets back what the second had of it";
  std::size_t least = 4;
  EXPECT_TRUE(node->turn_until([&] {
    hello(1);
    hello(3);
    least = std::min(least, pods(1).size() + pods(3).size());
    return view().state == RolloutState::kComplete;
  }));
  EXPECT_EQ(least, 4U);
}

TEST_F(RolloutsTest, TheOldRevisionMayHaveMorePodsUntilOneOfTheNewIsReady) {
  pods_max = 10;
  deploy(1);
  hello(1);
  roll("1", "0");
  deploy(1);
  ASSERT_EQ(view().state, RolloutState::kProgressing);
  EXPECT_EQ(node->engine.scheduler().function(pods(1).at(0)->revision->lane)->pods_max, 10U);
}

TEST_F(RolloutsTest, AfterARestartAPodOfTheNewRevisionHasToComeUpEvenIfTheFunctionSleeps) {
  deploy(0);
  node->ask_function(1, "shop");
  FakePod& old = *node->home->pods.at(0);
  old.hello();
  node->settle();
  old.answer(old.expect_invoke().header.stream, 200, "");
  node->settle();
  roll("1", "0");
  deploy(0);
  ASSERT_EQ(view().state, RolloutState::kProgressing);
  restart();
  bool looked = false;
  Timer later(node->loop, [&looked] { looked = true; });
  later.start(3 * kRolloutTick);
  ASSERT_TRUE(node->turn_until([&] { return looked; }));
  EXPECT_EQ(view().state, RolloutState::kProgressing);
  EXPECT_TRUE(turn_until_state(RolloutState::kComplete, 2));
}

TEST_F(RolloutsTest, UndoOfAPausedRolloutWhoseTargetIsGoneStaysWithTheCurrentRevision) {
  deploy(2);
  deploy(2);
  hello(2);
  roll("1", "0");
  deploy(2);
  hello(3);
  ASSERT_TRUE(node->turn_until([&] { return pods(2).size() == 1; }));
  ASSERT_TRUE(node->control.pause_rollout("shop"));
  const std::string artefact = node->store->revision("shop", 3)->artefact;
  std::filesystem::remove(*node->store->artefact_path(artefact));
  restart();
  ASSERT_EQ(view().state, RolloutState::kPaused);
  ASSERT_EQ(shares(), (Shares{{2, 100}}));
  EXPECT_EQ(undo(), "revision 2");
  EXPECT_EQ(view().state, RolloutState::kComplete);
}

TEST_F(RolloutsTest, KeepsWhatWasDeployedAsideJustNow) {
  rollout.set_revisions_kept(1);
  deploy();
  deploy();
  deploy({}, false);
  EXPECT_TRUE(node->store->revision("shop", 3));
  EXPECT_TRUE(node->store->revision("shop", 1)) << "what undo goes back to";
  EXPECT_TRUE(node->control.set_traffic("shop", {{3, 100}}));
}

TEST_F(RolloutsTest, OnlyWhatServesKeepsATemplate) {
  start = manifest::TEMPLATE;
  deploy();
  const auto before = node->home->templates;
  ASSERT_EQ(before.size(), 1U);
  manifest::Function aside = ControlFixture::function("shop");
  aside.mutable_spec()->set_start(start);
  (*aside.mutable_spec()->mutable_settings())["number"] = "aside";
  bool done = false;
  node->control.begin_deploy(aside, store::put(*node->store, "aside"),
                             {.check = true, .traffic = false, .message = ""},
                             [&](const auto& result) { done = result.has_value(); });
  node->settle();
  EXPECT_EQ(node->home->templates.size(), 2U) << "for the check";
  node->home->pods.back()->hello();
  node->settle();
  ASSERT_TRUE(done);
  EXPECT_EQ(node->home->templates, before);
  node->home->exit(*node->home->pods.back());
  node->settle();
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 50}, {2, 50}}));
  EXPECT_EQ(undo(2), "revision 2");
  EXPECT_TRUE(node->turn_until([&] { return node->engine.lanes("shop").size() == 1; }));
  EXPECT_EQ(node->home->templates.size(), 1U);
}

TEST_F(RolloutsTest, UndoGoesBackAndForthAndToAnyRevision) {
  EXPECT_THAT(undo(), HasSubstr("find function shop: there is none"));
  deploy();
  EXPECT_THAT(undo(), HasSubstr("revision 1 is the first that served"));
  deploy();
  deploy();
  EXPECT_EQ(undo(), "revision 2");
  EXPECT_EQ(undo(), "revision 3");
  EXPECT_EQ(undo(1), "revision 1");
  EXPECT_EQ(undo(1), "revision 1") << "it serves already";
  EXPECT_THAT(undo(9), HasSubstr("find revision 9 of shop: there is none"));
  restart();
  EXPECT_EQ(shares(), (Shares{{1, 100}}));
  EXPECT_EQ(view().previous, 3U);
}

TEST_F(RolloutsTest, AnUndoWhosePodDoesNotComeUpChangesNothing) {
  deploy();
  deploy();
  std::string said;
  node->control.undo_rollout("shop", 0,
                             [&](const auto& result) { said = result.error().error.message; });
  node->settle();
  node->home->exit(*node->home->pods.back(), pods::PodExit::Cause::kExited, 1);
  EXPECT_TRUE(node->turn_until([&] { return !said.empty(); }));
  EXPECT_EQ(shares(), (Shares{{2, 100}}));
  EXPECT_TRUE(node->store->revision("shop", 1)) << "it was no candidate";
}

TEST_F(RolloutsTest, KeepsWhatServesHoweverManyRevisionsFollow) {
  rollout.set_revisions_kept(1);
  deploy();
  deploy({}, false);
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 90}, {2, 10}}));
  const std::string artefact = node->store->revision("shop", 2)->artefact;
  for (int i = 0; i < 4; ++i) deploy({}, false);
  EXPECT_TRUE(node->store->revision("shop", 2));
  EXPECT_TRUE(node->store->artefact_path(artefact));
  EXPECT_FALSE(node->store->revision("shop", 3)) << "an old one that nobody uses";
  EXPECT_EQ(node->store->revisions("shop")->size(), 3U);
  ASSERT_TRUE(node->control.set_traffic("shop", {{1, 100}}));
  ASSERT_TRUE(node->turn_until([&] { return node->engine.lanes("shop").size() == 1; }));
  deploy({}, false);
  EXPECT_FALSE(node->store->revision("shop", 2));
  EXPECT_FALSE(node->store->artefact_path(artefact)) << "no revision has it any more";
}

TEST_F(RolloutsTest, RefusesTrafficForWhatIsNotThereOrWhileItRolls) {
  EXPECT_EQ(node->control.set_traffic("shop", {{1, 100}}).error().code, ErrorCode::kNotFound);
  deploy(1);
  hello(1);
  EXPECT_EQ(node->control.set_traffic("shop", {{7, 100}}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(shares(), (Shares{{1, 100}}));
  roll("1", "0");
  deploy(1);
  EXPECT_EQ(node->control.set_traffic("shop", {{1, 100}}).error().code,
            ErrorCode::kFailedPrecondition);
}

}  // namespace
}  // namespace subito::node
