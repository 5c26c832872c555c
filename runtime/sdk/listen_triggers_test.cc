// Triggers of a function that serves by itself, on a real Redis. `probe` notes what is delivered.
#include "runtime/sdk/listen_triggers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "runtime/sdk/listening_function.h"
#include "runtime/sdk/redis_fixture.h"

namespace subito::sdk {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::chrono::seconds kPatience{20};
constexpr char kStream[] = "TRIGGER_THINGS=stream probe:things /delivered";
constexpr char kDue[] = "TRIGGER_DUE=due probe:due /delivered";

class ListenTriggersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!redis.available()) GTEST_SKIP() << "redis-server is not installed";
  }

  ListeningFunction probe(std::vector<std::string> triggers,
                          const std::string& address = "127.0.0.1:0") const {
    triggers.push_back("REDIS_URL=unix:" + redis.path());
    return ListeningFunction("probe", std::move(triggers),
                             {"--name", "probe", "--concurrency", "1"}, address);
  }
  static std::string post(const ListeningFunction& function, const std::string& target,
                          const std::string& body = {}) {
    return function.connect().ask("POST", target, body).body;
  }
  static void behave(const ListeningFunction& function, const std::string& how) {
    ASSERT_EQ(function.connect().ask("PUT", "/redis/cache/behaviour", how).status, 204);
  }
  // What was delivered, a line each: delivery, type, source, id, subject, tenant, version, content
  // type, body. Asks again until there are `count`.
  static std::vector<std::string> seen(const ListeningFunction& function, std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    std::vector<std::string> all;
    while (all.size() < count && std::chrono::steady_clock::now() < end) {
      std::istringstream lines(function.connect().ask("GET", "/seen").body);
      all.clear();
      for (std::string line; std::getline(lines, line);) all.push_back(line);
    }
    return all;
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }

  // What Redis says to a command, as it stands on the wire.
  std::string ask_redis(const std::string& command) const {
    const UniqueFd connection = redis.connect();
    const std::string line = command + "\r\n";
    EXPECT_EQ(::send(connection.get(), line.data(), line.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(line.size()));
    char reply[1024];
    const ssize_t count = ::recv(connection.get(), reply, sizeof reply, 0);
    return {reply, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }
  // Whether nothing is taken and not acknowledged, in the group that a node would read by.
  bool all_acknowledged() const {
    return ask_redis("XPENDING probe:things probe:things").starts_with("*4\r\n:0\r\n");
  }

  RedisFixture redis;
};

TEST_F(ListenTriggersTest, EntriesOfAStreamComeInTheirOrderAndOnce) {
  std::string first;
  {
    ListeningFunction function = probe({kStream});
    first = post(function, "/stream/things?type=shop.v1.Sold", "\x01 bytes");
    post(function, "/stream/things", "second");
    const auto lines = seen(function, 2);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], "1 shop.v1.Sold /streams/probe:things " + first +
                            " - a%20b 1.0 application/protobuf \x01 bytes");
    EXPECT_THAT(lines[1], HasSubstr(" second"));
    EXPECT_TRUE(eventually([&] { return all_acknowledged(); }));
    function.terminate();
    EXPECT_EQ(function.wait_exit(), 0);
  }
  const ListeningFunction again = probe({kStream});
  post(again, "/stream/things", "third");
  const auto lines = seen(again, 3);
  ASSERT_EQ(lines.size(), 3U) << "what was acknowledged does not come back";
  EXPECT_THAT(lines[2], HasSubstr(" third"));
}

TEST_F(ListenTriggersTest, WhatFailsHoldsUpTheStreamAndComesAgain) {
  const ListeningFunction function = probe({kStream});
  behave(function, "fail");
  const std::string id = post(function, "/stream/things", "first");
  post(function, "/stream/things", "second");
  ASSERT_GE(seen(function, 2).size(), 2U);
  behave(function, "");
  ASSERT_TRUE(
      eventually([&] { return seen(function, 1).back().find(" second") != std::string::npos; }));
  const auto lines = seen(function, 3);
  EXPECT_THAT(lines[0], StartsWith("1 "));
  EXPECT_THAT(lines[1], StartsWith("2 "));
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) EXPECT_THAT(lines[i], HasSubstr(id));
}

TEST_F(ListenTriggersTest, WhatSomebodyLeftLyingIsTakenOver) {
  ask_redis("XGROUP CREATE probe:things probe:things 0 MKSTREAM");
  ask_redis("XADD probe:things 1-1 data old");
  ask_redis("XADD probe:things 1-2 data held");
  ask_redis("XREADGROUP GROUP probe:things dead STREAMS probe:things >");
  ask_redis("XCLAIM probe:things probe:things dead 0 1-1 IDLE 1000000");  // 1-2 is quite new
  const ListeningFunction function = probe({kStream});
  EXPECT_THAT(seen(function, 1), ElementsAre(HasSubstr(" 1-1 ")));
  post(function, "/stream/things", "new");
  EXPECT_THAT(seen(function, 2), ElementsAre(HasSubstr(" 1-1 "), HasSubstr(" new")));
}

TEST_F(ListenTriggersTest, AStreamComesInItsOrderThoughTheProcessIsKilled) {
  const std::string address = "unix:" + redis.path() + ".probe";
  for (const char* id : {"1-1", "1-2", "1-3"})
    ask_redis(std::string("XADD probe:things ") + id + " data x");
  ask_redis("SET probe:behaviour die-once");
  {
    ListeningFunction function = probe({kStream}, address);
    EXPECT_NE(function.wait_exit(), 0);
  }
  ask_redis("SET probe:behaviour fine");
  ask_redis("XADD probe:things 1-4 data x");
  const ListeningFunction again = probe({kStream}, address);
  EXPECT_THAT(seen(again, 5),
              ElementsAre(HasSubstr(" 1-1 "), HasSubstr(" 1-1 "), HasSubstr(" 1-2 "),
                          HasSubstr(" 1-3 "), HasSubstr(" 1-4 ")));
}

