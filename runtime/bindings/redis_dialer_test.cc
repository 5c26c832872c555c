#include "runtime/bindings/redis_dialer.h"

#include <fcntl.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "runtime/bindings/redis_server.h"
#include "runtime/bindings/test_support.h"

namespace subito::bindings {
namespace {

using std::chrono::seconds;

class RedisDialerTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_REDIS();
    server_ = std::make_unique<RedisServer>(loop_, dialer_,
                                            RedisServerConfig{folder_.path() + "/redis"}, nullptr);
    ASSERT_TRUE(server_->start(nullptr).has_value());
    run_until(loop_, [&] { return server_->state() == RedisServer::State::kReady; });
    redis_ = std::make_unique<RedisDialer>(loop_, dialer_, RedisDialerConfig{server_->endpoint()});
  }

  Result<UniqueFd> connect(const std::string& function, const std::string& prefix) {
    std::optional<Result<UniqueFd>> outcome;
    redis_->connect(function, prefix, seconds(5),
                    [&](Result<UniqueFd> fd) { outcome.emplace(std::move(fd)); });
    EXPECT_FALSE(outcome.has_value()) << "called back inside connect()";
    run_until(loop_, [&] { return outcome.has_value(); });
    if (!outcome) return fail(ErrorCode::kInternal, "no outcome");
    return *std::move(outcome);
  }

  std::string ask_as(const std::string& function, RedisCommand command) {
    const auto fd = connect(function, function + ":");
    return fd ? ask(loop_, fd->get(), std::move(command)) : fd.error().message;
  }

  TempFolder folder_;
  Loop loop_;
  Dialer dialer_{loop_};
  std::unique_ptr<RedisServer> server_;
  std::unique_ptr<RedisDialer> redis_;
};

