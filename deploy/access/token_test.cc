#include "deploy/access/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "deploy/access/token_book.h"
#include "deploy/store/store_testing.h"

namespace subito::access {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'795'471'445'000'000'000;
constexpr std::int64_t kDay = 86'400'000'000'000;

TEST(TokenTest, HasItsFormAndIsNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const NewToken token = make_token().value();
    EXPECT_EQ(token.text.size(), kTokenBytes);
    EXPECT_THAT(token.text, testing::StartsWith("subito_"));
    EXPECT_EQ(token_id(token.text), token.id);
    EXPECT_TRUE(is_hash_of(token.hash, token.text));
    EXPECT_TRUE(seen.insert(token.text).second && seen.insert(token.id).second);
  }
}

TEST(TokenTest, AnyOneCharacterChangedIsNoticed) {
  const NewToken token = make_token().value();
  for (std::size_t at = 0; at < token.text.size(); ++at) {
    std::string changed = token.text;
    changed[at] = changed[at] == '0' ? '1' : '0';
    EXPECT_FALSE(token_id(changed)) << at;
    EXPECT_FALSE(is_hash_of(token.hash, changed));
  }
  EXPECT_FALSE(token_id(""));
  EXPECT_FALSE(token_id(token.text + "0"));
  EXPECT_FALSE(token_id(token.text.substr(1)));
}

class TokenBookTest : public testing::Test {
 protected:
  store::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_or_die(folder_.path());
  TokenBook book_ = TokenBook::load(*store_).value();

  std::string create(const std::string& name, std::int64_t lifetime_ns = 0) {
    return book_.create(name, {{"shop", Verb::kDeploy}}, lifetime_ns, "uid 0", kNow).value();
  }
  TokenBook::Verdict verdict(const std::string& text, std::int64_t now = kNow) {
    return book_.check(text, now).verdict;
  }
};

TEST_F(TokenBookTest, ATokenIsGoodUntilItExpires) {
  const std::string text = create("ci", kDay);
  const auto found = book_.check(text, kNow + kDay - 1);
  ASSERT_EQ(found.verdict, TokenBook::Verdict::kGood);
  EXPECT_EQ(found.token->name, "ci");
  EXPECT_EQ(found.token->last_used_unix_ns, kNow + kDay - 1);
  EXPECT_EQ(verdict(text, kNow + kDay), TokenBook::Verdict::kExpired);
  EXPECT_EQ(verdict(make_token()->text), TokenBook::Verdict::kUnknown);
  EXPECT_EQ(verdict("subito_"), TokenBook::Verdict::kUnknown);
}

TEST_F(TokenBookTest, ARevokedOneStaysKnownAndItsNameIsFree) {
  const std::string old = create("ci");
  ASSERT_TRUE(book_.revoke("ci", kNow));
  EXPECT_EQ(verdict(old), TokenBook::Verdict::kRevoked);
  EXPECT_EQ(book_.revoke("ci", kNow).error().code, ErrorCode::kNotFound);
  const std::string fresh = create("ci");
  EXPECT_EQ(verdict(fresh), TokenBook::Verdict::kGood);
  EXPECT_EQ(verdict(old), TokenBook::Verdict::kRevoked);
  EXPECT_EQ(book_.living().size(), 1U);
}

TEST_F(TokenBookTest, TokensSurviveARestartAndAreNotOnDisk) {
  const std::string text = create("ci", kDay), gone = create("old");
  ASSERT_TRUE(book_.revoke("old", kNow));
  store_.reset();
  store_ = store::open_or_die(folder_.path());
  TokenBook book = TokenBook::load(*store_).value();
  EXPECT_EQ(book.check(text, kNow).verdict, TokenBook::Verdict::kGood);
  EXPECT_EQ(book.check(gone, kNow).verdict, TokenBook::Verdict::kRevoked);
  EXPECT_EQ(book.find("ci")->created_by, "uid 0");
  EXPECT_EQ(book.find("old"), nullptr);
  const std::string secret = text.substr(kTokenPrefix.size() + kTokenIdBytes + 1, 64);
  for (const char* file : {"/state.db", "/state.db-wal"}) {
    std::ifstream bytes(folder_.path() + file, std::ios::binary);
    std::stringstream all;
    all << bytes.rdbuf();
    EXPECT_THAT(all.str(), Not(HasSubstr(secret))) << file;
  }
}

