// The fake Redis and a real one are told the same, and may not differ.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "runtime/sdk/include/subito/testing.h"
#include "runtime/sdk/redis_fixture.h"
#include "runtime/sdk/testing/commands.h"

namespace subito::testing {
namespace {

using Words = std::vector<std::string>;

std::vector<const Command*> all_commands() {
  std::vector<const Command*> all;
  for (const auto& commands :
       {key_commands(), string_commands(), number_commands(), hash_commands(), list_commands(),
        set_commands(), sorted_set_commands()}) {
    for (const Command& command : commands) all.push_back(&command);
  }
  return all;
}

// "SET t:a x" is three words; "''" is an empty one.
Words words_of(const std::string& line) {
  Words words;
  std::istringstream in(line);
  for (std::string word; in >> word;) words.push_back(word == "''" ? "" : word);
  return words;
}

std::string line_of(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += (word.empty() ? "''" : word) + " ";
  return line;
}

std::string shown(const RedisReply& reply, const std::string& command) {
  if (reply.is_nil()) return "nil";
  if (reply.is_integer()) {
    const bool time = command == "TTL" || command == "PTTL";
    return time && reply.integer() > 0 ? "some time" : std::to_string(reply.integer());
  }
  if (reply.is_error()) {
    // Its words change from one Redis to the next.
    const std::string text(reply.text());
    return "error " + (text.starts_with("NOPERM") ? "NOPERM" : text);
  }
  if (reply.is_string()) return "\"" + std::string(reply.text()) + "\"";
  Words elements;
  for (std::size_t i = 0; i < reply.size(); ++i) elements.push_back(shown(reply[i], {}));
  if (command == "SMEMBERS") std::sort(elements.begin(), elements.end());  // it has no order
  std::string text = "[ ";
  for (const std::string& element : elements) text += element + " ";
  return text + "]";
}

class RedisConformanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!server_.available()) GTEST_SKIP() << "redis-server is not installed";
    const std::string address = "unix:" + server_.path();
    // The rights that a function has: RedisUser::make() in runtime/bindings/redis_users.cc.
    context_.use_redis("admin", address)
        .command(words_of("ACL SETUSER function reset on >secret ~t:* &t:* +@all -@admin "
                          "-@dangerous -scan -randomkey -dbsize -select -pubsub -memory "
                          "-client|tracking -client|caching -function -script +script|load"));
    real_ = &context_.use_redis("real", address, "t:");
    real_->command({"AUTH", "function", "secret"});
  }

  void expect_same(const Words& words) {
    const RedisReply ours = fake_->pipeline({words}).front();
    const RedisReply theirs = real_->pipeline({words}).front();
    EXPECT_EQ(shown(ours, words[0]), shown(theirs, words[0])) << line_of(words);
  }
  // Commands with ";" behind each, in order.
  void expect_same(const std::string& commands) {
    std::istringstream in(commands);
    for (std::string line; std::getline(in, line, ';');) {
      if (const Words words = words_of(line); !words.empty()) expect_same(words);
    }
  }

  sdk::RedisFixture server_;
  TestContext context_;
  Redis* fake_ = &context_.add_redis("fake", "t:");
  Redis* real_ = nullptr;
};

TEST_F(RedisConformanceTest, Keys) {
  expect_same(R"(
      PING; PING hello; PING a b; ECHO hello; ping; SET t:a 1; SET t:b 2; EXISTS t:a t:a t:b t:c;
      DEL t:a t:c; UNLINK t:b; EXISTS t:a; TYPE t:a; SET t:a 1; TTL t:a; TTL t:none; PTTL t:a;
      PTTL t:none; EXPIRE t:a 1000; TTL t:a; PTTL t:a; PERSIST t:a; PERSIST t:a; PERSIST t:none;
      TTL t:a; EXPIRE t:none 5; EXPIRE t:a x; EXPIRE t:a 9223372036854775807;
      PEXPIRE t:a 9223372036854775807; EXPIRE t:a 1000 XX; EXPIRE t:a 1000 NX; EXPIRE t:a 2000 NX;
      EXPIRE t:a 500 GT; EXPIRE t:a 5000 GT; EXPIRE t:a 6000 LT; EXPIRE t:a 600 lt;
      EXPIRE t:a 500 GT XX; EXPIRE t:a 700 GT XX; EXPIRE t:a 600 NX XX;
      EXPIRE t:a 600 GT LT; EXPIRE t:a 600 SOON; PERSIST t:a; EXPIRE t:a 600 GT; TTL t:a;
      EXPIRE t:a 600 LT; TTL t:a; EXPIRE t:a 0;
      EXISTS t:a; SET t:a 1; PEXPIRE t:a -1; EXISTS t:a; GET other:a; DEL t:a other:a;
      EXISTS other:a; GET t; KEYS t:*; SCAN 0; DBSIZE; FLUSHALL; RANDOMKEY;
  )");
}

