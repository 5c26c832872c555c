#include "deploy/access/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "deploy/access/token.h"
#include "deploy/store/store_testing.h"

namespace subito::access {
namespace {

using testing::HasSubstr;

class GateTest : public testing::Test {
 protected:
  store::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_or_die(folder_.path());
  TokenBook book_ = TokenBook::load(*store_).value();
  ManualClock clock_;
  std::int64_t unix_now_ = 1'795'471'445'000'000'000;
  Gate gate_{book_, clock_, [this] { return unix_now_; }};
  server::Peer peer_ = server::Peer{"192.0.2.7", 4711, false, {}};

  std::string create(const std::string& name, std::int64_t lifetime_ns = 0) {
    return book_.create(name, {{"shop", Verb::kDeploy}}, lifetime_ns, "uid 0", unix_now_).value();
  }
  tl::expected<Identity, Refusal> show(const std::string& authorization) {
    return gate_.identify({{"authorization", authorization}}, peer_);
  }
};

TEST_F(GateTest, KnowsWhoeverBearsAToken) {
  const std::string token = create("ci");
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER "}) {
    const auto who = show(scheme + token);
    ASSERT_TRUE(who) << scheme;
    EXPECT_EQ(who->subject, "ci");
    EXPECT_TRUE(who->may(Verb::kRead, "shop"));
    EXPECT_FALSE(who->may(Verb::kRead, "default"));
    EXPECT_FALSE(who->owner);
  }
}

TEST_F(GateTest, AllWrongTokensAreAlikeToTheClientAndNotToTheAuditLog) {
  const std::string revoked = create("old"), expired = create("brief", 1);
  ASSERT_TRUE(book_.revoke("old", unix_now_));
  unix_now_ += 1;
  const Refusal unknown = show("Bearer " + make_token()->text).error();
  EXPECT_EQ(unknown.status, 401);
  EXPECT_THAT(unknown.fields.at(0).second, HasSubstr("invalid_token"));
  const std::pair<std::string, std::string> cases[] = {{"Bearer " + revoked, "revoked token"},
                                                       {"Bearer " + expired, "expired token"},
                                                       {"Bearer subito_", "unknown token"},
                                                       {"Basic eDp5", "malformed authorization"}};
  for (const auto& [shown, why] : cases) {
    const Refusal refusal = show(shown).error();
    EXPECT_EQ(refusal.status, unknown.status);
    EXPECT_EQ(refusal.type, unknown.type);
    EXPECT_EQ(refusal.detail, unknown.detail);
    EXPECT_EQ(refusal.fields, unknown.fields);
    EXPECT_EQ(refusal.why, why);
    clock_.advance(kFailuresForgotten);
  }
  EXPECT_EQ(show("Bearer " + revoked).error().subject, "old");
}

TEST_F(GateTest, WithoutATokenItIsAskedForOneAndThatIsNoFailure) {
  for (int i = 0; i < 100; ++i) {
    const Refusal refusal = gate_.identify({}, peer_).error();
    EXPECT_EQ(refusal.status, 401);
    EXPECT_EQ(refusal.fields, (http::Fields{{"www-authenticate", "Bearer realm=\"subito\""}}));
  }
  EXPECT_TRUE(show("Bearer " + create("ci")));
}

TEST_F(GateTest, TwoTokensAreNone) {
  const std::string token = create("ci");
  const auto who = gate_.identify(
      {{"authorization", "Bearer " + token}, {"authorization", "Bearer " + token}}, peer_);
  EXPECT_EQ(who.error().why, "malformed authorization");
}

TEST_F(GateTest, AGuesserIsSlowedAndWhoeverIsRightIsNot) {
  const std::string token = create("ci");
  for (std::uint32_t i = 0; i <= kFailuresFree; ++i)
    EXPECT_EQ(show("Bearer wrong").error().status, 401);
  const Refusal refusal = show("Bearer wrong").error();
  EXPECT_EQ(refusal.status, 429);
  EXPECT_EQ(refusal.fields, (http::Fields{{"retry-after", "1"}}));
  EXPECT_TRUE(show("Bearer " + token));
  EXPECT_EQ(show("Bearer wrong").error().status, 429);
  peer_.address = "192.0.2.8";
  EXPECT_EQ(show("Bearer wrong").error().status, 401);
}

TEST_F(GateTest, WhatIsNoGuessSlowsNobody) {
  const std::string revoked = create("old"), expired = create("brief", 1);
  ASSERT_TRUE(book_.revoke("old", unix_now_));
  unix_now_ += 1;
  for (const std::string& shown :
       {"Bearer " + revoked, "Bearer " + expired, std::string("Basic eDp5"), std::string("junk")}) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(show(shown).error().status, 401) << shown;
  }
  EXPECT_EQ(show("Bearer wrong").error().status, 401);
}

