#include "runtime/bindings/redis_link.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/bindings/redis_server.h"
#include "runtime/bindings/test_support.h"

namespace subito::bindings {
namespace {

class RedisLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_REDIS();
    server_ = std::make_unique<RedisServer>(
        loop_, dialer_, RedisServerConfig{.folder = folder_.path() + "/redis"}, nullptr);
    bool ready = false;
    ASSERT_TRUE(server_->start([&](Status status) { ready = status.has_value(); }));
    run_until(loop_, [&] { return ready; });
  }

  std::unique_ptr<RedisLink> link(RedisEndpoint endpoint) {
    RedisLink::Events events;
    events.up = [this] { happened_.emplace_back("up"); };
    events.down = [this](const std::string&) { happened_.emplace_back("down"); };
    events.pushed = [this](const redisReply& reply) {
      if (reply.elements == 3 && reply.element[2]->type == REDIS_REPLY_STRING)
        happened_.push_back(std::string(reply.element[1]->str) + " " + reply.element[2]->str);
    };
    return std::make_unique<RedisLink>(loop_, dialer_, std::move(endpoint), std::move(events));
  }
  std::unique_ptr<RedisLink> link() { return link(server_->endpoint()); }

  void wait_for(std::size_t count) {
    run_until(loop_, [&] { return happened_.size() >= count; });
  }
  void ask(RedisLink& link, RedisCommand command) {
    link.ask(std::move(command), [this](const Result<RedisReplyPtr>& reply) {
      if (!reply) return happened_.push_back(reply.error().message);
      const redisReply& one = **reply;
      happened_.push_back(one.type == REDIS_REPLY_INTEGER ? std::to_string(one.integer)
                                                          : std::string(one.str));
    });
  }
  void kill_server() {
    pid_t pid = 0;
    std::ifstream(folder_.path() + "/redis/redis.pid") >> pid;
    ASSERT_GT(pid, 1);
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
  }

  Loop loop_;
  TempFolder folder_;
  Dialer dialer_{loop_};
  std::unique_ptr<RedisServer> server_;
  std::vector<std::string> happened_;
};

TEST_F(RedisLinkTest, BeforeTheFirstAnswerItSaysThatThereWasNone) {
  const auto one = link();
  ask(*one, {"PING"});
  EXPECT_EQ(one->last_failure(), "it was not reached yet");
  wait_for(1);
  EXPECT_EQ(happened_.front(), "ask redis: it was not reached yet");
}

TEST_F(RedisLinkTest, AnswersInTheOrderOfTheQuestions) {
  const auto one = link();
  wait_for(1);
  ASSERT_TRUE(one->up());
  for (int i = 0; i < 100; ++i) ask(*one, {"INCR", "count"});
  ask(*one, {"GET"});
  wait_for(102);
  EXPECT_EQ(happened_[1], "1");
  EXPECT_EQ(happened_[100], "100");
  EXPECT_EQ(happened_[101], "ERR wrong number of arguments for 'get' command");
}

TEST_F(RedisLinkTest, ComesBackAfterRedisWasKilledAndTellsWhatMayBeLost) {
  const auto one = link();
  wait_for(1);
  ask(*one, {"BLPOP", "nothing", "0"});
  loop_.turn(false);
  kill_server();
  wait_for(4);
  EXPECT_EQ(happened_[1].rfind("ask redis: ", 0), 0U) << happened_[1];
  EXPECT_EQ(happened_[2], "down");
  EXPECT_EQ(happened_[3], "up");
  ask(*one, {"PING"});
  wait_for(5);
  EXPECT_EQ(happened_[4], "PONG");
}

TEST_F(RedisLinkTest, WhatIsAskedWhileItIsAwayFailsAndSaysWhy) {
  RedisEndpoint nobody = server_->endpoint();
  nobody.endpoint.unix_path += ".none";
  const auto one = link(nobody);
  loop_.turn(false);
  loop_.turn(false);
  ask(*one, {"PING"});
  EXPECT_TRUE(happened_.empty()) << "never from inside the call";
  wait_for(1);
  EXPECT_EQ(happened_[0].rfind("ask redis: ", 0), 0U) << happened_[0];
  EXPECT_FALSE(one->up());
}

TEST_F(RedisLinkTest, WhatIsPushedWithinAGapIsReadInOneGo) {
  std::vector<int> goes;  // pushes in each
  int pushes = 0;
  RedisLink::Events events;
  events.pushed = [&](const redisReply&) { ++pushes; };
  events.pushed_all = [&] { goes.push_back(std::exchange(pushes, 0)); };
  RedisLink listener(loop_, dialer_, server_->endpoint(), std::move(events),
                     std::chrono::seconds(1));
  const auto one = link();
  run_until(loop_, [&] { return listener.up() && one->up(); });
  listener.post({"SUBSCRIBE", "news"});
  run_until(loop_, [&] { return !goes.empty() && goes.back() == 1; });
  goes.clear();
  for (std::size_t i = 1; i <= 5; ++i) {
    ask(*one, {"PUBLISH", "news", "x"});
    wait_for(1 + i);  // one after the other: each of them would have woken it
  }
  EXPECT_TRUE(goes.empty());
  run_until(loop_, [&] { return !goes.empty(); });
  EXPECT_EQ(goes, std::vector<int>{5});
}

TEST_F(RedisLinkTest, AWrongPasswordIsToldAndTriedAgain) {
  RedisEndpoint wrong = server_->endpoint();
  wrong.password = "wrong";
  const auto one = link(wrong);
  run_until(loop_, [&] { return one->last_failure().find("WRONGPASS") != std::string::npos; });
  EXPECT_TRUE(happened_.empty());
}

TEST_F(RedisLinkTest, TheServerTellsOfChangedStreamsAndSortedSets) {
  const auto listener = link();
  const auto asker = link();
  wait_for(2);
  for (const char* key : {"s", "z", "k"}) {
    listener->post({"SUBSCRIBE", std::string("__keyspace@0__:") + key});
  }
  ask(*asker, {"PING"});
  wait_for(3);
  run_until(loop_, [&] {  // until it hears itself, which ends the race with SUBSCRIBE
    ask(*asker, {"ZADD", "z", "1", "member"});
    ask(*asker, {"ZREM", "z", "member"});
    loop_.turn(true);
    return std::count(happened_.begin(), happened_.end(), "__keyspace@0__:z zadd") > 0;
  });
  ask(*asker, {"SET", "k", "v"});
  ask(*asker, {"XADD", "s", "*", "f", "v"});
  run_until(loop_, [&] {
    return std::count(happened_.begin(), happened_.end(), "__keyspace@0__:s xadd") > 0;
  });
  EXPECT_EQ(std::count(happened_.begin(), happened_.end(), "__keyspace@0__:k set"), 0);
}

}  // namespace
}  // namespace subito::bindings