TEST_F(RedisConformanceTest, Strings) {
  expect_same(R"(
      GET t:a; SET t:a x; GET t:a; SET t:a y NX; SET t:b y XX; SET t:b y nx; GET t:b;
      SET t:a z XX; GET t:a; SET t:a z NX XX; SET t:a z GET; SET t:new z GET; SET t:a w NX GET;
      GET t:a; SET t:a w XX GET; SET t:none w XX GET; GET t:none; SET t:a v EX 1000; TTL t:a;
      SET t:a u KEEPTTL; TTL t:a; SET t:a u; TTL t:a; SET t:a u PX 100000; TTL t:a;
      SET t:a u EX 0; SET t:a u EX -1; SET t:a u EX x; SET t:a u EX; SET t:a u EX 10 PX 10;
      SET t:a u EX 10 KEEPTTL; SET t:a u KEEPTTL EX 10; SET t:a u EX 9223372036854775807;
      SET t:a u MORE; SET t:a u NX EX 1000; SETEX t:s 1000 v; TTL t:s; SETEX t:s 0 v;
      SETEX t:s x v; SETNX t:s w; SETNX t:n w; GET t:n; GETDEL t:n; GETDEL t:n;
      MSET t:a 1 t:b 2 t:c 3; MSET t:a 1 t:b; MSET t:a 1 other:b 2; MGET t:a t:b t:none;
      APPEND t:a 23; APPEND t:z ''; EXISTS t:z; GET t:a; STRLEN t:a; STRLEN t:none;
      APPEND t:s more; TTL t:s; RPUSH t:list a; MGET t:a t:list; SET t:list x GET; SET t:list x;
      GET t:list;
  )");
}

TEST_F(RedisConformanceTest, Numbers) {
  expect_same(R"(
      INCR t:n; INCR t:n; DECR t:n; INCRBY t:n 40; DECRBY t:n 2; GET t:n; INCRBY t:n x;
      INCRBY t:n 1.5; INCRBY t:n +1; INCRBY t:n -0; INCRBY t:n ''; SET t:w word; INCR t:w;
      SET t:w 007; INCR t:w; SET t:w ''; INCR t:w; SET t:m 9223372036854775807; INCR t:m;
      DECR t:m; INCRBY t:m 9223372036854775807; DECRBY t:m -9223372036854775808;
      SET t:x -9223372036854775808; DECR t:x; INCRBY t:x 9223372036854775808;
      INCRBYFLOAT t:f 10.5; INCRBYFLOAT t:f 0.1; INCRBYFLOAT t:f -10.6; INCRBYFLOAT t:f 3.0e3;
      INCRBYFLOAT t:f 1e20; GET t:f; INCRBYFLOAT t:f x; INCRBYFLOAT t:f inf; INCRBYFLOAT t:f nan;
      INCRBYFLOAT t:w 1; SET t:w word; INCRBYFLOAT t:w 1; INCRBYFLOAT t:g -0.0;
      INCRBYFLOAT t:g 0.00000000001; SETEX t:e 1000 5; INCR t:e; TTL t:e; INCRBYFLOAT t:e 1.5;
      TTL t:e;
  )");
}

TEST_F(RedisConformanceTest, Hashes) {
  expect_same(R"(
      HSET t:h a 1 b 2; HSET t:h a 3 c 4; HSET t:h a; HSET t:h a 1 b; HGET t:h a; HGET t:h none;
      HGET t:none a; HMGET t:h a none b; HMGET t:none a b; HGETALL t:h; HGETALL t:none; HKEYS t:h;
      HVALS t:h; HLEN t:h; HLEN t:none; HEXISTS t:h a; HEXISTS t:h none; HEXISTS t:none a;
      HSETNX t:h a 9; HSETNX t:h d 9; HDEL t:h a none b; HDEL t:none a; HINCRBY t:h n 5;
      HINCRBY t:h n -7; HINCRBY t:h n x; HSET t:h w word; HINCRBY t:h w 1;
      HSET t:h m 9223372036854775807; HINCRBY t:h m 1; HGETALL t:h; HDEL t:h c d n w m;
      EXISTS t:h; TYPE t:h; HINCRBY t:made n 1; TYPE t:made;
  )");
}

