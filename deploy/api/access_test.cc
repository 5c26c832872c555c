// Who may do what: every operation of openapi.yaml, with every kind of token. What must come of it
// is told by the file, not by the table that decides it.
#include <algorithm>
#include <map>
#include <set>

#include "deploy/access/token.h"
#include "deploy/api/access_table.h"
#include "deploy/api/access_testing.h"

namespace subito::api {
namespace {

using server::ExchangeId;
using server::FakeAnswer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

struct Described {
  std::string method, path, scope, where;
};

std::vector<Described> described() {
  std::vector<Described> all;
  for (const std::string& operation : open_api().operations()) {
    Described one;
    one.method = operation.substr(0, operation.find(' '));
    one.path = operation.substr(one.method.size() + 1);
    one.scope = open_api().extension(one.path, one.method, "x-subito-scope");
    one.where = open_api().extension(one.path, one.method, "x-subito-where");
    if (one.where.empty())
      one.where = one.path.starts_with("/v1/functions/{name}") ? "function" : "namespace";
    all.push_back(one);
  }
  return all;
}

bool is_included(const std::string& has, const std::string& wanted) {
  const std::map<std::string, std::string> includes = {{"read", "read"},
                                                       {"invoke", "invoke"},
                                                       {"deploy", "read invoke deploy"},
                                                       {"admin", "read invoke deploy admin"}};
  return (" " + includes.at(has) + " ").find(" " + wanted + " ") != std::string::npos;
}

const char* const kVerbs[] = {"read", "invoke", "deploy", "admin"};

TEST_F(Access, EveryOperationSaysInTheFileAndInTheTableWhatItNeeds) {
  for (const Described& one : described()) {
    EXPECT_THAT(one.scope, testing::MatchesRegex("any|read|invoke|deploy|admin"))
        << one.method << " " << one.path << " needs x-subito-scope";
    const Match match = match_route(one.method, target_in(one.path, "default"));
    ASSERT_NE(match.route, nullptr) << one.path;
    EXPECT_TRUE(has_need(match.route->operation)) << one.path << " is not in access_table.cc";
    const Need need = need_of(match.route->operation);
    EXPECT_EQ(need.where == Where::kToken, one.scope == "any") << one.path;
    if (one.scope != "any") {
      EXPECT_EQ(access::to_string(need.verb), one.scope) << one.path;
    }
    EXPECT_TRUE(need.changes || one.method == "GET") << one.path << " is not audited";
  }
}

TEST_F(Access, WithoutATokenOrWithAWrongOneNobodyMayDoAnythingRemotely) {
  remotely();
  const std::string revoked = token("*:admin"), expired = token("*:admin", 1);
  ASSERT_TRUE(book_->revoke("t1", unix_now_));
  ++unix_now_;
  const std::string wrong[] = {revoked, expired, access::make_token()->text};
  for (const Described& one : described()) {
    const std::string target = target_in(one.path, "default");
    server_->set_fields({});
    const FakeAnswer without = try_it(one.method, target);
    EXPECT_EQ(without.status, 401) << target;
    EXPECT_EQ(without.field("www-authenticate"), "Bearer realm=\"subito\"");
    std::set<std::string> bodies;
    for (const std::string& text : wrong) {
      bear(text);
      const FakeAnswer answer = try_it(one.method, target);
      EXPECT_EQ(answer.status, 401) << target;
      bodies.insert(answer.body + answer.field("www-authenticate"));
      clock_.advance(access::kFailuresForgotten);
    }
    EXPECT_EQ(bodies.size(), 1U) << "the answer tells which part was wrong";
  }
  EXPECT_EQ(plane_.functions.size(), 2U);
}

// Whether a token of one scope, NAMESPACE:VERB, may do that operation in `touched`, as the file
// says.
bool is_allowed(const Described& one, const access::Scope& scope, const std::string& touched) {
  if (one.scope == "any") return true;
  const bool there = one.where == "anywhere" || scope.name_space == "*" ||
                     (one.where != "node" && scope.name_space == touched);
  return there && is_included(std::string(access::to_string(scope.verb)), one.scope);
}

std::vector<access::Scope> all_scopes() {
  std::vector<access::Scope> all;
  for (const char* name_space : {"default", "other", "*"}) {
    for (const char* verb : kVerbs)
      all.push_back(access::parse_scope(std::string(name_space) + ":" + verb).value());
  }
  return all;
}

class EachScope : public Access, public testing::WithParamInterface<access::Scope> {
 protected:
  void try_operation(const Described& one, const std::string& touched) {
    plane_.functions = functions_;  // the operation before may have deleted one
    const std::string target = target_in(one.path, touched);
    const FakeAnswer answer = try_it(one.method, target);
    SCOPED_TRACE(one.method + " " + target + " with " + access::to_string(GetParam()));
    if (is_allowed(one, GetParam(), touched)) {
      EXPECT_TRUE(answer.status != 401 && answer.status != 403) << answer.body;
    } else {
      EXPECT_EQ(answer.status, 403);
      EXPECT_THAT(answer.body, HasSubstr(one.scope)) << "it does not tell which scope is needed";
    }
  }

