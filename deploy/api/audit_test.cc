// What the API writes into the audit log, and how it is read and followed there.
#include <unistd.h>

#include <algorithm>

#include "deploy/api/access_testing.h"

namespace subito::api {
namespace {

using server::ExchangeId;
using server::FakeAnswer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

TEST_F(Access, TokensThatWentWithTheirNamespaceAreToldAndWrittenDown) {
  remotely();
  bear(token("*:admin"));
  plane_.namespaces["shop"] = {{"shop"}};
  plane_.cut_tokens = {{"ci"}, {"ops"}};
  const FakeAnswer gone = ask("DELETE", "/v1/namespaces/shop");
  EXPECT_EQ(Json::parse(gone.body),
            Json::parse(R"({"tokensRevoked":["ci"],"tokensNarrowed":["ops"]})"));
  const auto lines = audited();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("action"), "token.revoke");
  EXPECT_EQ(lines[0].at("target"), "ci");
  EXPECT_EQ(lines[0].at("actor"), "token t1");
  EXPECT_EQ(lines[0].at("reason"), "namespace shop was deleted");
  EXPECT_EQ(lines[1].at("action"), "token.narrow");
  EXPECT_EQ(lines[1].at("target"), "ops");
  EXPECT_EQ(lines[2].at("action"), "namespace.delete");
  EXPECT_EQ(lines[2].at("target"), "shop");
}

TEST_F(Access, WhatAnOlderNamespaceOfThatNameLeftIsWrittenDownWhenItIsMade) {
  locally();
  plane_.leftovers = {{1, 2}, {{"ci"}, {"ops"}}};
  ASSERT_EQ(ask("POST", "/v1/namespaces", R"({"name":"tea"})").status, 201);
  ASSERT_EQ(ask("POST", "/v1/namespaces", R"({"name":"new"})").status, 201);
  const auto lines = audited();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].at("action"), "token.revoke");
  EXPECT_EQ(lines[0].at("target"), "ci");
  EXPECT_EQ(lines[0].at("reason"), "namespace tea was made, and was there before");
  EXPECT_EQ(lines[1].at("action"), "token.narrow");
  EXPECT_EQ(lines[1].at("target"), "ops");
  EXPECT_EQ(lines[2].at("action"), "namespace.create");
  EXPECT_EQ(lines[2].at("target"), "tea");
  EXPECT_EQ(lines[2].at("reason"),
            "1 config and 2 secrets are deleted: left by an older namespace of that name");
  EXPECT_EQ(lines[3].at("target"), "new");
  EXPECT_FALSE(lines[3].contains("reason"));
}

TEST_F(Access, WhoChangedWhatIsWrittenDownAndWhoLookedIsNot) {
  remotely();
  bear(token("default:deploy"));
  ask("GET", "/v1/functions");
  ask("PUT", "/v1/functions/stock/scale", R"({"min":1})");
  ask("PUT", "/v1/functions/stock/scale", R"({"min":"secret-value"})");
  ask("DELETE", "/v1/functions/stock.shop");
  const auto lines = audited();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("actor"), "token t1");
  EXPECT_EQ(lines[0].at("from"), "192.0.2.7");
  EXPECT_EQ(lines[0].at("action"), "scale");
  EXPECT_EQ(lines[0].at("target"), "stock");
  EXPECT_EQ(lines[0].at("namespace"), "default");
  EXPECT_EQ(lines[0].at("outcome"), "done");
  EXPECT_EQ(lines[1].at("outcome"), "failed");
  EXPECT_EQ(lines[1].at("reason"), "invalid-argument");
  EXPECT_EQ(lines[2].at("outcome"), "refused");
  EXPECT_EQ(lines[2].at("namespace"), "shop");
  EXPECT_EQ(lines[2].at("status"), 403);
  for (const Json& line : lines) EXPECT_THAT(line.dump(), Not(HasSubstr("secret-value")));
}