TEST_F(RedisConformanceTest, Lists) {
  expect_same(R"(
      RPUSH t:l a b c; LPUSH t:l x y; LRANGE t:l 0 -1; LRANGE t:l 1 2; LRANGE t:l -2 -1;
      LRANGE t:l 3 1; LRANGE t:l 0 100; LRANGE t:l -100 0; LRANGE t:l 100 200; LRANGE t:l x 1;
      LRANGE t:none 0 -1; LLEN t:l; LLEN t:none; LPOP t:l; RPOP t:l; LPOP t:l 2; LPOP t:l 0;
      LPOP t:l -1; LPOP t:l x; LPOP t:l 1 1; LPOP t:none; LPOP t:none 2; RPUSH t:l b c d e;
      LTRIM t:l 1 -2; LRANGE t:l 0 -1; LTRIM t:l 5 9; EXISTS t:l; LTRIM t:none 0 1; LTRIM t:l x 1;
      RPUSH t:l a b; RPOP t:l 5; EXISTS t:l;
  )");
}

TEST_F(RedisConformanceTest, Sets) {
  expect_same(R"(
      SADD t:s a b c a; SADD t:s c d; SMEMBERS t:s; SMEMBERS t:none; SISMEMBER t:s a;
      SISMEMBER t:s z; SISMEMBER t:none a; SCARD t:s; SCARD t:none; SREM t:s a z b; SREM t:none a;
      SREM t:s c d; EXISTS t:s; TYPE t:s; SADD t:i 3 1 2; SMEMBERS t:i;
  )");
}