  const decltype(plane_.functions) functions_ = [] {
    FakePlane plane;
    fill(plane);
    return plane.functions;
  }();
};

// Where the path names no namespace, the query may.
TEST_F(Access, AQueryLeadsNobodyIntoAnotherNamespace) {
  remotely();
  bear(token("default:admin"));
  int tried = 0;
  for (const Described& one : described()) {
    if (one.where != "namespace" || one.path.find('{') != std::string::npos) continue;
    const Match match = match_route(one.method, one.path);
    for (const std::string name :
         {"namespace=other", "allNamespaces=true", "function=stock.other"}) {
      const std::string key = name.substr(0, name.find('='));
      const auto& known = match.route->query;
      if (std::find(known.begin(), known.end(), key) == known.end()) continue;
      ++tried;
      EXPECT_EQ(try_it(one.method, one.path + "?" + name).status, 403) << one.path << " " << name;
    }
    EXPECT_NE(try_it(one.method, one.path).status, 403) << one.path;
  }
  EXPECT_GT(tried, 8);
}

TEST_P(EachScope, AllowsWhatTheFileSaysAndNothingElse) {
  remotely();
  bear(token(access::to_string(GetParam())));
  for (const Described& one : described()) {
    try_operation(one, "default");
    if (one.path.find("{name") != std::string::npos) try_operation(one, "other");
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachScope, testing::ValuesIn(all_scopes()), [](const auto& test) {
  const std::string where = test.param.name_space == "*" ? "all" : test.param.name_space;
  return where + "_" + std::string(access::to_string(test.param.verb));
});

TEST_F(Access, AQueryNamesTheNamespacesThatItTouches) {
  const Need need = need_of(Operation::kListPods);
  using Names = std::vector<std::string>;
  EXPECT_EQ(namespaces_of(need, {}, {}), Names{"default"});
  EXPECT_EQ(namespaces_of(need, {}, {{"namespace", "shop"}}), Names{"shop"});
  EXPECT_EQ(namespaces_of(need, {}, {{"allNamespaces", "true"}}), Names{"*"});
  EXPECT_EQ(namespaces_of(need, {}, {{"allNamespaces", "false"}, {"namespace", "shop"}}),
            Names{"shop"});
  EXPECT_EQ(namespaces_of(need, {}, {{"namespace", "shop"}, {"function", "stock.other"}}),
            (Names{"shop", "other"}));
  EXPECT_EQ(namespaces_of(need, {}, {{"function", "stock"}}), Names{"default"});
}

TEST_F(Access, WithoutAGateNobodyIsLetInRemotely) {
  ApiHandler handler(plane_, *store_, loop_);
  server::FakeServer server(handler);
  handler.attach(server);
  handler.set_remote();
  server.set_fields({{"authorization", "Bearer " + token("*:admin")}});
  const ExchangeId id = server.request("GET", "/v1/functions");
  EXPECT_EQ(server.answer(id).status, 401);
}

TEST_F(Access, WhatThereIsNotIsToldToNobodyWithoutAToken) {
  remotely();
  EXPECT_EQ(try_it("GET", "/v1/nothing").status, 401);
  EXPECT_EQ(try_it("PATCH", "/v1/pods").status, 401);
  bear(token("default:read"));
  EXPECT_EQ(try_it("GET", "/v1/nothing").status, 404);
  EXPECT_EQ(try_it("PATCH", "/v1/pods").status, 405);
}

TEST_F(Access, OverTheUnixSocketTheOwnerIsAdminAndNobodyElse) {
  locally();
  EXPECT_EQ(ask("GET", "/v1/functions").status, 200);
  EXPECT_EQ(Json::parse(ask("GET", "/v1/whoami").body),
            Json::parse(R"({"owner":true,"name":"","scopes":["*:admin"]})"));
  locally(12'345);
  EXPECT_EQ(ask("GET", "/v1/functions").status, 401);
}

TEST_F(Access, ATokenIsMadeShownOnceListedAndRevoked) {
  locally();
  plane_.namespaces["shop"] = {{"shop"}};
  const std::string body =
      R"({"name":"ci","scopes":["shop:deploy","*:read"],"lifetimeSeconds":60})";
  const Json made = Json::parse(ask("POST", "/v1/tokens", body).body);
  const std::string text = made.at("token");
  EXPECT_EQ(made.at("expires"), "2026-11-23T22:06:05.000Z");
  EXPECT_EQ(ask("POST", "/v1/tokens", body).status, 409);
  const std::string listed = ask("GET", "/v1/tokens").body;
  EXPECT_THAT(listed, Not(HasSubstr(text.substr(24))));
  EXPECT_EQ(Json::parse(listed)["items"][0]["scopes"], Json::parse(R"(["shop:deploy","*:read"])"));
  remotely();
  bear(text);
  EXPECT_EQ(Json::parse(ask("GET", "/v1/whoami").body).at("name"), "ci");
  EXPECT_EQ(ask("GET", "/v1/tokens").status, 403);
  ASSERT_TRUE(book_->revoke("ci", unix_now_));
  EXPECT_EQ(ask("GET", "/v1/whoami").status, 401);
  bear(token("*:admin"));
  EXPECT_EQ(ask("DELETE", "/v1/tokens/ci").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/tokens/t1").status, 204);
}

TEST_F(Access, RequestsForTokensThatMakeNoSenseAreRefused) {
  locally();
  for (const char* body :
       {"", "{}", R"({"name":"ci"})", R"({"name":"ci","scopes":[]})",
        R"({"name":"ci","scopes":["admin"]})", R"({"name":1,"scopes":["*:read"]})",
        R"({"name":"C","scopes":["*:read"]})",
        R"({"name":"ci","scopes":["*:read"],"lifetimeSeconds":-1})",
        R"({"name":"ci","scopes":["*:read"],"ttl":1})"}) {
    EXPECT_EQ(ask("POST", "/v1/tokens", body).status, 400) << body;
  }
  EXPECT_EQ(ask("GET", "/v1/audit?tail=-1").status, 400);
  EXPECT_EQ(ask("GET", "/v1/audit?since=today").status, 400);
}

TEST_F(Access, ATokenOfANamespaceThatThereIsNotIsRefused) {
  locally();
  const FakeAnswer refused =
      ask("POST", "/v1/tokens", R"({"name":"ci","scopes":["default:read","shop:deploy"]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("create token: scope shop:deploy: " +
                                      manifest::no_namespace_words("shop")));
  EXPECT_EQ(book_->find("ci"), nullptr);
}

// A body may take as long as it likes.
TEST_F(Access, ATokenThatIsRevokedBeforeTheBodyIsWholeDoesNothing) {
  remotely();
  const std::string bytes = sample_binary("static");
  const std::pair<std::string, std::string> requests[] = {
      {"/v1/functions/stock/scale", R"({"min":1})"},
      {"/v1/secrets/bank/key", "value"},
      {"/v1/artefacts/" + hash_of(bytes), bytes}};
  std::vector<ExchangeId> begun;
  bear(token("*:admin"));
  for (const auto& [target, body] : requests) {
    begun.push_back(server_->begin("PUT", target));
    server_->body_of_client(begun.back(), body, false);
  }
  ASSERT_TRUE(book_->revoke("t1", unix_now_));
  for (const ExchangeId id : begun) {
    server_->body_of_client(id, "", true);
    EXPECT_EQ(server_->answer(id).status, 401);
  }
  EXPECT_FALSE(plane_.functions.at("stock").scaled);
  EXPECT_THAT(plane_.config_and_secrets.objects, IsEmpty());
  EXPECT_FALSE(store_->artefact_path(hash_of(bytes)));
  const auto lines = audited();
  ASSERT_EQ(lines.size(), 3U);
  for (const Json& line : lines) {
    EXPECT_EQ(line.at("outcome"), "refused");
    EXPECT_EQ(line.at("actor"), "token t1");
    EXPECT_EQ(line.at("reason"), "revoked token");
  }
}

TEST_F(Access, ATokenThatLostAScopeBeforeTheBodyIsWholeDoesOnlyWhatItStillMay) {
  remotely();
  bear(token("default:deploy other:deploy"));
  const ExchangeId here = server_->begin("PUT", "/v1/functions/stock/scale");
  const ExchangeId there = server_->begin("PUT", "/v1/functions/stock.other/scale");
  ASSERT_TRUE(
      book_->forget_namespace("other", unix_now_, [](const auto& write) { return write(); }));
  for (const ExchangeId id : {here, there}) server_->body_of_client(id, R"({"min":1})", true);
  EXPECT_EQ(server_->answer(here).status, 200);
  EXPECT_EQ(server_->answer(there).status, 403);
}

TEST_F(Access, WhatWasShownIsOverwrittenOnceItIsAskedFor) {
  remotely();
  std::uint64_t number = 1'000;
  for (const std::string& shown : {token("*:read"), std::string("subito_wrong")}) {
    const ExchangeId id(++number);
    http::RequestHead head;
    head.method = "POST";  // of which the body is still to come
    head.path = "/v1/tokens";
    head.fields = {{"authorization", "Bearer " + shown}};
    handler_->on_request(id, std::move(head), false);
    EXPECT_THAT(head.fields.at(0).second, Not(HasSubstr(shown.substr(0, 6))));
    handler_->on_abort(id);
  }
}

TEST_F(Access, ATokenThatIsRevokedOrExpiresReadsNoStreamOn) {
  remotely();
  bear(token("*:read"));
  const ExchangeId revoked = stream("/v1/events/watch");
  bear(token("*:read", 10));
  const ExchangeId expired = stream("/v1/functions/stock/requests");
  bear(token("*:read"));
  const ExchangeId good = stream("/v1/events/watch");
  ASSERT_TRUE(book_->revoke("t1", unix_now_));
  const std::string told = server_->answer(revoked).body;
  Event event;
  event.function = "stock";
  event.reason = "PodStarted";
  plane_.emit(event);
  EXPECT_TRUE(server_->answer(revoked).aborted);
  EXPECT_EQ(server_->answer(revoked).body, told);
  EXPECT_FALSE(server_->answer(expired).aborted);
  unix_now_ += 10;
  while (!server_->answer(expired).aborted) loop_.turn(true);  // also when nothing happens
  EXPECT_FALSE(server_->answer(good).aborted);
  handler_->on_abort(good);
}

TEST_F(Access, OneTokenHasItsShareOfTheStreams) {
  remotely();
  bear(token("*:read"));
  std::vector<ExchangeId> open;
  for (std::size_t i = 0; i < kStreamsPerTokenMax; ++i) open.push_back(stream("/v1/events/watch"));
  const FakeAnswer beyond = try_it("GET", "/v1/events/watch");
  EXPECT_EQ(beyond.status, 429);
  EXPECT_THAT(beyond.body, HasSubstr("16 streams of this token"));
  bear(token("*:read"));
  open.push_back(stream("/v1/events/watch"));
  for (const ExchangeId id : open) handler_->on_abort(id);
}

}  // namespace
}  // namespace subito::api