TEST_F(Access, TheAuditLogTellsWhichPartOfATokenWasWrongAndNeverTheToken) {
  remotely();
  const std::string revoked = token("*:admin");
  ASSERT_TRUE(book_->revoke("t1", unix_now_));
  bear(revoked);
  ask("DELETE", "/v1/functions/stock");
  ASSERT_EQ(audited().size(), 1U);
  const Json line = audited()[0];
  EXPECT_EQ(line.at("actor"), "token t1");
  EXPECT_EQ(line.at("reason"), "revoked token");
  EXPECT_THAT(line.dump(), Not(HasSubstr(revoked.substr(24))));
}

TEST_F(Access, OfALocalChangeTheProcessIsWrittenDown) {
  locally();
  const FakeAnswer made = ask("POST", "/v1/tokens", R"({"name":"ci","scopes":["*:admin"]})");
  const std::string text = Json::parse(made.body).at("token");
  const Json line = audited().at(0);
  EXPECT_EQ(line.at("actor"), "uid 0");
  EXPECT_THAT(line.at("from"), HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_EQ(line.at("target"), "ci (*:admin)");
  EXPECT_THAT(line.dump(), Not(HasSubstr(text.substr(24))));
}

TEST_F(Access, WhatTheClientDidNotWaitForIsWrittenDownOnceItIsDone) {
  locally();
  const ExchangeId id = server_->request("DELETE", "/v1/functions/stock");
  handler_->on_abort(id);
  EXPECT_THAT(audited(), IsEmpty());
  settle();
  ASSERT_EQ(audited().size(), 1U);
  EXPECT_EQ(audited()[0].at("outcome"), "done");
  EXPECT_EQ(audited()[0].at("reason"), "the client had left");
}

TEST_F(Access, AnUploadThatIsLeftWhileTheDiskTakesItIsWrittenDownAtOnce) {
  locally();
  const std::string bytes = sample_binary("static");
  const ExchangeId id = server_->request("PUT", "/v1/artefacts/" + hash_of(bytes), bytes);
  EXPECT_EQ(server_->answer(id).status, 0) << "the disk has it already";
  handler_->on_abort(id);
  ASSERT_EQ(audited().size(), 1U);
  EXPECT_EQ(audited()[0].at("outcome"), "left");
  settle();
  EXPECT_EQ(audited().size(), 1U);
}

TEST_F(Access, WhoFollowsTheAuditLogGetsEachLineOnce) {
  remotely();
  bear(token("*:admin"));
  const auto change = [this] {
    const auto id = server_->request("PUT", "/v1/functions/stock/scale", R"({"min":1})");
    EXPECT_EQ(server_->answer(id).status, 200);
  };
  change();
  const ExchangeId id = server_->request("GET", "/v1/audit?follow=true");
  change();  // while the files are read
  EXPECT_EQ(server_->answer(id).status, 0);
  while (server_->answer(id).status == 0) loop_.turn(true);
  change();
  const FakeAnswer& followed = server_->answer(id);
  EXPECT_EQ(followed.body, access::read_audit(audit_->folder(), {}).value());
  EXPECT_EQ(std::count(followed.body.begin(), followed.body.end(), '\n'), 3);
  EXPECT_FALSE(followed.ended);
  ASSERT_TRUE(book_->revoke("t1", unix_now_));
  bear(token("*:admin"));
  change();
  EXPECT_TRUE(server_->answer(id).aborted);
  EXPECT_EQ(std::count(followed.body.begin(), followed.body.end(), '\n'), 3);
}

TEST_F(Access, TheAuditLogIsReadByTheApi) {
  locally();
  for (int i = 0; i < 3; ++i) ask("PUT", "/v1/functions/stock/scale", R"({"min":1})");
  const std::string all = ask("GET", "/v1/audit").body;
  EXPECT_THAT(access::check_chain(all), IsEmpty());
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3);
  const std::string last = ask("GET", "/v1/audit?tail=1").body;
  EXPECT_EQ(Json::parse(last).at("seq"), 3);
  EXPECT_EQ(ask("GET", "/v1/audit?since=2027-01-01T00:00:00Z").body, "");
}

}  // namespace
}  // namespace subito::api
