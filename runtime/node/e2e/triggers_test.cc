// Triggers: streams, schedules and due work wake functions that have no pod, and nothing is lost or
// done with too early, whoever is killed.
#include <gmock/gmock.h>

#include <csignal>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kBinding[] = "bindings: [{name: cache, redis: {}}]\n";
constexpr char kStream[] =
    "triggers: [{name: things, stream: {of: writer, key: things}, path: /delivered}]";
constexpr char kDue[] = "triggers: [{name: due, due: {key: due}, path: /delivered}]";

class TriggersTest : public NodeTest {
 protected:
  // Without a check no pod is started: what happens starts from zero pods.
  void deploy(const std::string& name, const std::string& triggers = {}) const {
    node.deploy(name, "probe", kBinding + triggers, {"--no-check"});
  }
  std::string post(const std::string& target, const std::string& body = {}) const {
    const HttpResponse response = node.client().post("/function/" + target, body);
    EXPECT_EQ(response.status / 100, 2) << target << ": " << response.body;
    return response.body;
  }
  void behave(const std::string& name, const std::string& how) const {
    const auto response =
        node.client().request("PUT", "/function/" + name + "/redis/cache/behaviour", how);
    EXPECT_EQ(response.status, 204) << response.body;
  }
  // What was delivered, a line each: delivery, type, source, id, subject, tenant, version, content
  // type, body.
  std::vector<std::string> seen(const std::string& name) const {
    std::istringstream lines(node.client().get("/function/" + name + "/seen").body);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    return all;
  }
  Json trigger(const std::string& name) const { return node.function(name).at("triggers").at(0); }
  bool eventually_delivered(const std::string& name, std::uint64_t count) const {
    return eventually([&] { return trigger(name).at("delivered") == count; });
  }
  pid_t redis() const {
    for (const pid_t pid : children_of(node.pid())) {
      if (executable_of(pid).find("redis") != std::string::npos) return pid;
    }
    return -1;
  }
};

TEST_F(TriggersTest, AnEntryOfAStreamWakesAFunctionAndIsAcknowledgedOnce) {
  deploy("reader", kStream);
  deploy("writer");
  EXPECT_TRUE(node.asleep("reader"));
  const std::string id = post("writer/stream/things?type=shop.v1.Sold", "\x01 bytes");
  ASSERT_TRUE(eventually_delivered("reader", 1));
  EXPECT_EQ(node.pods_started("reader"), 1U);
  EXPECT_THAT(seen("reader"), testing::ElementsAre("1 shop.v1.Sold /streams/writer:things " + id +
                                                   " - a%20b 1.0 application/protobuf \x01 bytes"));
  EXPECT_EQ(trigger("reader").at("state"), "waiting");
  EXPECT_EQ(trigger("reader").at("waiting"), 0);
  node.kill();
  node.start();
  post("writer/stream/things", "another");
  ASSERT_TRUE(eventually_delivered("reader", 1)) << "counts are since the node started";
  EXPECT_EQ(seen("reader").size(), 2U) << "the first was acknowledged: it does not come back";
}

TEST_F(TriggersTest, AQuietShopStaysAtZeroPods) {
  node.deploy("reader", "probe", std::string(kBinding) + R"(triggers:
  - {name: things, stream: {of: writer, key: things}, path: /delivered}
  - {name: due, due: {key: due}, path: /delivered}
  - {name: yearly, schedule: {cron: "@yearly"}, path: /delivered}
)",
              {"--no-check"});
  ASSERT_TRUE(eventually([&] { return node.function("reader").at("triggers").size() == 3; }));
  EXPECT_EQ(node.pods_started("reader"), 0U);
  EXPECT_TRUE(node.asleep("reader"));
  const std::string text = node.cli({"describe", "reader"}).out;
  EXPECT_THAT(text, HasSubstr("things: stream writer:things -> POST /delivered"));
  EXPECT_THAT(text, HasSubstr("yearly: schedule @yearly -> POST /delivered"));
  EXPECT_THAT(text, HasSubstr("next in"));
}

TEST_F(TriggersTest, AScheduleRunsAtItsTimes) {
  deploy("clock", "triggers: [{name: tick, schedule: {cron: '@every 1s'}, path: /delivered}]");
  ASSERT_TRUE(eventually([&] { return trigger("clock").at("delivered") >= 2; }));
  const auto lines = seen("clock");
  ASSERT_GE(lines.size(), 2U);
  EXPECT_THAT(lines[0], StartsWith("1 subito.schedule /schedules/clock/tick "));
  EXPECT_THAT(lines[0], HasSubstr("000 - - 1.0 - ")) << "at a whole second, without a body";
}

TEST_F(TriggersTest, WhatIsDueWakesAFunctionAndWhatIsNotDoesNot) {
  deploy("worker", kDue);
  deploy("writer");
  const std::string late = post("worker/due/due/late?in_ms=3600000");
  const std::string soon = post("worker/due/due/order%201?in_ms=300");
  ASSERT_TRUE(eventually_delivered("worker", 1));
  const std::string id = "order%201@" + soon;
  EXPECT_THAT(seen("worker"),
              testing::ElementsAre("1 subito.due /due/worker:due " + id + " order%201 - 1.0 - "));
  EXPECT_TRUE(eventually([&] { return trigger("worker").contains("next"); }));
  for (int i = 0; i < 20; ++i) post("worker/due/due/m" + std::to_string(i) + "?in_ms=100");
  ASSERT_TRUE(eventually_delivered("worker", 21));
  EXPECT_EQ(seen("worker").size(), 21U) << "each once";
}

