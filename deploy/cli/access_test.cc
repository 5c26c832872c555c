#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "deploy/access/audit_files.h"
#include "deploy/access/token_book.h"
#include "deploy/cli/cli_testing.h"
#include "deploy/cli/contexts.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CliAccess : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    variables_["XDG_CONFIG_HOME"] = folder_ + "/config";
    book_.emplace(access::TokenBook::load(*store_).value());
    gate_.emplace(*book_, clock_, [this] { return now_unix_ns_; });
    const access::AuditLimits limits{access::kAuditFileBytes, access::kAuditTotalBytes,
                                     Duration::zero()};
    audit_ = access::AuditLog::open(loop_, folder_ + "/audit", limits).value();
    handler_->set_access(*gate_, audit_.get());
    server::Peer owner;
    owner.process = server::Peer::Process{1, 0, 0};
    server_->set_peer(owner);
  }
  void TearDown() override {
    server_.reset();
    handler_.reset();
    CliTest::TearDown();
  }
  std::string token_of(const std::string& name, const std::string& scope = "default:deploy") {
    const Printed made = run({"token", "create", name, "--scope", scope, "-q"});
    EXPECT_EQ(made.code, kOk) << made.err;
    return made.out.substr(0, made.out.size() - 1);
  }
  // The node elsewhere: whoever asks it must bear that token.
  void go_remote() {
    handler_->set_remote();
    before_send_ = [this](const api::ClientRequest&) {
      server_->set_fields({{"authorization", "Bearer " + last_endpoint_.token}});
    };
    server_->set_peer(server::Peer{"192.0.2.7", 4711, false, {}});
  }
  std::string config() const { return folder_ + "/config/subito/config.yaml"; }

  ManualClock clock_;
  std::optional<access::TokenBook> book_;
  std::optional<access::Gate> gate_;
  std::unique_ptr<access::AuditLog> audit_;
};

TEST_F(CliAccess, ATokenIsPrintedAloneAndWhatItMayDoBeside) {
  plane_.namespaces["shop"] = {{"shop"}};
  const Printed made = run(
      {"token", "create", "ci", "--scope", "shop:deploy", "--scope", "*:read", "--expires", "30d"});
  EXPECT_EQ(made.code, kOk) << made.err;
  EXPECT_THAT(made.out, StartsWith("subito_"));
  EXPECT_EQ(std::count(made.out.begin(), made.out.end(), '\n'), 1);
  EXPECT_EQ(made.err, "token ci may shop:deploy *:read, for 30d; it is not shown again\n");
  const Printed listed = run({"token", "list"});
  EXPECT_THAT(listed.out, HasSubstr("ci    shop:deploy *:read  0s   in 30d   -          uid 0"));
  EXPECT_THAT(listed.out, Not(HasSubstr(made.out.substr(24, 64))));
  EXPECT_EQ(run({"token", "revoke", "ci"}).out, "token ci is revoked\n");
  EXPECT_THAT(run({"token", "list"}).out, StartsWith("no tokens"));
  EXPECT_EQ(run({"token", "revoke", "ci"}).code, kNotFound);
}

TEST_F(CliAccess, WhatIsWrongWithATokenIsToldBeforeTheNodeIsAsked) {
  EXPECT_EQ(run({"token", "create", "ci"}).code, kUsage);
  EXPECT_EQ(run({"token", "create", "--scope", "*:read"}).code, kUsage);
  EXPECT_THAT(run({"token", "create", "ci", "--scope", "shop:depoly"}).err,
              HasSubstr("did you mean 'deploy'"));
  EXPECT_THAT(run({"token", "create", "ci", "--scope", "*:read", "--expires", "soon"}).err,
              HasSubstr("30d"));
  EXPECT_THAT(run({"token", "remove", "ci"}).err, HasSubstr("create, list and revoke"));
}

