#include "runtime/node/control.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <future>

#include "runtime/node/control_testing.h"
#include "runtime/node/logs/log_files.h"
#include "runtime/server/fake_server.h"

namespace subito::node {
namespace {

// A member that is there before the fixture is.
struct DataFolder {
  store::TemporaryFolder folder;
};

class ControlTest : public testing::Test, protected DataFolder, public ControlFixture {
 protected:
  ControlTest() : ControlFixture(folder.path()) {}
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

TEST_F(ControlTest, ARouteOfAnotherFunctionIsRefusedWithItsFieldAndOwner) {
  manifest::Function first = function("first");
  first.mutable_spec()->add_routes()->set_path("/shop");
  ASSERT_EQ(deploy(first, store::put(*store, "first")), "deployed");
  manifest::Function second = function("second");
  second.mutable_spec()->add_routes()->set_path("/mine");
  ASSERT_EQ(deploy(second, store::put(*store, "second")), "deployed");
  second.mutable_spec()->add_routes()->set_path("/shop");
  EXPECT_EQ(deploy(second, store::put(*store, "second")),
            "deploy second: spec.routes[1].path: add route /shop: it belongs to function first; "
            "delete that one or choose another path");
  second.mutable_spec()->mutable_routes(1)->set_path("/other");
  ASSERT_EQ(deploy(second, store::put(*store, "second")), "deployed");
  EXPECT_EQ(functions.find("second")->revision->number, 2U) << "what was refused took a number";
}

// 404 before any pod is started, at the gateway; the operator's reaches all of them by name.
TEST_F(ControlTest, ClientsReachAFunctionAsItsIngressAllows) {
  server::FakeServer outside(gateway);
  gateway.attach(outside);
  server::FakeServer inside(operator_gateway);
  operator_gateway.attach(inside);
  const auto reached = [](server::FakeServer& server, const std::string& path) {
    return server.answer(server.request("GET", path)).status != 404;
  };
  manifest::Function open = function("open");
  open.mutable_spec()->add_routes()->set_path("/open");
  manifest::Function routed = function("routed");
  routed.mutable_spec()->add_routes()->set_path("/routed");
  routed.mutable_spec()->set_ingress(manifest::ROUTES);
  manifest::Function closed = function("closed");
  closed.mutable_spec()->set_ingress(manifest::INTERNAL);
  for (const manifest::Function& one : {open, routed, closed}) {
    const std::string& name = one.metadata().name();
    ASSERT_EQ(deploy(one, store::put(*store, name)), "deployed");
    EXPECT_TRUE(reached(inside, "/function/" + name + "/x"));
  }
  EXPECT_TRUE(reached(outside, "/function/open"));
  EXPECT_TRUE(reached(outside, "/open"));
  EXPECT_FALSE(reached(outside, "/function/routed"));
  EXPECT_TRUE(reached(outside, "/routed/1"));
  EXPECT_FALSE(reached(outside, "/function/closed"));
  EXPECT_EQ(control.get_function("open")->url, "/function/open");
  EXPECT_EQ(control.get_function("routed")->url, "/routed");
  EXPECT_EQ(control.get_function("closed")->url, "");

  closed.mutable_spec()->set_ingress(manifest::ALL);
  ASSERT_EQ(deploy(closed, store::put(*store, "closed")), "deployed");
  EXPECT_TRUE(reached(outside, "/function/closed"));
  control.remove("closed", [](const Status&) {});
  settle();
  EXPECT_FALSE(reached(inside, "/function/closed"));
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

TEST_F(ControlTest, AFunctionsViewTellsTheLastDecisionAndWhenItWas) {
  ASSERT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  EXPECT_EQ(control.get_function("mine")->scaling.decision, "nothing was decided yet");
  EXPECT_EQ(control.get_function("mine")->scaling.decided_unix_ns, 0);
  const std::int64_t before = wall_clock_nanoseconds();
  ask_function(1, "mine");
  const api::ScalingFacts facts = control.get_function("mine")->scaling;
  EXPECT_EQ(facts.decision, "started a pod: no pod runs (1 waiting, a start takes 5 ms)");
  // The loop's time is that of its turn, which may have begun before.
  EXPECT_GT(facts.decided_unix_ns, before - std::chrono::nanoseconds(kPatience).count());
  EXPECT_LE(facts.decided_unix_ns, wall_clock_nanoseconds());
  EXPECT_EQ(facts.waiting, 1U);
  EXPECT_EQ(facts.expected_wait_us, 0) << "there was no pod to wait for";
  EXPECT_EQ(facts.service_us, 0);
  EXPECT_EQ(facts.start_us, 5000);
}

TEST_F(ControlTest, AFunctionsRequestsAreThoseThatTheNodeAnsweredToo) {
  ASSERT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  ask_function(1, "mine");
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  pod.answer(pod.expect_invoke().header.stream, 200, "");
  settle();
  invoke(2, "POST");
  pod.expect_invoke();
  home->exit(pod, pods::PodExit::Cause::kSignalled, SIGKILL);
  settle();
  EXPECT_EQ(outcome(2).failure->status, 502);
  EXPECT_EQ(control.get_function("mine")->requests_served, 2U);
  EXPECT_EQ(control.get_function("mine")->requests_failed, 1U);
}

TEST_F(ControlTest, KnowsWhetherAFunctionWasScaledSinceItsDeployAfterARestartToo) {
  ASSERT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  EXPECT_FALSE(control.get_function("mine")->scaled);
  ASSERT_TRUE(control.scale("mine", 0, 5));
  EXPECT_TRUE(control.get_function("mine")->scaled);
  ASSERT_TRUE(control.load());
  EXPECT_TRUE(control.get_function("mine")->scaled);
  ASSERT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  EXPECT_FALSE(control.get_function("mine")->scaled);
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

// The names in it never come: every thread that could read the binary is taken.
TEST_F(ControlTest, FailsADeployWithTheLogsThereAreWhenItsCrashReportDoesNotCome) {
  constexpr int kThreads = 4;  // of libuv's pool
  std::promise<void> leave;
  const std::shared_future<void> left = leave.get_future().share();
  std::vector<std::unique_ptr<Background>> busy;
  for (int i = 0; i < kThreads; ++i) {
    busy.push_back(std::make_unique<Background>(
        loop, [left] { left.wait(); }, [] {}));
  }
  std::vector<api::DeployFailure> failures;
  control.begin_deploy(function("broken"), store::put(*store, "broken"),
                       {.check = true, .traffic = true, .message = ""},
                       [&](const auto& result) { failures.push_back(result.error()); });
  settle();
  ASSERT_EQ(home->pods.size(), 1U);
  Pod pod;
  pod.name = "broken-check-1";
  auto revision = std::make_shared<Revision>();
  revision->name = "broken";
  pod.revision = std::move(revision);
  reporter.on_output(pod, "its last words", {});
  protocol::Log crash;
  crash.set_message("crashed: SIGSEGV");
  crash.set_signal(SIGSEGV);
  crash.add_backtrace(0x10);
  reporter.on_log(pod, crash, {});
  home->exit(home->pod(0), pods::PodExit::Cause::kSignalled, SIGSEGV);
  EXPECT_TRUE(turn_until([&] { return !failures.empty(); }));
  leave.set_value();
  bool last = false;
  const Background after(
      loop, [] {}, [&last] { last = true; });
  EXPECT_TRUE(turn_until([&] { return last; }));
  settle();
  ASSERT_EQ(failures.size(), 1U) << "the report that comes after all changes nothing";
  EXPECT_NE(failures[0].error.message.find("deploy broken: start a pod of it"), std::string::npos);
  ASSERT_EQ(failures[0].last_logs.size(), 1U);
  EXPECT_EQ(failures[0].last_logs[0].message, "its last words");
  EXPECT_EQ(deploy(function("broken"), store::put(*store, "mended")), "deployed");
}

// One that has log files: a restart is another set of books over the same folder.
class LogsOfControlTest : public ControlTest {
 protected:
  LogsOfControlTest() {
    auto opened = LogFolder::open(folder.path() + "/logs", LogLimits());
    EXPECT_TRUE(opened) << opened.error().message;
    files = std::make_unique<LogFiles>(loop, *std::move(opened));
    logs.set_sink(files.get());
    control.set_log_files(files.get());
    EXPECT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  }
  ~LogsOfControlTest() override { logs.set_sink(nullptr); }

  void say(const std::string& message, std::size_t bytes = 0) {
    api::LogRecord record;
    record.unix_ns = ++said * 1'000'000;
    record.function = "mine";
    record.pod = "mine-1";
    record.message = message + std::string(bytes, ' ');
    logs.add(std::move(record));
  }
  std::vector<api::LogRecord> show(const api::LogQuery& query) {
    std::optional<Result<std::vector<api::LogRecord>>> shown;
    control.logs(query, [&](auto found) { shown = std::move(found); });
    EXPECT_FALSE(shown) << "never from inside the call";
    EXPECT_TRUE(turn_until([&] { return shown.has_value(); }));
    if (!shown || !*shown) return {};
    return **shown;
  }
  static api::LogQuery all() {
    api::LogQuery query;
    query.function = "mine";
    query.tail = api::kLogTailMax;
    return query;
  }

  std::unique_ptr<LogFiles> files;
  std::int64_t said = 0;
};

TEST_F(LogsOfControlTest, ReadsMemoryAndFilesAsOneWithoutLossOrDouble) {
  for (int i = 0; i < 300; ++i) say(std::to_string(i) + ".", 8000);
  ASSERT_GT(logs.oldest_number("mine"), 100U);
  const auto shown = show(all());
  ASSERT_EQ(shown.size(), 300U);
  for (std::size_t i = 0; i < shown.size(); ++i)
    EXPECT_EQ(shown[i].message.substr(0, shown[i].message.find('.')), std::to_string(i));
  api::LogQuery query = all();
  query.tail = 250;
  EXPECT_EQ(show(query).front().message.substr(0, 3), "50.");
  query.tail = 3;
  EXPECT_EQ(show(query).size(), 3U) << "memory has them";
  query = all();
  query.since_unix_ns = 291 * 1'000'000;
  EXPECT_EQ(show(query).size(), 10U);
}

TEST_F(LogsOfControlTest, APreviousPodsWordsAreFoundInTheFiles) {
  say("the cause");
  for (int i = 0; i < 200; ++i) say("and on", 8000);
  logs.pod_ended("mine", "mine-1", true);
  api::LogQuery query = all();
  query.previous = true;
  ASSERT_EQ(show(query).size(), 201U);
  EXPECT_EQ(show(query).front().message, "the cause");
}

TEST_F(LogsOfControlTest, AFunctionThatIsRemovedTakesItsLogWithIt) {
  say("a");
  EXPECT_EQ(show(all()).size(), 1U);
  control.remove("mine", [](const Status&) {});
  settle();
  EXPECT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  EXPECT_EQ(show(all()).size(), 0U);
}

TEST_F(ControlTest, TellsWhyLogsAreInMemoryAlone) {
  ASSERT_EQ(deploy(function("mine"), store::put(*store, "mine")), "deployed");
  control.set_log_fault("make folder of logs: no space");
  const auto view = control.get_function("mine");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->logs.fault, "make folder of logs: no space");
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

TEST_F(ControlTest, ANamespaceThatIsRefusedUsesUpNoNumber) {
  for (const char* name : {"Bad", "b_ad", "-bad"}) EXPECT_FALSE(control.create_namespace({name}));
  ASSERT_TRUE(control.create_namespace({"tea"}));
  EXPECT_EQ(functions.namespaces().number_of("tea"), 1U);
}

}  // namespace
}  // namespace subito::node