TEST_F(TriggersTest, WhatFailsAgainAndAgainIsADeadLetterAndCanBeReplayed) {
  deploy("reader",
         "triggers: [{name: things, stream: {of: writer, key: things}, path: /delivered, "
         "deliveries: 3}]");
  deploy("writer");
  behave("reader", "fail");
  const std::string id = post("writer/stream/things", "x");
  ASSERT_TRUE(eventually([&] { return trigger("reader").at("deadLetters") == 1; }));
  EXPECT_EQ(seen("reader").size(), 3U);
  EXPECT_THAT(seen("reader").back(), StartsWith("3 "));
  EXPECT_THAT(node.events("reader"),
              HasSubstr("DeadLetter things gave up " + id + " after 3 deliveries: answered 500"));
  const Json letters = node.json({"dead-letters", "reader", "-o", "json"}).at("items");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].at("eventId"), id);
  EXPECT_EQ(letters[0].at("type"), "probe.v1.Thing");
  EXPECT_EQ(letters[0].at("deliveries"), 3);
  EXPECT_THAT(letters[0].value("why", ""), HasSubstr("it was told to fail"));

  behave("reader", "");
  const Ran replay = node.cli({"dead-letters", "replay", "reader", letters[0].value("id", "")});
  EXPECT_EQ(replay.out, "1 dead letter of reader is delivered again\n") << replay.err;
  ASSERT_TRUE(eventually_delivered("reader", 1));
  EXPECT_THAT(seen("reader").back(), StartsWith("1 probe.v1.Thing /streams/writer:things " + id));
  EXPECT_THAT(node.cli({"dead-letters", "reader"}).out, HasSubstr("no dead letters"));
  EXPECT_EQ(node.cli({"dead-letters", "delete", "reader", "things/1-0"}).exit_code, 3);
}

TEST_F(TriggersTest, DueWorkThatFailsHoldsUpNothingElseAndItsLetterIsReplayed) {
  deploy("worker",
         "triggers: [{name: due, due: {key: due, inFlight: 2}, path: /delivered, deliveries: 2}]");
  behave("worker", "fail");
  post("worker/due/due/a");
  ASSERT_TRUE(eventually([&] { return trigger("worker").at("deadLetters") == 1; }));
  behave("worker", "");
  post("worker/due/due/b");
  ASSERT_TRUE(eventually_delivered("worker", 1));
  EXPECT_EQ(node.cli({"dead-letters", "replay", "worker", "--all"}).out,
            "1 dead letter of worker is delivered again\n");
  ASSERT_TRUE(eventually_delivered("worker", 2));
}

TEST_F(TriggersTest, AnEntryWhosePodIsKilledIsDeliveredAgain) {
  deploy("reader", kStream);
  deploy("writer");
  behave("reader", "die-once");
  post("writer/stream/things", "x");
  ASSERT_TRUE(eventually_delivered("reader", 1));
  const auto lines = seen("reader");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], StartsWith("1 "));
  EXPECT_THAT(lines[1], StartsWith("2 "));
}

TEST_F(TriggersTest, WhatANodeHadDeliveredAndNotAcknowledgedItsNextOneDeliversAgain) {
  for (const std::string& triggers : {std::string(kStream), std::string(kDue)}) {
    deploy("reader", triggers);
    deploy("writer");
    behave("reader", "slow");
    const std::size_t before = seen("reader").size();
    if (triggers == kDue)
      post("reader/due/due/member");
    else
      post("writer/stream/things", "x");
    ASSERT_TRUE(eventually([&] { return seen("reader").size() == before + 1; }));
    node.kill();
    node.start();
    ASSERT_TRUE(eventually([&] { return seen("reader").size() == before + 2; }));
    EXPECT_THAT(seen("reader").back(), StartsWith("2 ")) << "the count is Redis's";
    ASSERT_TRUE(eventually_delivered("reader", 1));
  }
}

TEST_F(TriggersTest, DeliveriesGoOnAfterRedisWasKilled) {
  deploy("reader", kStream);
  deploy("writer");
  post("writer/stream/things", "first");
  ASSERT_TRUE(eventually_delivered("reader", 1));
  ASSERT_EQ(::kill(redis(), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] {
    return node.client().post("/function/writer/stream/things", "second").status == 200;
  }));
  ASSERT_TRUE(eventually_delivered("reader", 2));
}

TEST_F(TriggersTest, AnOrderedStreamStaysInOrderAndATriggerEndsWithItsFunction) {
  deploy("reader", kStream);
  deploy("writer");
  for (int i = 0; i < 50; ++i) post("writer/stream/things", std::to_string(i));
  ASSERT_TRUE(eventually_delivered("reader", 50));
  const auto lines = seen("reader");
  ASSERT_EQ(lines.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i)
    EXPECT_THAT(lines[i], testing::EndsWith(" " + std::to_string(i)));
  ASSERT_EQ(node.cli({"delete", "reader"}).exit_code, 0);
  post("writer/stream/things", "nobody");
  deploy("reader", kStream);
  ASSERT_TRUE(eventually_delivered("reader", 1)) << "what came meanwhile waited";
}

}  // namespace
}  // namespace subito::e2e