TEST_F(CliAccess, LoginChecksTheTokenAndRemembersIt) {
  input_ = token_of("ci") + "\n";
  go_remote();
  const Printed in = run({"login", "https://node.example:8443", "--token-stdin", "--ca", "ca.pem"});
  EXPECT_EQ(in.code, kOk) << in.err;
  EXPECT_EQ(in.out,
            "logged in to https://node.example:8443 as ci, which may default:deploy; context "
            "node.example is in use\n");
  struct stat info {};
  ASSERT_EQ(::stat(config().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(run({"get", "functions"}).code, kOk);
  EXPECT_EQ(last_endpoint_.server, "https://node.example:8443");
  EXPECT_THAT(last_endpoint_.ca_file, testing::EndsWith("/ca.pem"));
  EXPECT_EQ(last_endpoint_.token + "\n", input_);
  EXPECT_EQ(run({"context", "current"}).out, "node.example\n");
  EXPECT_THAT(run({"context", "list"}).out,
              HasSubstr("*        node.example  https://node.example:8443"));
  EXPECT_THAT(run({"context", "list", "-o", "json"}).out, Not(HasSubstr("subito_")));
}

TEST_F(CliAccess, LoginTakesNoOtherNodesPlaceUnlessItIsNamed) {
  const std::vector<std::string> second = {"login", "https://node.example:9443", "--token-stdin"};
  input_ = token_of("ci") + "\n";
  go_remote();
  ASSERT_EQ(run({"login", "https://node.example:8443", "--token-stdin"}).code, kOk);
  EXPECT_EQ(run({"login", "https://node.example:8443/", "--token-stdin"}).code, kOk) << "the same";
  const Printed taken = run(second);
  EXPECT_EQ(taken.code, kUsage);
  EXPECT_THAT(taken.err, HasSubstr("context node.example is another node, "
                                   "https://node.example:8443; choose another name: --context"));
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.server, "https://node.example:8443");
  for (const char* name : {"second", "node.example"}) {
    std::vector<std::string> named = second;
    named.insert(named.end(), {"--context", name});
    EXPECT_EQ(run(named).code, kOk) << name;
  }
  EXPECT_THAT(run({"context", "list"}).out, Not(HasSubstr(":8443")));
}

TEST_F(CliAccess, AContextOfAnIpv6AddressIsCalledByTheAddress) {
  input_ = token_of("ci") + "\n";
  go_remote();
  EXPECT_EQ(run({"login", "https://[fd00::7]:8443", "--token-stdin"}).code, kOk);
  EXPECT_EQ(run({"context", "current"}).out, "fd00::7\n");
}

TEST_F(CliAccess, AWrongTokenIsNotRemembered) {
  go_remote();
  variables_["SUBITO_TOKEN"] = "subito_wrong";
  const Printed in = run({"login", "https://node.example:8443"});
  EXPECT_EQ(in.code, kFailed);
  EXPECT_THAT(in.err, HasSubstr("a token that is valid"));
  EXPECT_NE(::access(config().c_str(), F_OK), 0);
}

TEST_F(CliAccess, ATokenIsNeverAnArgument) {
  EXPECT_EQ(run({"login", "https://node.example:8443"}).code, kUsage);
  EXPECT_EQ(run({"login", "http://node.example:8443"}).code, kUsage);
  EXPECT_EQ(run({"login", "https://node.example:8443", "--token-stdin"}).code, kUsage);
}

TEST_F(CliAccess, FlagsGoBeforeVariablesBeforeTheContextBeforeTheSocketOfThisMachine) {
  Contexts contexts;
  contexts.put({"far", "https://far:1", "/far.pem", "far-token"});
  ASSERT_TRUE(save_contexts(config(), contexts));
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.server, "https://far:1");
  EXPECT_EQ(last_endpoint_.token, "far-token");
  variables_["SUBITO_TOKEN"] = "other-token";
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.server, "https://far:1");
  EXPECT_EQ(last_endpoint_.token, "other-token");
  variables_["SUBITO_SERVER"] = "https://variable:1";
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.server, "https://variable:1");
  EXPECT_EQ(last_endpoint_.ca_file, "");
  run({"get", "functions", "--server", "https://flag:1"});
  EXPECT_EQ(last_endpoint_.server, "https://flag:1");
  run({"get", "functions", "--socket", "/s"});
  EXPECT_EQ(last_endpoint_.socket_path, "/s");
  EXPECT_EQ(last_endpoint_.token, "other-token");
  variables_.erase("SUBITO_SERVER");
  variables_["SUBITO_SOCKET"] = "/t";
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.socket_path, "/t");
  EXPECT_EQ(last_endpoint_.token, "other-token");
  variables_.erase("SUBITO_TOKEN");
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.token, "") << "a context's goes to its own node alone";
}

