// Triggers over a real Redis, with a fake in place of the engine.
#include "runtime/node/triggers/triggers.h"

#include <gmock/gmock.h>

#include <csignal>
#include <deque>
#include <fstream>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/manifest.h"
#include "runtime/bindings/redis_server.h"
#include "runtime/bindings/test_support.h"

namespace subito::node {
namespace {

using bindings::run_until;
using testing::ElementsAre;
using testing::HasSubstr;

// Keeps what it is asked until the test answers.
class FakeEngine final : public Invoker {
 public:
  struct Asked {
    Caller* caller = nullptr;
    CallerToken token = 0;
    Invocation invocation;
    std::string body;

    std::string field(std::string_view name) const {
      const std::string* value = http::find_field(invocation.fields, name);
      return value == nullptr ? "-" : *value;
    }
  };

  InvocationId invoke(Caller& caller, CallerToken token, Invocation&& invocation) override {
    asked.push_back({&caller, token, std::move(invocation), {}});
    return InvocationId(++count);
  }
  void body(InvocationId, std::string_view bytes, bool end) override {
    Asked& last = asked.back();
    last.body += bytes;
    if (!end) last.caller->on_consumed(last.token, bytes.size());
  }
  void resume(InvocationId) override {}
  void abort(InvocationId) override {}

  // The one that has waited longest, answered.
  Asked answer(int status, http::Fields fields = {}) {
    Asked first = std::move(asked.front());
    asked.pop_front();
    Answer made;
    made.head.status = status;
    made.head.fields = std::move(fields);
    first.caller->on_answer(first.token, std::move(made), status == 204 ? "" : "no\n", true);
    return first;
  }
  Asked refuse(const std::string& type) {
    Asked first = std::move(asked.front());
    asked.pop_front();
    Failure failure;
    failure.status = 503;
    failure.type = type;
    first.caller->on_failure(first.token, std::move(failure));
    return first;
  }

  std::deque<Asked> asked;
  std::uint64_t count = 0;
};

class TriggersShellTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_REDIS();
    server_ = std::make_unique<bindings::RedisServer>(
        loop_, dialer_, bindings::RedisServerConfig{.folder = folder_.path() + "/redis"}, nullptr);
    bool ready = false;
    ASSERT_TRUE(server_->start([&](Status status) { ready = status.has_value(); }));
    run_until(loop_, [&] { return ready; });
    dialer_.dial({"redis", server_->endpoint().endpoint}, bindings::kDialTimeout,
                 [this](Result<UniqueFd> fd) { fd_ = *std::move(fd); });
    run_until(loop_, [&] { return fd_.valid(); });
    const auto redis = server_->endpoint();
    ASSERT_EQ(ask({"AUTH", redis.user, redis.password}), "OK");
  }

  std::string ask(bindings::RedisCommand command) {
    return bindings::ask(loop_, fd_.get(), std::move(command));
  }

  // As deployed; `triggers` as in a manifest, in flow style.
  void put(const std::string& name, const std::string& triggers) {
    const auto read = manifest::parse_yaml(
        "test", "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: " + name +
                    "}\nspec: {binary: x, timeout: 1s, bindings: [{name: cache, redis: {}}], "
                    "triggers: [" +
                    triggers + "]}\n");
    ASSERT_EQ(to_string(read.faults), "");
    manifest::Function function = read.manifests.front().function;
    manifest::apply_defaults(function);
    functions_.put(make_revision(functions_.id_of(name), functions_.next_revision_id(), 1, function,
                                 {"hash", "/nowhere"}),
                   1, 1);
    if (triggers_) triggers_->sync();
  }
  void start(const std::string& consumer = "node-1") {
    triggers_ = std::make_unique<Triggers>(
        loop_, dialer_, engine_, functions_,
        [this](const std::string&, const std::string& message) { told_.push_back(message); });
    triggers_->use_redis(server_->endpoint(), consumer);
    triggers_->sync();
  }
  void wait_for_asked(std::size_t count) {
    run_until(loop_, [&] { return engine_.asked.size() >= count; });
  }
  api::TriggerView view(const std::string& function) const {
    return triggers_->views(function).at(0);
  }
  void wait_for(const std::function<bool(const api::TriggerView&)>& true_of) {
    run_until(loop_, [&] { return true_of(view("reader")); });
  }