TEST_F(ListenTriggersTest, AProcessHoldsOneEntryAndSaysThatItDoes) {
  ask_redis("SET probe:behaviour fail");
  for (const char* id : {"1-1", "1-2", "1-3"}) {
    ask_redis(std::string("XADD probe:things ") + id + " data x");
  }
  const ListeningFunction function = probe({kStream});
  ASSERT_GE(seen(function, 4).size(), 4U);
  // One is pending, and Redis counts it as taken with every try: so it never seems left lying.
  const std::string pending = ask_redis("XPENDING probe:things probe:things - + 10");
  EXPECT_THAT(pending, StartsWith("*1\r\n*4\r\n"));
  EXPECT_GE(std::stoi(pending.substr(pending.rfind(':') + 1)), 4);
}

TEST_F(ListenTriggersTest, AnEntryThatWasDeletedMeanwhileHoldsUpNothing) {
  const ListeningFunction function = probe({kStream});
  behave(function, "fail");
  const std::string id = post(function, "/stream/things", "first");
  ASSERT_GE(seen(function, 1).size(), 1U);
  EXPECT_EQ(ask_redis("XDEL probe:things " + id), ":1\r\n");
  behave(function, "");
  post(function, "/stream/things", "second");
  EXPECT_TRUE(
      eventually([&] { return seen(function, 1).back().find(" second") != std::string::npos; }));
  EXPECT_TRUE(eventually([&] { return all_acknowledged(); }));
  EXPECT_THAT(seen(function, 1), Each(HasSubstr(" probe.v1.Thing "))) << "it has no fields";
}

TEST_F(ListenTriggersTest, DueWorkThatFailsHoldsUpNoOther) {
  std::string many = "ZADD probe:due";
  for (int i = 0; i < 130; ++i) many += " 1 bad" + std::to_string(i);
  ask_redis(many + " 2 good");
  ask_redis("SET probe:behaviour \"fail bad\"");
  const ListeningFunction function = probe({kDue});
  const auto lines = seen(function, 132);
  ASSERT_GE(lines.size(), 132U);
  EXPECT_THAT(lines[130], HasSubstr(" good@2 "));
  EXPECT_THAT(lines[131], AllOf(StartsWith("2 "), HasSubstr(" bad")));
  EXPECT_TRUE(eventually([&] { return ask_redis("ZCARD probe:due") == ":130\r\n"; }));
}

TEST_F(ListenTriggersTest, RequestsAndDeliveriesShareTheConcurrency) {
  ask_redis("SET probe:behaviour slow");
  const ListeningFunction function = probe({kDue});
  ask_redis("ZADD probe:due 1 a");
  ASSERT_TRUE(eventually([&] { return ask_redis("LLEN probe:seen") == ":1\r\n"; }));
  EXPECT_EQ(function.connect().ask("GET", "/redis/cache/slow-done").body, "1");
}

TEST_F(ListenTriggersTest, WhatIsDueComesAndIsGoneAndWhatIsNotStays) {
  const ListeningFunction function = probe({kDue});
  post(function, "/due/due/late?in_ms=3600000");
  const std::string soon = post(function, "/due/due/order%201?in_ms=10");
  EXPECT_THAT(seen(function, 1),
              ElementsAre("1 subito.due /due/probe:due order%201@" + soon + " order%201 - 1.0 - "));
  const std::string next = post(function, "/due/due/next");
  EXPECT_THAT(seen(function, 2), ElementsAre(HasSubstr("order%201"), HasSubstr("next@" + next)));
}

TEST_F(ListenTriggersTest, DueWorkThatFailsIsTriedAgain) {
  const ListeningFunction function = probe({kDue});
  behave(function, "fail");
  post(function, "/due/due/a");
  ASSERT_GE(seen(function, 2).size(), 2U);
  behave(function, "");
  const auto settled = seen(function, 3).size();
  post(function, "/due/due/b");
  const auto lines = seen(function, settled + 1);
  EXPECT_THAT(lines.back(), HasSubstr(" b@")) << "a was removed";
}

TEST_F(ListenTriggersTest, ARedisThatComesBackIsReadOn) {
  ListeningFunction function = probe({kDue, kStream});
  post(function, "/stream/things", "before");
  ASSERT_EQ(seen(function, 1).size(), 1U);
  redis.restart();  // and empty
  post(function, "/stream/things", "after");
  std::vector<std::string> since = seen(function, 1);
  // Its acknowledgement may have been lost: at least once.
  if (since.back().ends_with(" before")) since = seen(function, 2);
  EXPECT_THAT(since.back(), HasSubstr(" after"));
  function.terminate();
  EXPECT_EQ(function.wait_exit(), 0) << "also while it waits for entries";
}

TEST_F(ListenTriggersTest, ADeliveryThatIsUnderWayIsFinishedFirst) {
  ListeningFunction function = probe({kStream});
  behave(function, "slow");
  post(function, "/stream/things", "slow");
  ASSERT_EQ(seen(function, 1).size(), 1U);
  function.terminate();
  EXPECT_EQ(function.wait_exit(), 0);
  const ListeningFunction again = probe({kStream});
  behave(again, "");
  post(again, "/stream/things", "next");
  EXPECT_THAT(seen(again, 2), ElementsAre(HasSubstr(" slow"), HasSubstr(" next")));
}

}  // namespace
}  // namespace subito::sdk