TEST_F(GateTest, ATokenThatWasRightIsSoUntilItIsRevokedOrExpires) {
  create("ci", 10);
  create("old");
  Identity ci, old, owner;
  ci.token_id = book_.find("ci")->id;
  old.token_id = book_.find("old")->id;
  owner.owner = true;
  EXPECT_TRUE(gate_.still_right(ci) && gate_.still_right(old) && gate_.still_right(owner));
  ASSERT_TRUE(book_.revoke("old", unix_now_));
  EXPECT_FALSE(gate_.still_right(old));
  unix_now_ += 10;
  EXPECT_FALSE(gate_.still_right(ci));
  EXPECT_TRUE(gate_.still_right(owner));
}

TEST_F(GateTest, ATokenThatWasRightIsSoNoMoreWhenItHasLostAScope) {
  const auto scopes = parse_scopes("shop:read tea:read").value();
  const std::string text = book_.create("ci", scopes, 0, "uid 0", unix_now_).value();
  const Identity who = show("Bearer " + text).value();
  const auto commit = [](const auto& write) { return write(); };
  ASSERT_TRUE(book_.forget_namespace("other", unix_now_, commit));
  EXPECT_TRUE(gate_.still_right(who));
  ASSERT_TRUE(book_.forget_namespace("tea", unix_now_, commit));
  EXPECT_FALSE(gate_.still_right(who));
  EXPECT_TRUE(gate_.still_right(show("Bearer " + text).value()));
}

TEST_F(GateTest, OverTheUnixSocketTheOwnerNeedsNoToken) {
  server::Peer socket;
  socket.process = server::Peer::Process{::getpid(), 0, 0};
  EXPECT_TRUE(gate_.identify_local({}, socket)->owner);
  socket.process->uid = ::geteuid();
  EXPECT_TRUE(gate_.identify_local({}, socket)->may(Verb::kAdmin, "*"));
  socket.process->uid = 12'345;
  EXPECT_EQ(gate_.identify_local({}, socket).error().status, 401);
  const auto who = gate_.identify_local({{"authorization", "Bearer " + create("ci")}}, socket);
  EXPECT_FALSE(who->owner);
  EXPECT_EQ(actor_words(*who, socket), "token ci");
  EXPECT_THAT(place_words(socket),
              HasSubstr("pid " + std::to_string(::getpid()) + " (access_test"));
}

TEST_F(GateTest, AnOwnerWhoShowsATokenMayWhatThatMay) {
  server::Peer socket;
  socket.process = server::Peer::Process{::getpid(), 0, 0};
  const auto show_to = [&](const std::string& value) {
    return gate_.identify_local({{"authorization", value}}, socket);
  };
  const auto who = show_to("Bearer " + create("ci"));
  ASSERT_TRUE(who);
  EXPECT_FALSE(who->owner);
  EXPECT_EQ(who->subject, "ci");
  const auto wrong = show_to("Bearer subito_wrong");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().status, 401);
  EXPECT_THAT(wrong.error().detail, HasSubstr("unset SUBITO_TOKEN"));
  for (const char* value : {"Bearer ubito_wrong", "Bearer \"subito_wrong\"", "Basic eDp5", ""})
    EXPECT_FALSE(show_to(value)) << value << " made somebody the owner";
}

TEST_F(GateTest, WhatAnOwnerShowsAFunctionIsNoToken) {
  server::Peer socket;
  socket.process = server::Peer::Process{::getpid(), 0, 0};
  const auto show_to = [&](const std::string& value) {
    return gate_.identify_local({{"authorization", value}}, socket, true);
  };
  EXPECT_TRUE(show_to("Bearer of.a.function")->owner);
  EXPECT_TRUE(show_to("Basic eDp5")->owner);
  EXPECT_EQ(show_to("Bearer " + create("ci"))->subject, "ci");
  EXPECT_FALSE(show_to("Bearer  subito_wrong"));
}

TEST_F(GateTest, AForbiddenOneIsToldWhichScopeIsNeeded) {
  const Identity who{false, "ci", {{"shop", Verb::kRead}}, 0};
  const Refusal refusal = forbidden(who, Verb::kDeploy, "shop");
  EXPECT_EQ(refusal.status, 403);
  EXPECT_EQ(refusal.detail,
            "token ci may not do this: it needs scope shop:deploy, and has shop:read");
}

}  // namespace
}  // namespace subito::access