  Loop loop_;
  bindings::TempFolder folder_;
  bindings::Dialer dialer_{loop_};
  std::unique_ptr<bindings::RedisServer> server_;
  UniqueFd fd_;
  FakeEngine engine_;
  Functions functions_;
  std::vector<std::string> told_;
  std::unique_ptr<Triggers> triggers_;
};

constexpr char kStream[] = "{name: t, stream: {of: writer, key: s}, path: /t, deliveries: 3}";
constexpr char kDue[] = "{name: t, due: {key: d, inFlight: 2}, path: /t, deliveries: 3}";

TEST_F(TriggersShellTest, AnEntryIsDeliveredAsACloudEventAndAcknowledged) {
  put("reader", kStream);
  start();
  const std::string data(600'000, 'x');
  ask({"XADD", "writer:s", "5000-0", "type", "shop.v1.A", "data", data, "Bad", "1", "n1",
       "\xc3\xa9"});
  wait_for_asked(1);
  const auto asked = engine_.answer(204);
  EXPECT_EQ(asked.invocation.method + " " + asked.invocation.path, "POST /t");
  EXPECT_EQ(asked.body, data) << "in pieces, all of it";
  EXPECT_EQ(asked.field("ce-id"), "5000-0");
  EXPECT_EQ(asked.field("ce-source"), "/streams/writer:s");
  EXPECT_EQ(asked.field("ce-type"), "shop.v1.A");
  EXPECT_EQ(asked.field("ce-time"), "1970-01-01T00:00:05.000Z");
  EXPECT_EQ(asked.field("ce-n1"), "%C3%A9");
  EXPECT_EQ(asked.field("ce-bad"), "-");
  EXPECT_EQ(asked.field("content-type"), "application/protobuf");
  EXPECT_EQ(asked.field("subito-delivery"), "1");
  EXPECT_FALSE(asked.invocation.request_id.empty());
  EXPECT_FALSE(asked.invocation.traceparent.empty());
  wait_for([](const api::TriggerView& one) { return one.delivered == 1; });
  run_until(loop_, [&] {
    return ask({"EVAL", "return #redis.call('XPENDING', 'writer:s', 'reader:t', '-', '+', 9)",
                "0"}) == "0";
  });
}

TEST_F(TriggersShellTest, EntriesTogetherAreOneBatchAndWhatIsNamedComesAgainAlone) {
  put("reader", "{name: t, stream: {of: writer, key: s, inFlight: 2, batch: 9}, path: /t}");
  ask({"XADD", "writer:s", "1-0", "type", "a", "data", "\xff\x01", "n1", "x"});
  ask({"XADD", "writer:s", "1-1", "type", "b", "data", "two"});
  ask({"XADD", "writer:s", "1-2", "type", "c"});
  start();
  wait_for_asked(1);
  const auto batch = engine_.answer(204, {{"subito-failed", "1-1"}});
  EXPECT_EQ(batch.field("content-type"), "application/cloudevents-batch+json");
  EXPECT_EQ(batch.field("subito-delivery"), "1");
  EXPECT_EQ(batch.body,
            R"([{"specversion":"1.0","id":"1-0","source":"/streams/writer:s","type":"a",)"
            R"("time":"1970-01-01T00:00:00.001Z","n1":"x",)"
            R"("datacontenttype":"application/protobuf","data_base64":"/wE="},)"
            "\n"
            R"({"specversion":"1.0","id":"1-1","source":"/streams/writer:s","type":"b",)"
            R"("time":"1970-01-01T00:00:00.001Z",)"
            R"("datacontenttype":"application/protobuf","data_base64":"dHdv"},)"
            "\n"
            R"({"specversion":"1.0","id":"1-2","source":"/streams/writer:s","type":"c",)"
            R"("time":"1970-01-01T00:00:00.001Z"}])"
            "\n");
  wait_for_asked(1);
  const auto again = engine_.answer(204);
  EXPECT_EQ(again.field("ce-id") + " " + again.field("subito-delivery") + " " + again.body,
            "1-1 2 two");
  wait_for([](const api::TriggerView& one) { return one.delivered == 3 && one.failed == 1; });
  run_until(loop_, [&] {
    return ask({"EVAL", "return #redis.call('XPENDING', 'writer:s', 'reader:t', '-', '+', 9)",
                "0"}) == "0";
  });
}

TEST_F(TriggersShellTest, InOrderWhatIsBehindAFailureInItsBatchComesAgainBehindIt) {
  put("reader", "{name: t, stream: {of: writer, key: s, batch: 9}, path: /t}");
  for (const char* id : {"1-0", "1-1", "1-2"}) ask({"XADD", "writer:s", id, "data", id});
  start();
  wait_for_asked(1);
  engine_.answer(200, {{"subito-failed", "1-1"}});
  for (const char* id : {"1-1", "1-2"}) {
    wait_for_asked(1);
    EXPECT_EQ(engine_.asked.size(), 1U);
    EXPECT_EQ(engine_.answer(204).body, id);
  }
  wait_for([](const api::TriggerView& one) { return one.delivered == 3; });
}

TEST_F(TriggersShellTest, AHandlerMayNameEachThatFailedInAFieldOfItsOwn) {
  put("reader", "{name: t, stream: {of: writer, key: s, inFlight: 2, batch: 9}, path: /t}");
  for (const char* id : {"1-0", "1-1", "1-2"}) ask({"XADD", "writer:s", id, "data", id});
  start();
  wait_for_asked(1);
  engine_.answer(204, {{"subito-failed", "1-0"}, {"subito-failed", "1-2"}});
  for (int i = 0; i < 2; ++i) {
    wait_for_asked(1);
    EXPECT_NE(engine_.answer(204).body, "1-1");
  }
  wait_for([](const api::TriggerView& one) { return one.delivered == 3 && one.failed == 2; });
}

TEST_F(TriggersShellTest, WhereOneDeliveryIsAllAFailureMakesNoDeadLetterOfWhatCameWithIt) {
  put("reader", "{name: t, stream: {of: writer, key: s, batch: 9}, path: /t, deliveries: 1}");
  for (const char* id : {"1-0", "1-1"}) ask({"XADD", "writer:s", id, "data", id});
  start();
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(500).body, "1-0");
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(204).body, "1-1");
  wait_for([](const api::TriggerView& one) { return one.delivered == 1; });
  wait_for([](const api::TriggerView& one) { return one.dead_letters == 1; });
}