TEST_F(TokenBookTest, AnExpiredOneGivesItsNameAndItsPlaceAway) {
  const std::string old = create("ci", 1);
  const auto again = [&](const std::string& name, std::int64_t now) {
    return book_.create(name, {{"shop", Verb::kDeploy}}, kDay, "uid 0", now);
  };
  EXPECT_EQ(again("ci", kNow).error().code, ErrorCode::kAlreadyExists);
  const auto fresh = again("ci", kNow + 1);
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_EQ(verdict(*fresh, kNow + 1), TokenBook::Verdict::kGood);
  EXPECT_NE(verdict(old, kNow + 1), TokenBook::Verdict::kGood);
  for (std::size_t i = 1; i < kTokensMax; ++i) create("t" + std::to_string(i), kDay);
  EXPECT_EQ(again("more", kNow).error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(again("more", kNow + 2 * kDay));
}

TEST_F(TokenBookTest, RevokedOnesAreForgottenAsInTheStore) {
  const std::string first = create("ci");
  ASSERT_TRUE(book_.revoke("ci", kNow));
  std::string last;
  for (int i = 1; i <= store::kRevokedTokensKept; ++i) {
    last = create("ci");
    ASSERT_TRUE(book_.revoke("ci", kNow + i));
  }
  EXPECT_EQ(verdict(first), TokenBook::Verdict::kUnknown);
  EXPECT_EQ(verdict(last), TokenBook::Verdict::kRevoked);
}

TEST_F(TokenBookTest, TokensOfANamespaceThatGoesLoseIt) {
  const auto make = [&](const std::string& name, const std::string& scopes) {
    return book_.create(name, parse_scopes(scopes).value(), 0, "uid 0", kNow).value();
  };
  const std::string ci = make("ci", "shop:deploy shop:admin"), all = make("all", "*:admin");
  const std::string ops = make("ops", "*:read shop:admin tea:deploy");
  const auto failing = book_.forget_namespace(
      "shop", kNow, [](const auto&) { return fail(ErrorCode::kInternal, "the disk is full"); });
  EXPECT_FALSE(failing);
  EXPECT_EQ(verdict(ci), TokenBook::Verdict::kGood) << "both or neither";
  const auto cut =
      book_.forget_namespace("shop", kNow, [](const auto& write) { return write(); }).value();
  EXPECT_EQ(cut.revoked, std::vector<std::string>{"ci"});
  EXPECT_EQ(cut.narrowed, std::vector<std::string>{"ops"});
  TokenBook again = TokenBook::load(*store_).value();
  for (TokenBook* book : {&book_, &again}) {
    EXPECT_EQ(book->check(ci, kNow).verdict, TokenBook::Verdict::kRevoked);
    EXPECT_EQ(book->check(all, kNow).verdict, TokenBook::Verdict::kGood);
    EXPECT_EQ(to_string(book->check(ops, kNow).token->scopes), "*:read tea:deploy");
    EXPECT_EQ(book->living().size(), 2U);
  }
  EXPECT_EQ(verdict(create("ci")), TokenBook::Verdict::kGood) << "its name is free";
}

TEST_F(TokenBookTest, NamesAreTakenOnceAndHaveTheirForm) {
  create("ci");
  const auto again = book_.create("ci", {{"shop", Verb::kRead}}, 0, "uid 0", kNow);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(again.error().message, HasSubstr("subito token revoke ci"));
  EXPECT_EQ(book_.create("C I", {{"shop", Verb::kRead}}, 0, "", kNow).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(book_.create("x", {}, 0, "", kNow).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace subito::access
