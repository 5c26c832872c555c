// Namespaces of a control plane: what a deletion takes with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/access/token_book.h"
#include "runtime/node/control_testing.h"

namespace subito::node {
namespace {

using access::TokenBook;

constexpr std::int64_t kNow = 1'795'471'445'000'000'000;

class ControlNamespacesTest : public testing::Test {
 protected:
  void SetUp() override {
    node_.control.set_tokens(book_);
    ASSERT_TRUE(node_.control.create_namespace({"shop"}));
  }
  std::string token(const std::string& name, const std::string& scopes) {
    return book_.create(name, access::parse_scopes(scopes).value(), 0, "uid 0", kNow).value();
  }
  Result<access::CutTokens> remove(const std::string& name, bool with_contents) {
    Result<access::CutTokens> result = fail(ErrorCode::kInternal, "it was not answered");
    node_.control.delete_namespace(name, with_contents, [&](const auto& gone) { result = gone; });
    node_.settle();
    return result;
  }

  store::TemporaryFolder folder_;
  ControlFixture node_{folder_.path()};
  TokenBook book_ = TokenBook::load(*node_.store).value();
};

TEST_F(ControlNamespacesTest, ATokenOfANamespaceDoesNotOpenTheNextOfThatName) {
  const std::string ci = token("ci", "shop:admin"), ops = token("ops", "shop:read *:read");
  const auto gone = remove("shop", false);
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_EQ(gone->revoked, std::vector<std::string>{"ci"});
  EXPECT_EQ(gone->narrowed, std::vector<std::string>{"ops"});
  ASSERT_TRUE(node_.control.create_namespace({"shop"}));
  EXPECT_EQ(book_.check(ci, kNow).verdict, TokenBook::Verdict::kRevoked);
  EXPECT_EQ(access::to_string(book_.check(ops, kNow).token->scopes), "*:read");
}

TEST_F(ControlNamespacesTest, ANamespaceThatIsKeptKeepsItsTokens) {
  const std::string ci = token("ci", "shop:admin");
  ASSERT_TRUE(node_.settings.set_secret("bank.shop", "value", "x"));
  EXPECT_FALSE(remove("shop", false));
  EXPECT_FALSE(remove("default", true));
  EXPECT_EQ(book_.check(ci, kNow).verdict, TokenBook::Verdict::kGood);
  EXPECT_TRUE(remove("shop", true));
  EXPECT_EQ(book_.check(ci, kNow).verdict, TokenBook::Verdict::kRevoked);
}

TEST_F(ControlNamespacesTest, WhatWasThereBeforeItsNamespaceGoesOnceThatIsMade) {
  const std::string early = token("early", "tea:admin");
  const store::StoredValues values = {{"colour", {"red", "", 3}}};
  ASSERT_TRUE(
      node_.store->objects().change({store::ObjectKind::kConfig, "tea", "old"}, values, {}));
  api::NamespaceChange change;
  change.hosts = std::vector<std::string>{"a.example"};
  ASSERT_TRUE(node_.control.set_namespace("shop", change));
  EXPECT_FALSE(node_.control.create_namespace({.name = "tea", .hosts = {"a.example"}}));
  EXPECT_EQ(book_.check(early, kNow).verdict, TokenBook::Verdict::kGood) << "nothing was made";
  const auto left = node_.control.create_namespace({"tea"});
  ASSERT_TRUE(left);
  EXPECT_EQ(left->tokens.revoked, std::vector<std::string>{"early"});
  EXPECT_EQ(left->objects.configs, 1U);
  EXPECT_EQ(book_.check(early, kNow).verdict, TokenBook::Verdict::kRevoked);
  EXPECT_EQ(node_.control.get_namespace("tea")->objects.configs, 0U);
}

}  // namespace
}  // namespace subito::node