// An entry deleted ahead of the group: Redis tells no lag.
TEST_F(TriggersShellTest, GoesOnAfterALookThatEndedForItsBytesThoughRedisTellsNoLag) {
  put("reader", "{name: t, stream: {of: writer, key: s, inFlight: 9}, path: /t}");
  const std::string data(kLookBytesMax / 2 + 1, 'x');
  for (int i = 0; i < 9; ++i) ask({"XADD", "writer:s", "1-" + std::to_string(i), "data", data});
  ask({"XDEL", "writer:s", "1-7"});
  start();
  wait_for_asked(8);
}

TEST_F(TriggersShellTest, ARefusalByTheNodeIsNotCountedAFailureIs) {
  put("reader", kStream);
  start();
  ask({"XADD", "writer:s", "*", "data", "x"});
  wait_for_asked(1);
  EXPECT_EQ(engine_.refuse("node-full").field("subito-delivery"), "1");
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(500).field("subito-delivery"), "1");
  wait_for_asked(1);
  EXPECT_EQ(engine_.refuse("queue-full").field("subito-delivery"), "2");
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(500).field("subito-delivery"), "2");
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(500).field("subito-delivery"), "3");
  wait_for([](const api::TriggerView& one) { return one.dead_letters == 1; });
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_THAT(told_[0], HasSubstr("after 3 deliveries: answered 500: no"));
}