TEST_F(RedisConformanceTest, SortedSets) {
  expect_same(R"(
      ZADD t:z 1 a 2 b 3 c; ZADD t:z 5 a 4 d; ZADD t:z CH 6 a 4 d; ZADD t:z NX 9 a 9 e;
      ZADD t:z XX 7 a 7 none; ZADD t:z GT 6 a; ZADD t:z GT CH 8 a; ZADD t:z LT CH 1 a;
      ZADD t:z INCR 2 a; ZADD t:z NX INCR 2 a; ZADD t:z XX INCR 2 none; ZADD t:z NX XX 1 a;
      ZADD t:z NX GT 1 a; ZADD t:z GT LT 1 a; ZADD t:z INCR 1 a 2 b; ZADD t:z 1 a 2;
      ZADD t:z NX XX; ZADD t:z x a; ZADD t:z nan a; ZADD t:z 1.5 a; ZADD t:z -inf low;
      ZADD t:z +inf high; ZADD t:z INCR -inf high; ZINCRBY t:z 1 new; ZINCRBY t:z 2.25 new;
      ZINCRBY t:z x new; ZSCORE t:z a; ZSCORE t:z new; ZSCORE t:z high; ZSCORE t:z low;
      ZSCORE t:z none; ZSCORE t:none a; ZCARD t:z; ZCARD t:none; ZADD t:z 1e20 big;
      ZSCORE t:z big; ZADD t:z 2 bb 2 ba; ZRANGE t:z 0 -1; ZRANGE t:z 0 -1 WITHSCORES;
      ZRANGE t:z 1 2; ZRANGE t:z -2 -1; ZRANGE t:z 0 1 REV WITHSCORES; ZRANGE t:z 5 1;
      ZRANGE t:z x 1; ZRANGE t:none 0 -1; ZRANGE t:z 2 4 BYSCORE; ZRANGE t:z 4 2 BYSCORE REV;
      ZRANGE t:z 0 9 BYSCORE LIMIT 1 2; ZRANGE t:z 0 -1 LIMIT 1 2; ZRANGE t:z 0 -1 MORE;
      ZRANGE t:z 0 1 REV REV; ZRANGE t:z 0 1 BYSCORE BYSCORE; ZRANGE t:z 0 9 BYSCORE LIMIT 1;
      ZRANGEBYSCORE t:z 2 4; ZRANGEBYSCORE t:z (2 4 WITHSCORES;
      ZRANGEBYSCORE t:z -inf +inf; ZRANGEBYSCORE t:z 2 (4 LIMIT 1 1; ZRANGEBYSCORE t:z 4 2;
      ZRANGEBYSCORE t:z 0 9 LIMIT -1 2; ZRANGEBYSCORE t:z 0 9 LIMIT 1 -1; ZRANGEBYSCORE t:z x 4;
      ZRANGEBYSCORE t:z '' (; ZRANGEBYSCORE t:z 0 9 REV; ZRANGEBYSCORE t:none 0 9;
      ZREM t:z a none b; ZREM t:none a; ZADD t:y 1 a; ZREM t:y a; EXISTS t:y; ZADD t:y XX 1 a;
      EXISTS t:y;
  )");
}

TEST_F(RedisConformanceTest, Transactions) {
  expect_same(R"(
      EXEC; DISCARD; MULTI; SET t:a 1; INCR t:a; LPUSH t:a x; GET t:a; EXEC; GET t:a; MULTI;
      SET t:a 9; DISCARD; GET t:a; MULTI; GET; SET t:a 9; EXEC; GET t:a; MULTI; MULTI; SET t:a 3;
      EXEC; GET t:a; MULTI; GET other:a; EXEC; MULTI; EXEC; MULTI now; EXEC now; MULTI; EXEC now;
      SET t:a 4; EXEC; GET t:a;
  )");
}

// Each command with the fewest arguments on a value of each type, with one too few, with one more,
// and on a key that is not the function's.
TEST_F(RedisConformanceTest, EveryCommandOnEveryType) {
  const std::vector<std::pair<std::string, std::string>> values = {{"none", ""},
                                                                   {"string", "SET KEY 1"},
                                                                   {"list", "RPUSH KEY 1 2"},
                                                                   {"hash", "HSET KEY 1 2 3 4"},
                                                                   {"set", "SADD KEY 1 2"},
                                                                   {"zset", "ZADD KEY 1 1 2 2"}};
  for (const Command* command : all_commands()) {
    const std::string name(command->name);
    const auto least = static_cast<std::size_t>(std::abs(command->arity));
    // No key ends before both were asked for it.
    const std::string argument = name.ends_with("EXPIRE") || name == "SETEX" ? "100000" : "1";
    for (const auto& [type, make] : values) {
      const std::string key = "t:" + name + ":" + type;
      Words made = words_of(make);
      if (!made.empty()) made[1] = key;
      if (!made.empty()) expect_same(made);
      Words words = {name, key};
      words.resize(std::max<std::size_t>(least, 2), argument);
      if (least > 1) expect_same(Words(words.begin(), words.end() - 1));
      expect_same(words);
      expect_same(Words{"TYPE", key});
      words.emplace_back("1");
      expect_same(words);
      words[1] = "other:" + type;
      expect_same(words);
    }
  }
}

// Commands thrown together; the seed is fixed, so that what fails once fails again.
TEST_F(RedisConformanceTest, AnySequence) {
  constexpr int kCommands = 20'000;
  const Words keys = {"t:a", "t:b", "t:c", "t:d"};
  const Words others = {"0",      "1",  "-1",         "2",       "3.5",  "word",
                        "''",     "(1", "inf",        "a",       "b",    "c",
                        "NX",     "XX", "GET",        "CH",      "INCR", "REV",
                        "LIMIT",  "GT", "WITHSCORES", "BYSCORE", "LT",   "9223372036854775807",
                        "KEEPTTL"};
  std::minstd_rand random(7);
  const auto below = [&](std::size_t count) { return random() % count; };
  std::vector<const Command*> commands = all_commands();
  std::erase_if(commands, [](const Command* command) {  // no time passes for the fake
    return command->name == "EXPIRE" || command->name == "PEXPIRE" || command->name == "SETEX";
  });
  for (int i = 0; i < kCommands && !HasFailure(); ++i) {
    const Command& command = *commands[below(commands.size())];
    Words words = {std::string(command.name)};
    const auto least = static_cast<std::size_t>(std::abs(command.arity));
    const std::size_t count = least + (command.arity < 0 ? below(4) : 0);
    while (words.size() < count) {
      const bool key = words.size() == 1 || command.keys.last < 0;
      const Words& from = key ? keys : others;
      words.push_back(from[below(from.size())]);
    }
    for (std::string& word : words) word = word == "''" ? "" : word;
    expect_same(words);
  }
}

TEST(FakeRedisCommandsTest, AreListedInTheHeader) {
  std::ifstream file(SUBITO_TESTING_H);
  const std::string header((std::istreambuf_iterator<char>(file)), {});
  const Words words = words_of(header);
  for (const Command* command : all_commands()) {
    if (command->run == nullptr) continue;
    const std::string name(command->name);
    EXPECT_NE(std::find(words.begin(), words.end(), name), words.end()) << name;
  }
}

}  // namespace
}  // namespace subito::testing
