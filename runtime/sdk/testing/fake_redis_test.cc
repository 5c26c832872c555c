// What the fake Redis does that a comparison with a real one (redis_conformance_test.cc) does not
// show: time, failures, what it does not know.
#include <gmock/gmock.h>

#include "runtime/sdk/include/subito/testing.h"
#include "runtime/sdk/testing/thrown.h"

namespace subito::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FakeRedisTest : public ::testing::Test {
 protected:
  std::int64_t integer(const std::vector<std::string>& words) {
    return redis_.command(words).integer();
  }
  bool there(const std::string& key) { return integer({"EXISTS", redis_.key(key)}) == 1; }

  TestContext context_{{.function = "stock", .timeout = 24h}};
  Redis& redis_ = context_.add_redis("cache");
};

TEST_F(FakeRedisTest, HasTheFunctionsPrefix) {
  EXPECT_EQ(redis_.key("a"), "stock:a");
  EXPECT_EQ(&context_.redis("cache"), &redis_);
  EXPECT_EQ(context_.add_redis("shared", "shop:").key("a"), "shop:a");
  redis_.command({"MSET", "stock:b", "1", "stock:a", "2"});
  EXPECT_THAT(context_.redis_keys("cache"), ElementsAre("stock:a", "stock:b"));
  EXPECT_THAT(context_.redis_keys("shared"), ElementsAre());
}

TEST_F(FakeRedisTest, KeysExpireByTheClockOfTheTest) {
  redis_.command({"SET", "stock:a", "1", "EX", "10"});
  EXPECT_EQ(integer({"TTL", "stock:a"}), 10);
  context_.advance(9600ms);
  EXPECT_EQ(integer({"PTTL", "stock:a"}), 400);
  EXPECT_EQ(integer({"TTL", "stock:a"}), 0);
  context_.advance(399ms);
  EXPECT_TRUE(there("a"));
  context_.advance(1ms);
  EXPECT_FALSE(there("a"));
  EXPECT_THAT(context_.redis_keys("cache"), ElementsAre());
}

TEST_F(FakeRedisTest, AnExpiredKeyBeginsAnew) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"INCR", "stock:a"}, {"APPEND", "stock:a", "x"}, {"RPUSH", "stock:a", "x"}}) {
    redis_.command({"SET", "stock:a", "41", "PX", "5"});
    context_.advance(5ms);
    EXPECT_EQ(integer(command), 1) << command[0];
    EXPECT_EQ(integer({"TTL", "stock:a"}), -1) << command[0];
  }
}

TEST_F(FakeRedisTest, PersistedKeysStay) {
  redis_.command({"SETEX", "stock:a", "5", "1"});
  EXPECT_EQ(integer({"PERSIST", "stock:a"}), 1);
  context_.advance(6s);
  EXPECT_TRUE(there("a"));
  redis_.command({"PEXPIRE", "stock:a", "1500"});
  EXPECT_EQ(integer({"TTL", "stock:a"}), 2);
}

TEST_F(FakeRedisTest, AnErrorIsThrownByACommandAndAReplyInAPipeline) {
  redis_.command({"SET", "stock:a", "word"});
  EXPECT_EQ(message_of<RedisError>([&] {
              redis_.command({"INCR", "stock:a"});
            }),
            "ERR value is not an integer or out of range");
  const auto replies = redis_.pipeline({{"SET", "stock:b", "1"}, {"LLEN", "stock:b"}});
  EXPECT_EQ(replies[0].text(), "OK");
  ASSERT_TRUE(replies[1].is_error());
  EXPECT_THAT(std::string(replies[1].text()), HasSubstr("WRONGTYPE"));
}

TEST_F(FakeRedisTest, SaysWhatItDoesNotKnowAndHowToHaveIt) {
  EXPECT_EQ(message_of<RedisError>([&] {
              redis_.command({"EVAL", "return 1", "0"});
            }),
            "ask fake Redis cache: it does not know EVAL; take a real one: "
            "context.use_redis(\"cache\", \"127.0.0.1:6379\")");
  EXPECT_THAT(message_of<RedisError>([&] {
                redis_.command({"ZRANGE", "stock:z", "[a", "[b", "BYLEX"});
              }),
              HasSubstr("it does not know ZRANGE BYLEX"));
  EXPECT_THAT(message_of<RedisError>([&] {
                redis_.command({"SET", "stock:a", "1", "EXAT", "1"});
              }),
              HasSubstr("it does not know SET EXAT"));
  EXPECT_THROW(redis_.command({}), RedisError);
}

TEST_F(FakeRedisTest, FailsWhenToldAndKeepsItsKeys) {
  redis_.command({"SET", "stock:a", "1"});
  context_.redis_fails("cache", "connection refused");
  EXPECT_EQ(message_of<RedisError>([&] { redis_.command({"PING"}); }),
            "ask Redis cache: connection refused");
  EXPECT_THROW(redis_.pipeline({{"PING"}}), RedisError);
  context_.redis_recovers("cache");
  EXPECT_TRUE(there("a"));
  EXPECT_THROW(context_.redis_fails("other", "x"), std::out_of_range);
  EXPECT_THROW(context_.redis_keys("other"), std::out_of_range);
}

TEST_F(FakeRedisTest, IsNotAskedOnceTheInvocationIsOver) {
  context_.advance(24h);
  EXPECT_EQ(message_of<Cancelled>([&] { redis_.command({"PING"}); }), "the deadline passed");
}

TEST_F(FakeRedisTest, RepliesAreReadLikeRealOnes) {
  redis_.command({"HSET", "stock:h", "name", std::string("a\0\r\nb", 5)});
  const RedisReply fields = redis_.command({"HMGET", "stock:h", "name", "none"});
  ASSERT_TRUE(fields.is_array());
  EXPECT_EQ(fields[0].text(), std::string_view("a\0\r\nb", 5));
  EXPECT_TRUE(fields[1].is_nil());
  EXPECT_THROW(fields[2], std::out_of_range);
  EXPECT_THROW(static_cast<void>(fields.integer()), RedisError);
}

TEST(UseRedisTest, RefusesWhatIsNoAddress) {
  TestContext context;
  EXPECT_THAT(message_of<std::invalid_argument>([&] { context.use_redis("c", "redis.local:1"); }),
              AllOf(HasSubstr("use Redis c: "), HasSubstr("redis.local:1")));
}

TEST(UseRedisTest, SaysThatNobodyIsThere) {
  TestContext context;
  Redis& redis = context.use_redis("c", "unix:/nonexistent/redis.sock");
  EXPECT_EQ(message_of<RedisError>([&] { redis.command({"PING"}); }),
            "connect c at unix:/nonexistent/redis.sock: No such file or directory");
  EXPECT_THROW(context.redis_keys("c"), std::out_of_range);
  context.redis_fails("c", "gone");
  EXPECT_EQ(message_of<RedisError>([&] { redis.command({"PING"}); }), "ask Redis c: gone");
}

}  // namespace
}  // namespace subito::testing