TEST_F(TriggersShellTest, WhatIsDueIsDeliveredAtMostSoManyAtOnceAndGoesIfItsTimeIsTheSame) {
  put("reader", kDue);
  ask({"ZADD", "reader:d", "1000", "a", "2000", "b", "3000", "c d"});
  start();
  wait_for_asked(2);
  EXPECT_EQ(engine_.asked.size(), 2U);
  ask({"ZADD", "reader:d", "9000000000000", "a"});  // a handler wants it again, later
  EXPECT_EQ(engine_.answer(204).field("ce-id"), "a@1000");
  EXPECT_EQ(engine_.answer(204).field("ce-id"), "b@2000");
  wait_for_asked(1);
  const auto third = engine_.answer(204);
  EXPECT_EQ(third.field("ce-subject"), "c%20d");
  EXPECT_EQ(third.field("ce-type"), "subito.due");
  run_until(loop_, [&] { return ask({"ZCARD", "reader:d"}) == "1"; });
  EXPECT_EQ(ask({"ZSCORE", "reader:d", "a"}), "9000000000000");
  run_until(loop_, [&] { return ask({"EXISTS", "reader:t:tries"}) == "0"; });
}

TEST_F(TriggersShellTest, CountsOfDueWorkSurviveTheNode) {
  put("reader", kDue);
  ask({"ZADD", "reader:d", "1000", "a"});
  for (const char* number : {"1", "2", "3"}) {
    start();
    wait_for_asked(1);
    EXPECT_EQ(engine_.asked.front().field("subito-delivery"), number);
    triggers_.reset();  // the node ends before there is an answer
    engine_.asked.clear();
  }
  start();
  wait_for([](const api::TriggerView& one) { return one.dead_letters == 1; });
  EXPECT_THAT(told_, ElementsAre(HasSubstr("never answered: the node ended")));
  EXPECT_EQ(ask({"ZCARD", "reader:d"}), "0");
}

TEST_F(TriggersShellTest, ANodeTakesUpWhatItHadAndWhatAnotherLeftLying) {
  put("reader", kStream);
  ask({"XGROUP", "CREATE", "writer:s", "reader:t", "0", "MKSTREAM"});
  ask({"XADD", "writer:s", "1-0", "data", "mine"});
  ask({"XADD", "writer:s", "2-0", "data", "lying"});
  ask({"XADD", "writer:s", "3-0", "data", "busy"});
  ask({"XREADGROUP", "GROUP", "reader:t", "node-1", "COUNT", "1", "STREAMS", "writer:s", ">"});
  ask({"XREADGROUP", "GROUP", "reader:t", "node-2", "COUNT", "2", "STREAMS", "writer:s", ">"});
  // Timeout 1 s and a margin of 30 s: longer than that, and shorter.
  ask({"XCLAIM", "writer:s", "reader:t", "node-2", "0", "2-0", "IDLE", "60000", "JUSTID"});
  start();
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(204).body, "mine");
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(204).body, "lying");
  wait_for([](const api::TriggerView& one) { return one.delivered == 2; });
  EXPECT_TRUE(engine_.asked.empty()) << "the third is at work elsewhere";
}

TEST_F(TriggersShellTest, WhatIsTooLargeIsADeadLetterAtOnceAndHoldsUpNothing) {
  put("reader", kStream);
  start();
  ask({"EVAL",
       "redis.call('XADD', 'writer:s', '1-0', 'data', string.rep('x', 17 * 1024 * 1024)) "
       "redis.call('XADD', 'writer:s', '2-0', 'data', 'small') return 1",
       "0"});
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(204).body, "small");
  wait_for([](const api::TriggerView& one) { return one.dead_letters == 1; });
  EXPECT_THAT(told_, ElementsAre(HasSubstr("1-0 after 0 deliveries: is too large")));
}

TEST_F(TriggersShellTest, ARedisThatTellsNothingIsAskedEachSecond) {
  ask({"CONFIG", "SET", "notify-keyspace-events", ""});
  put("reader", kStream);
  start();
  run_until(loop_, [&] { return view("reader").polls; });
  ask({"XADD", "writer:s", "1-0", "data", "x"});
  wait_for_asked(1);
  EXPECT_EQ(engine_.answer(204).body, "x");
}