TEST_F(CliAccess, ASocketInTheFolderGetsATokenUnlessItIsAStrangers) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIPPED: giving a file to another user needs root";
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directory(folder_ + "/.subito");
  const std::string socket = write(".subito/api.sock", "");
  files_.insert(".subito/api.sock");
  variables_["SUBITO_TOKEN"] = "subito_t";
  std::filesystem::current_path(folder_);
  run({"get", "functions"});
  EXPECT_EQ(last_endpoint_.token, "subito_t");
  EXPECT_EQ(::chown(socket.c_str(), 12'345, 12'345), 0);
  last_endpoint_ = {};
  const Printed refused = run({"get", "functions"});
  EXPECT_EQ(refused.code, kUsage);
  EXPECT_THAT(refused.err, HasSubstr(".subito/api.sock of this folder is uid 12345's"));
  EXPECT_EQ(last_endpoint_.socket_path, "") << "it was asked";
  run({"get", "functions", "--socket", ".subito/api.sock"});
  EXPECT_EQ(last_endpoint_.token, "subito_t") << "it was meant";
  variables_.erase("SUBITO_TOKEN");
  EXPECT_EQ(run({"get", "functions"}).code, kOk);
  std::filesystem::current_path(before);
}

TEST_F(CliAccess, ATokenNarrowsWhatTheOwnerMayOverTheSocket) {
  const std::string token = token_of("reader", "default:read");
  before_send_ = [this](const api::ClientRequest&) {
    http::Fields fields;
    if (!last_endpoint_.token.empty())
      fields = {{"authorization", "Bearer " + last_endpoint_.token}};
    server_->set_fields(fields);
  };
  variables_["SUBITO_TOKEN"] = token;
  EXPECT_EQ(run({"get", "functions"}).code, kOk);
  EXPECT_THAT(run({"scale", "stock", "--min", "1"}).err,
              HasSubstr("token reader may not do this: it needs scope default:deploy"));
  variables_["SUBITO_TOKEN"] = token + "x";
  EXPECT_THAT(run({"get", "functions"}).err, HasSubstr("unset SUBITO_TOKEN"));
  variables_.erase("SUBITO_TOKEN");
  EXPECT_EQ(run({"scale", "stock", "--min", "1"}).code, kOk);
}

TEST_F(CliAccess, ContextsAreUsedAndForgotten) {
  Contexts contexts;
  contexts.put({"one", "https://one:1", "", "t1"});
  contexts.put({"two", "https://two:1", "", "t2"});
  ASSERT_TRUE(save_contexts(config(), contexts));
  EXPECT_EQ(run({"context", "use", "one"}).code, kOk);
  EXPECT_EQ(run({"context", "current"}).out, "one\n");
  EXPECT_THAT(run({"context", "use", "tow"}).err, HasSubstr("did you mean 'two'"));
  EXPECT_THAT(run({"logout"}).out, HasSubstr("it was in use"));
  EXPECT_EQ(run({"context", "current"}).code, kNotFound);
  EXPECT_EQ(run({"context", "delete", "two"}).out,
            "context two is forgotten; its token is good until it is revoked\n");
  EXPECT_THAT(run({"context", "list"}).out, StartsWith("no contexts"));
  EXPECT_EQ(run({"logout"}).code, kNotFound);
}

TEST_F(CliAccess, AFileOfContextsThatOthersCanReadIsRefusedAndNobodyElseIsAsked) {
  Contexts contexts;
  contexts.put({"far", "https://far:1", "", "secret-token"});
  ASSERT_TRUE(save_contexts(config(), contexts));
  ASSERT_EQ(::chmod(config().c_str(), 0644), 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"get", "functions"}, {"invoke", "stock"}, {"version"}}) {
    const Printed asked = run(words);
    EXPECT_EQ(asked.code, kUsage);
    EXPECT_THAT(asked.err, HasSubstr("chmod 600"));
  }
  EXPECT_FALSE(asked_);
  EXPECT_EQ(run({"context", "list"}).code, kFailed);
}