TEST_F(RedisDialerTest, HandsOverABlockingSocketLoggedInAsTheFunction) {
  for (int round = 0; round < 2; ++round) {  // its user is made, then known
    const auto fd = connect("stock", "stock:");
    ASSERT_TRUE(fd.has_value()) << fd.error().message;
    EXPECT_EQ(fcntl(fd->get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(ask(loop_, fd->get(), {"ACL", "WHOAMI"}).find("NOPERM"), std::string::npos);
    EXPECT_EQ(ask(loop_, fd->get(), {"SET", "stock:1", "5"}), "OK");
  }
  EXPECT_EQ(redis_->in_flight(), 0u);
}

TEST_F(RedisDialerTest, NoFunctionReachesBeyondItsPrefix) {
  ASSERT_EQ(ask_as("stock", {"SET", "stock:1", "5"}), "OK");
  EXPECT_EQ(ask_as("checkout", {"GET", "stock:1"}).find("NOPERM"), 0u);
  EXPECT_EQ(ask_as("checkout", {"SUBSCRIBE", "stock:events"}).find("NOPERM"), 0u);
  EXPECT_EQ(ask_as("checkout", {"PSUBSCRIBE", "*"}).find("NOPERM"), 0u);
  EXPECT_EQ(ask_as("checkout", {"COPY", "stock:1", "checkout:1"}).find("NOPERM"), 0u);
  EXPECT_EQ(ask_as("stock", {"GET", "stock:1"}), "5");
}

TEST_F(RedisDialerTest, AConnectionInUseKeepsItsRightsWhenAnotherPrefixIsAskedFor) {
  const auto old = connect("stock", "stock:");
  ASSERT_TRUE(old.has_value());
  const auto young = connect("stock", "shop:");
  ASSERT_TRUE(young.has_value());
  EXPECT_EQ(ask(loop_, old->get(), {"SET", "stock:1", "5"}), "OK");
  EXPECT_EQ(ask(loop_, young->get(), {"SET", "shop:1", "5"}), "OK");
  EXPECT_EQ(ask(loop_, young->get(), {"GET", "stock:1"}).find("NOPERM"), 0u);
  EXPECT_EQ(ask(loop_, old->get(), {"GET", "shop:1"}).find("NOPERM"), 0u);
}

TEST_F(RedisDialerTest, NorDoesAScript) {
  ASSERT_EQ(ask_as("stock", {"SET", "stock:1", "5"}), "OK");
  const std::string undeclared = "return redis.call('GET', 'stock:1')";
  EXPECT_NE(ask_as("checkout", {"EVAL", undeclared, "0"}).find("can't access"), std::string::npos);
  EXPECT_EQ(ask_as("checkout", {"EVAL", "return 1", "1", "stock:1"}).find("NOPERM"), 0u);
  EXPECT_NE(ask_as("checkout", {"EVAL", "return redis.call('FLUSHALL')", "0"}).find("can't run"),
            std::string::npos);
  EXPECT_EQ(ask_as("stock", {"EVAL", "return redis.call('GET', KEYS[1])", "1", "stock:1"}), "5");
}

TEST_F(RedisDialerTest, NothingThatTellsOrChangesWhatOthersDo) {
  const std::vector<RedisCommand> denied{{"SCAN", "0"},
                                         {"KEYS", "*"},
                                         {"RANDOMKEY"},
                                         {"DBSIZE"},
                                         {"SELECT", "1"},
                                         {"FLUSHALL"},
                                         {"CONFIG", "GET", "*"},
                                         {"ACL", "LIST"},
                                         {"CLIENT", "LIST"},
                                         {"CLIENT", "TRACKING", "on"},
                                         {"MONITOR"},
                                         {"PUBSUB", "CHANNELS"},
                                         {"SCRIPT", "FLUSH"},
                                         {"SCRIPT", "KILL"},
                                         {"SCRIPT", "DEBUG", "SYNC"},
                                         {"FUNCTION", "LIST"},
                                         {"SHUTDOWN"},
                                         {"SWAPDB", "0", "1"},
                                         {"MEMORY", "STATS"},
                                         {"INFO"},
                                         {"SORT", "stock:1"}};
  for (const RedisCommand& command : denied) {
    EXPECT_EQ(ask_as("stock", command).find("NOPERM"), 0u) << command.front();
  }
  // Nobody else can be become either.
  const auto fd = connect("stock", "stock:");
  ASSERT_TRUE(fd.has_value());
  EXPECT_EQ(ask(loop_, fd->get(), {"AUTH", "default", ""}).find("WRONGPASS"), 0u);
  EXPECT_EQ(ask(loop_, fd->get(), {"RESET"}), "RESET");
  EXPECT_EQ(ask(loop_, fd->get(), {"GET", "stock:1"}).find("NOAUTH"), 0u);
}

TEST_F(RedisDialerTest, WhatFunctionsNeedIsAllowed) {
  EXPECT_EQ(ask_as("stock", {"XADD", "stock:events", "1-1", "a", "b"}), "1-1");
  EXPECT_EQ(ask_as("stock", {"XGROUP", "CREATE", "stock:events", "g", "0"}), "OK");
  EXPECT_EQ(ask_as("stock", {"ZADD", "stock:ids", "1", "1"}), "1");
  EXPECT_EQ(ask_as("stock", {"SCRIPT", "LOAD", "return 1"}).size(), 40u);
  EXPECT_EQ(ask_as("stock", {"MULTI"}), "OK");
  EXPECT_EQ(ask_as("stock", {"PUBLISH", "stock:events", "x"}), "0");
  EXPECT_EQ(ask_as("stock", {"PING"}), "PONG");
}

TEST_F(RedisDialerTest, AKilledRedisIsAClearErrorThenRecoversByItself) {
  ASSERT_EQ(ask_as("stock", {"SET", "stock:1", "5"}), "OK");
  ASSERT_EQ(kill(server_->pid(), SIGKILL), 0);
  run_until(loop_, [&] { return server_->state() == RedisServer::State::kBackingOff; });
  const auto away = connect("stock", "stock:");
  ASSERT_FALSE(away.has_value());
  EXPECT_EQ(away.error().message,
            "connect redis at unix:" + folder_.path() + "/redis/redis.sock: Connection refused");
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  run_until(loop_, [&] { return server_->state() == RedisServer::State::kReady; });
  // Redis has forgotten the user; nobody told the dialer.
  EXPECT_EQ(ask_as("stock", {"GET", "stock:1"}), "5");
}

TEST_F(RedisDialerTest, AWrongAdministratorIsRefusedAndNothingHandedOver) {
  RedisEndpoint wrong = server_->endpoint();
  wrong.password = "wrong";
  redis_ = std::make_unique<RedisDialer>(loop_, dialer_, RedisDialerConfig{wrong});
  const auto fd = connect("stock", "stock:");
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().code, ErrorCode::kPermissionDenied);
  EXPECT_NE(fd.error().message.find("log in as administrator: WRONGPASS"), std::string::npos)
      << fd.error().message;
}

TEST_F(RedisDialerTest, ARedisThatIsOpenToAllIsRefused) {
  {
    const auto admin = connect("stock", "stock:");  // shows that it works before
    ASSERT_TRUE(admin.has_value());
  }
  std::optional<Result<UniqueFd>> node;
  const RedisEndpoint redis = server_->endpoint();
  dialer_.dial({"redis", redis.endpoint}, kDialTimeout,
               [&](Result<UniqueFd> fd) { node.emplace(std::move(fd)); });
  run_until(loop_, [&] { return node.has_value(); });
  ASSERT_TRUE(node->has_value());
  ASSERT_EQ(ask(loop_, (*node)->get(), {"AUTH", redis.user, redis.password}), "OK");
  ASSERT_EQ(ask(loop_, (*node)->get(),
                {"ACL", "SETUSER", "default", "on", "nopass", "~*", "&*", "+@all"}),
            "OK");

  RedisDialerConfig open{redis};
  open.redis.user = open.redis.password = "";
  redis_ = std::make_unique<RedisDialer>(loop_, dialer_, open);
  EXPECT_EQ(connect("stock", "stock:").error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(RedisDialerTest, ManyAtOnceAndSomeCancelled) {
  int connected = 0;
  std::vector<RedisConnectId> ids;
  for (int i = 0; i < 40; ++i) {
    const std::string function = "f" + std::to_string(i % 3);
    ids.push_back(redis_->connect(function, function + ":", seconds(5), [&](Result<UniqueFd> fd) {
      EXPECT_TRUE(fd.has_value());
      ++connected;
    }));
  }
  for (int i = 0; i < 10; ++i) redis_->cancel(ids[static_cast<std::size_t>(i)]);
  run_until(loop_, [&] { return redis_->in_flight() == 0; });
  EXPECT_EQ(connected, 30);
  EXPECT_EQ(dialer_.in_flight(), 0u);
}

}  // namespace
}  // namespace subito::bindings