TEST_F(TriggersShellTest, AKeyOfAnotherKindIsToldAndTriedAgain) {
  ask({"SET", "writer:s", "no stream"});
  put("reader", kStream);
  start();
  wait_for([](const api::TriggerView& one) {
    return one.state.find("tries again: Redis says WRONGTYPE") != std::string::npos;
  });
  ask({"DEL", "writer:s"});
  ask({"XADD", "writer:s", "*", "data", "x"});
  wait_for_asked(1);
  engine_.answer(204);
  wait_for([](const api::TriggerView& one) { return one.state == "waiting"; });
}

TEST_F(TriggersShellTest, GoesOnAfterRedisWasKilled) {
  put("reader", kStream);
  start();
  ask({"XADD", "writer:s", "1-0", "data", "x"});
  wait_for_asked(1);
  pid_t pid = 0;
  std::ifstream(folder_.path() + "/redis/redis.pid") >> pid;
  ASSERT_GT(pid, 1);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  wait_for([](const api::TriggerView& one) { return one.state.rfind("waits for Redis", 0) == 0; });
  EXPECT_EQ(engine_.answer(204).body, "x");  // acknowledged when it is back
  wait_for([](const api::TriggerView& one) { return one.state == "waiting"; });
  EXPECT_TRUE(engine_.asked.empty());
}

TEST_F(TriggersShellTest, AChangedManifestGoesOnWithWhatIsUnderWay) {
  put("reader", kStream);
  start();
  ask({"XADD", "writer:s", "1-0", "data", "x"});
  wait_for_asked(1);
  put("reader", "{name: t, stream: {of: writer, key: s, inFlight: 2}, path: /new}");
  ask({"XADD", "writer:s", "2-0", "data", "y"});
  wait_for_asked(2);
  EXPECT_EQ(engine_.answer(204).invocation.path, "/t");
  EXPECT_EQ(engine_.answer(204).invocation.path, "/new");
  wait_for([](const api::TriggerView& one) { return one.delivered == 2; });
  put("reader", "");
  EXPECT_TRUE(triggers_->views("reader").empty());
}

TEST_F(TriggersShellTest, BeginsNothingOnceItStops) {
  put("reader", kStream);
  start();
  ask({"XADD", "writer:s", "1-0", "data", "x"});
  wait_for_asked(1);
  triggers_->stop();
  ask({"XADD", "writer:s", "2-0", "data", "y"});
  engine_.answer(204);
  run_until(loop_, [&] {
    return ask({"EVAL", "return #redis.call('XPENDING', 'writer:s', 'reader:t', '-', '+', 9)",
                "0"}) == "0";
  });
  EXPECT_TRUE(engine_.asked.empty());
}

TEST_F(TriggersShellTest, ADeadLetterOfAnEntryThatIsTrimmedAwayCannotBeReplayed) {
  put("reader", "{name: t, stream: {of: writer, key: s}, path: /t, deliveries: 1}");
  start();
  ask({"XADD", "writer:s", "1-0", "type", "shop.v1.A", "data", "x"});
  wait_for_asked(1);
  engine_.answer(500);
  wait_for([](const api::TriggerView& one) { return one.dead_letters == 1; });
  ask({"XTRIM", "writer:s", "MAXLEN", "0"});
  std::string said;
  const auto settle = [&](bool replay) {
    said.clear();
    triggers_->settle_dead_letters("reader", {"", "", replay}, [&](Result<std::size_t> count) {
      said = count ? std::to_string(*count) : count.error().message;
    });
    run_until(loop_, [&] { return !said.empty(); });
    return said;
  };
  EXPECT_THAT(settle(true), HasSubstr("its stream has no entry 1-0 any more; delete"));
  EXPECT_EQ(settle(false), "1");
  EXPECT_EQ(settle(false), "0");
}

}  // namespace
}  // namespace subito::node