TEST_F(CliAccess, AContextInUseThatIsNotThereIsToldAndNobodyElseIsAsked) {
  Contexts contexts;
  contexts.put({"near", "https://near:1", "", "t"});
  contexts.current = "gone";
  ASSERT_TRUE(save_contexts(config(), contexts));
  for (const std::vector<std::string>& words : {std::vector<std::string>{"get", "functions"},
                                                {"invoke", "stock"},
                                                {"debug", "stock-1"},
                                                {"top", "--interval", "0"},
                                                {"version"}}) {
    const Printed asked = run(words);
    EXPECT_EQ(asked.code, kUsage) << words[0];
    EXPECT_THAT(asked.err, HasSubstr("find context gone: " + config() + " says that it is in use"));
    EXPECT_THAT(asked.err, HasSubstr("`subito context use NAME`"));
  }
  EXPECT_FALSE(asked_);
  EXPECT_EQ(run({"context", "current"}).code, kNotFound);
  EXPECT_EQ(run({"get", "functions", "--socket", "/s"}).code, kOk);
  EXPECT_EQ(run({"context", "delete", "gone"}).out,
            "context gone is forgotten\n"
            "it was in use: from now on commands ask the node of this machine\n");
  EXPECT_EQ(run({"get", "functions"}).code, kOk);
  EXPECT_EQ(last_endpoint_.socket_path, "/var/lib/subito/api.sock");
}

TEST_F(CliAccess, TheAuditLogIsShownAndVerified) {
  EXPECT_THAT(run({"audit"}).out, StartsWith("nothing is written down"));
  run({"scale", "stock", "--min", "1"});
  token_of("ci");
  const Printed shown = run({"audit"});
  EXPECT_EQ(shown.code, kOk) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("scale"));
  EXPECT_THAT(shown.out, HasSubstr("default/stock"));
  EXPECT_THAT(shown.out, HasSubstr("ci (default:deploy)"));
  EXPECT_THAT(shown.out, HasSubstr("uid 0"));
  EXPECT_EQ(run({"audit", "--verify"}).out, "2 lines, none of them changed or missing\n");
  EXPECT_THAT(run({"audit", "--tail", "1", "-o", "json"}).out, HasSubstr(R"("seq":2)"));
  EXPECT_EQ(run({"audit", "--since", "yesterday"}).code, kUsage);
}

TEST_F(CliAccess, TheAuditLogIsFollowed) {
  run({"scale", "stock", "--min", "1"});
  meanwhile_ = [this] {
    access::AuditRecord record;
    record.actor = "token ci";
    record.from = "192.0.2.7";
    record.action = "deploy";
    record.outcome = "refused";
    record.status = 403;
    audit_->append(record);
  };
  const Printed followed = run({"audit", "-f"});
  EXPECT_EQ(followed.code, kNoNode) << "the connection ended";
  EXPECT_THAT(followed.out,
              testing::MatchesRegex(".*  scale  default/stock  done 200\n"
                                    ".*  token ci  192.0.2.7  deploy  refused 403\n"));
  const Printed json = run({"audit", "-f", "--tail", "1", "-o", "json"});
  EXPECT_THAT(json.out, StartsWith(R"({"seq":2,)"));
  EXPECT_THAT(json.out, HasSubstr("\n{\"seq\":3,"));
  EXPECT_EQ(run({"audit", "-f", "--verify"}).code, kUsage);
}

TEST_F(CliAccess, ALineThatAPowerCutToreIsCalledThatAndNotChanged) {
  run({"scale", "stock", "--min", "1"});
  run({"scale", "stock", "--min", "2"});
  const std::string folder = audit_->folder();
  handler_->set_access(*gate_, nullptr);
  audit_.reset();
  const auto files = access::audit_files(folder).value();
  std::filesystem::resize_file(files.back().path, files.back().bytes - 10);
  access::AuditLimits limits;
  limits.synced_within = Duration::zero();
  audit_ = access::AuditLog::open(loop_, folder, limits).value();
  handler_->set_access(*gate_, audit_.get());
  run({"scale", "stock", "--min", "3"});
  const Printed checked = run({"audit", "--verify"});
  EXPECT_EQ(checked.code, kFailed);
  EXPECT_THAT(checked.err, HasSubstr("line after 1: it is not whole"));
  EXPECT_THAT(checked.err, Not(HasSubstr("changed")));
}

}  // namespace
}  // namespace subito::cli
