// RedisScript's digest is Redis' own, and eval() finds the script whatever Redis remembers.
#include "runtime/sdk/include/subito/redis_script.h"

#include <gtest/gtest.h>

#include <csignal>

#include "runtime/sdk/include/subito/testing.h"
#include "runtime/sdk/redis_fixture.h"

namespace subito::testing {
namespace {

// FIPS 180-4's own examples, and the lengths around which the padding takes one block more.
static_assert(RedisScript("").sha1() == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
static_assert(RedisScript("abc").sha1() == "a9993e364706816aba3e25717850c26c9cd0d89d");
static_assert(RedisScript("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").sha1() ==
              "84983e441c3bd26ebaae4aa1f95129e5e54670f1");

constexpr RedisScript kJoin("return {KEYS[1], ARGV[1], ARGV[2]}");

class RedisScriptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!server_.available()) GTEST_SKIP() << "redis-server is not installed";
    std::signal(SIGPIPE, SIG_IGN);  // a Redis that has gone while we write
  }
  // How often Redis ran `command`.
  int calls_of(const std::string& command) {
    const std::string stats(redis_.command({"INFO", "commandstats"}).text());
    const std::size_t at = stats.find("cmdstat_" + command + ":calls=");
    return at == stats.npos ? 0 : std::stoi(stats.substr(stats.find('=', at) + 1));
  }

  sdk::RedisFixture server_;
  TestContext context_;
  Redis& redis_ = context_.use_redis("redis", "unix:" + server_.path());
};

TEST_F(RedisScriptTest, ItsDigestIsThatOfRedis) {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text = "return 1 --" + std::string(size, 'x');
    EXPECT_EQ(RedisScript(text).sha1(), redis_.command({"SCRIPT", "LOAD", text}).text()) << size;
  }
}

TEST_F(RedisScriptTest, TheTextIsSentOnceUntilRedisForgetsIt) {
  for (int i = 0; i < 3; ++i) {
    const RedisReply reply = redis_.eval(kJoin, {redis_.key("k")}, {"a", std::string("b\0c", 3)});
    EXPECT_EQ(reply[0].text(), redis_.key("k"));
    EXPECT_EQ(reply[1].text(), "a");
    EXPECT_EQ(reply[2].text(), std::string_view("b\0c", 3));
  }
  EXPECT_EQ(calls_of("eval"), 1);
  EXPECT_EQ(calls_of("evalsha"), 3);
  server_.restart();
  EXPECT_EQ(redis_.eval(kJoin, {redis_.key("k")}, {"a", "b"})[1].text(), "a");
  EXPECT_EQ(calls_of("eval"), 1);
}

TEST_F(RedisScriptTest, AnErrorOfTheScriptIsAnException) {
  static constexpr RedisScript kFails("return redis.error_reply('ERR as the test wants')");
  for (int i = 0; i < 2; ++i) EXPECT_THROW(redis_.eval(kFails, {}, {}), RedisError);
  EXPECT_EQ(calls_of("eval"), 1);
}

}  // namespace
}  // namespace subito::testing
