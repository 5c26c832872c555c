// What the operations on tokens and the audit log do.
#include <limits>
#include <memory>
#include <utility>

#include "deploy/access/audit_files.h"
#include "deploy/api/api_handler.h"
#include "deploy/api/request_body.h"
#include "deploy/api/time_text.h"
#include "runtime/base/check.h"

namespace subito::api {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kLifetimeSecondsMax = 10LL * 366 * 86'400;

Json scopes_json(const std::vector<access::Scope>& scopes) {
  Json list = Json::array();
  for (const access::Scope& scope : scopes) list.push_back(access::to_string(scope));
  return list;
}

Json token_json(const access::Token& token, std::int64_t now_unix_ns) {
  Json json = {{"name", token.name},
               {"scopes", scopes_json(token.scopes)},
               {"created", time_text(token.created_unix_ns)},
               {"createdBy", token.created_by}};
  if (token.expires_unix_ns != 0) json["expires"] = time_text(token.expires_unix_ns);
  json["expired"] = token.expired(now_unix_ns);
  if (token.last_used_unix_ns != 0) json["lastUsed"] = time_text(token.last_used_unix_ns);
  return json;
}

struct TokenRequest {
  std::string name;
  std::vector<access::Scope> scopes;
  std::int64_t lifetime_ns = 0;
};

Result<TokenRequest> parse_token_request(const std::string& body) {
  ASSIGN_OR_RETURN(const Json json, parse_object(body, {"name", "scopes", "lifetimeSeconds"}));
  const auto wrong = [](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "read body: " + what);
  };
  TokenRequest request;
  const Json name = json.value("name", Json()), scopes = json.value("scopes", Json());
  if (!name.is_string()) return wrong("name must be text");
  request.name = name.get<std::string>();
  if (!scopes.is_array() || scopes.empty() || scopes.size() > access::kScopesMax)
    return wrong("scopes must be a list of 1 to " + std::to_string(access::kScopesMax));
  for (const Json& scope : scopes) {
    if (!scope.is_string()) return wrong("a scope must be text");
    ASSIGN_OR_RETURN(auto parsed, access::parse_scope(scope.get_ref<const std::string&>()));
    request.scopes.push_back(std::move(parsed));
  }
  const Json lifetime = json.value("lifetimeSeconds", Json(0));
  if (!lifetime.is_number_integer() || lifetime.get<std::int64_t>() < 0 ||
      lifetime.get<std::int64_t>() > kLifetimeSecondsMax)
    return wrong("lifetimeSeconds must be 0 to " + std::to_string(kLifetimeSecondsMax) +
                 "; 0: it does not expire");
  request.lifetime_ns = lifetime.get<std::int64_t>() * kNanosPerSecond;
  return request;
}

Result<access::AuditQuery> parse_audit_query(const Parameters& query) {
  access::AuditQuery out;
  ASSIGN_OR_RETURN(out.tail, tail_in(query, access::kAuditTailMax, out.tail));
  ASSIGN_OR_RETURN(out.since_unix_ns, since_in(query, out.since_unix_ns));
  return out;
}

}  // namespace

void ApiHandler::run_access(ExchangeId id, Exchange& exchange) {
  const Operation operation = exchange.match.route->operation;
  if (operation == Operation::kWhoAmI) return who_am_i(id, exchange);
  if (gate_ == nullptr)
    return answer(id, Problem{503, "unavailable", "this node keeps no tokens and no audit log"});
  switch (operation) {
    case Operation::kListTokens:
      return list_tokens(id);
    case Operation::kCreateToken:
      return create_token(id, exchange);
    case Operation::kRevokeToken:
      if (auto gone = gate_->tokens().revoke(name_of(exchange.match.path), gate_->unix_now());
          !gone)
        return answer(id, gone.error());
      return send(id, {204, {}, {}}, "");
    case Operation::kAudit:
      return read_audit(id, exchange);
    default:
      CHECK(false);
  }
}

