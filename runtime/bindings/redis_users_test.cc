#include "runtime/bindings/redis_users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bindings {
namespace {

TEST(RedisUsersTest, EachFunctionHasAUserAndAPasswordOfItsOwn) {
  RedisUsers users;
  const RedisUser stock = **users.of("stock", "stock:");
  const RedisUser checkout = **users.of("checkout", "checkout:");
  EXPECT_THAT(stock.name, testing::MatchesRegex("subito-fn-stock-[0-9a-f]{16}"));
  EXPECT_EQ(stock.password.size(), 32u);
  EXPECT_NE(stock.password, checkout.password);
  EXPECT_EQ((*users.of("stock", "stock:"))->password, stock.password);
  EXPECT_EQ(stock.login(), (RedisCommand{"AUTH", stock.name, stock.password}));
}

TEST(RedisUsersTest, ConfinesTheUserToItsPrefixTakenLiterally) {
  RedisUsers users;
  EXPECT_THAT((*users.of("stock", "stock:"))->make(),
              testing::IsSupersetOf({"reset", "on", "~stock:*", "&stock:*", "-@admin",
                                     "-@dangerous", "-scan", "-select"}));
  EXPECT_THAT((*users.of("odd", "a*[b]?\\"))->make(), testing::Contains("~a\\*\\[b\\]\\?\\\\*"));
}

TEST(RedisUsersTest, AnotherPrefixIsAnotherUserAndGoesWithItsFunction) {
  RedisUsers users;
  RedisUser* const stock = *users.of("stock", "stock:");
  RedisUser* const shop = *users.of("stock", "shop:");
  EXPECT_NE(stock->name, shop->name);
  EXPECT_EQ(users.find("stock", "stock:"), stock);
  EXPECT_EQ(users.find("stock", "other:"), nullptr);
  ASSERT_TRUE(users.of("stocks", "shop:"));
  users.remove("stock");
  EXPECT_EQ(users.find("stock", "stock:"), nullptr);
  EXPECT_EQ(users.find("stock", "shop:"), nullptr);
  EXPECT_NE(users.find("stocks", "shop:"), nullptr);
}

TEST(RedisUsersTest, MustBeMadeAgainAfterRedisWasRestarted) {
  RedisUsers users;
  (*users.of("stock", "stock:"))->made = true;
  EXPECT_TRUE((*users.of("stock", "stock:"))->made);
  users.forget_made();
  EXPECT_FALSE((*users.of("stock", "stock:"))->made);
}

TEST(RedisUsersTest, RefusesWhatCouldSmuggleRulesIn) {
  RedisUsers users;
  for (const char* prefix : {"", "a: ~*", "a\n", "\x7f", "caf\xc3\xa9:"}) {
    EXPECT_EQ(users.of("stock", prefix).error().code, ErrorCode::kInvalidArgument) << prefix;
  }
  EXPECT_FALSE(users.of("stock", std::string(177, 'a')).has_value());
  EXPECT_FALSE(users.of("a b", "a:").has_value());
  EXPECT_FALSE(users.of("", "a:").has_value());
}

TEST(RedisUsersTest, HoldsALimitedNumber) {
  RedisUsers users;
  for (std::size_t i = 0; i < RedisUsers::kUsersMax; ++i) {
    ASSERT_TRUE(users.of("f" + std::to_string(i), "f:").has_value());
  }
  EXPECT_EQ(users.of("one-more", "f:").error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(users.of("f0", "f:").has_value());
}

}  // namespace
}  // namespace subito::bindings