void ApiHandler::who_am_i(ExchangeId id, const Exchange& exchange) {
  const access::Identity& who = exchange.who;
  Json json = {{"owner", who.owner}, {"name", who.subject}, {"scopes", scopes_json(who.scopes)}};
  if (who.owner) json["scopes"] = {"*:admin"};
  if (who.expires_unix_ns != 0) json["expires"] = time_text(who.expires_unix_ns);
  answer(id, 200, json.dump());
}

void ApiHandler::list_tokens(ExchangeId id) {
  Json items = Json::array();
  for (const access::Token& token : gate_->tokens().living())
    items.push_back(token_json(token, gate_->unix_now()));
  answer(id, 200, Json{{"items", std::move(items)}}.dump());
}

// A token of a namespace that is yet to be made would be let into it by whoever makes it.
Status ApiHandler::namespaces_are_there(const std::vector<access::Scope>& scopes) {
  for (const access::Scope& scope : scopes) {
    if (scope.name_space == access::kAllNamespaces || plane_.namespace_is_there(scope.name_space))
      continue;
    return fail(ErrorCode::kInvalidArgument, "create token: scope " + access::to_string(scope) +
                                                 ": " +
                                                 manifest::no_namespace_words(scope.name_space));
  }
  return ok();
}

void ApiHandler::create_token(ExchangeId id, Exchange& exchange) {
  const auto request = parse_token_request(exchange.body);
  if (!request) return answer(id, request.error());
  if (auto there = namespaces_are_there(request->scopes); !there) return answer(id, there.error());
  if (exchange.audit) {
    exchange.audit->target = request->name + " (" + access::to_string(request->scopes) + ")";
  }
  const std::string by = access::actor_words(exchange.who, server_->peer(id));
  const auto text = gate_->tokens().create(request->name, request->scopes, request->lifetime_ns, by,
                                           gate_->unix_now());
  if (!text) return answer(id, text.error());
  Json json = token_json(*gate_->tokens().find(request->name), gate_->unix_now());
  json["token"] = *text;
  answer(id, 200, json.dump());
}

// Files are read by another thread: there may be many of them.
void ApiHandler::read_audit(ExchangeId id, Exchange& exchange) {
  auto query = parse_audit_query(exchange.query);
  if (!query) return answer(id, query.error());
  const auto follow = flag_in(exchange.query, "follow");
  if (!follow) return answer(id, follow.error());
  if (audit_ == nullptr)
    return answer(id, Problem{503, "unavailable", "this node keeps no audit log"});
  if (*follow && !may_stream(id)) return;
  transition(exchange, Exchange::State::kWaiting);
  if (*follow) {
    query->seq_max = audit_->lines();
    exchange.audit_lines =
        audit_->follow([this, id](const std::string& line) { send_line(id, line); });
  }
  const auto lines = std::make_shared<Result<std::string>>();
  exchange.sync = std::make_unique<Background>(
      loop_,
      [lines, folder = audit_->folder(), wanted = *query] {
        *lines = access::read_audit(folder, wanted);
      },
      [this, id, lines] {
        if (!*lines) return answer(id, lines->error());
        if (find(id)->audit_lines) return follow_audit(id, **lines);
        http::ResponseHead head{200, {{"content-type", "application/x-ndjson"}}, {}};
        send(id, std::move(head), **lines);
      });
}

// Behind the older lines those that were written while they were read.
void ApiHandler::follow_audit(ExchangeId id, std::string lines) {
  Exchange& exchange = *find(id);
  if (exchange.missed > 0)
    return answer(id, Problem{503, "unavailable",
                              "follow audit log: more was written while older lines were read than "
                              "is kept for one who waits; ask again, or for fewer by tail"});
  lines += std::exchange(exchange.backlog, {});
  begin_stream(id, exchange, lines, false);
}

}  // namespace subito::api
