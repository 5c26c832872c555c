// Who may do what they ask, and what is written down of it.
#include <utility>

#include "deploy/api/access_table.h"
#include "deploy/api/api_handler.h"
#include "deploy/manifest/qualified_name.h"
#include "runtime/http/problem.h"

namespace subito::api {

namespace {

// The first that the path names: a function, a token, a binary.
std::string target_of(const Parameters& path) {
  if (const auto name = path.find("name"); name != path.end()) return name->second;
  return path.empty() ? "" : path.begin()->second;
}

}  // namespace

access::AuditRecord ApiHandler::audit_record(ExchangeId id, const Exchange& exchange) {
  access::AuditRecord record;
  const server::Peer& peer = server_->peer(id);
  record.unix_ns = gate_->unix_now();
  record.actor = access::actor_words(exchange.who, peer);
  record.from = access::place_words(peer);
  if (exchange.match.route == nullptr) {
    record.action = "unknown";
    return record;
  }
  const Need need = need_of(exchange.match.route->operation);
  record.action = need.action;
  record.target = target_of(exchange.match.path);
  if (need.where != Where::kFunction) return record;
  auto qualified = manifest::split_qualified(record.target);
  record.target = std::move(qualified.name);
  record.name_space = std::move(qualified.name_space);
  return record;
}

// Also who asks for what there is not has to say who it is.
bool ApiHandler::identify(ExchangeId id, Exchange& exchange, const http::Fields& fields) {
  if (gate_ == nullptr) {
    exchange.who.owner = !remote_;
    if (!remote_) return true;
    refuse(id, exchange, access::unauthorized("no tokens here"));
    return false;
  }
  const server::Peer& peer = server_->peer(id);
  auto who = remote_ ? gate_->identify(fields, peer) : gate_->identify_local(fields, peer);
  if (who) {
    exchange.who = *std::move(who);
    return true;
  }
  refuse(id, exchange, who.error());
  return false;
}

bool ApiHandler::is_allowed(ExchangeId id, Exchange& exchange, const Need& need) {
  if (need.where == Where::kAnywhere && !exchange.who.may_anywhere(need.verb)) {
    refuse(id, exchange, access::forbidden(exchange.who, need.verb, ""));
    return false;
  }
  for (const std::string& touched : namespaces_of(need, exchange.match.path, exchange.query)) {
    if (exchange.who.may(need.verb, touched)) continue;
    refuse(id, exchange, access::forbidden(exchange.who, need.verb, touched));
    return false;
  }
  return true;
}

bool ApiHandler::admit(ExchangeId id, Exchange& exchange) {
  const Need need = need_of(exchange.match.route->operation);
  if (!is_allowed(id, exchange, need)) return false;
  if (!need.changes || audit_ == nullptr) return true;
  if (auto ready = audit_->ready(); !ready) {
    answer(id, Problem{507, "audit-unavailable",
                       ready.error().message +
                           "; what changes something is refused until it can be written down"});
    return false;
  }
  exchange.audit = std::make_unique<access::AuditRecord>(audit_record(id, exchange));
  return true;
}

// The body took as long as it liked: meanwhile the token may have been revoked, or lost a scope.
bool ApiHandler::admit_again(ExchangeId id, Exchange& exchange) {
  if (gate_ == nullptr) return true;
  auto who = gate_->identify_again(exchange.who);
  if (!who) {
    refuse(id, exchange, who.error());
    return false;
  }
  exchange.who = *std::move(who);
  return is_allowed(id, exchange, need_of(exchange.match.route->operation));
}

void ApiHandler::refuse(ExchangeId id, Exchange& exchange, const access::Refusal& refusal) {
  exchange.audit.reset();  // what follows is the line of it
  if (audit_ != nullptr) {
    exchange.who.subject = refusal.subject;
    access::AuditRecord record = audit_record(id, exchange);
    record.outcome = "refused";
    record.status = refusal.status;
    record.reason = refusal.why;
    audit_->append_refused(record, loop_.now());
  }
  http::ResponseHead head{refusal.status, refusal.fields, {}};
  head.fields.emplace_back("content-type", std::string(http::kProblemContentType));
  send(id, std::move(head), to_json(Problem{refusal.status, refusal.type, refusal.detail}) + "\n");
}

void ApiHandler::write_down(Exchange& exchange, int status) {
  if (!exchange.audit) return;
  exchange.audit->status = status;
  exchange.audit->outcome = status < 400 ? "done" : "failed";
  if (!exchange.problem.empty()) exchange.audit->reason = exchange.problem;
  audit_->append(*exchange.audit);
  exchange.audit.reset();
}

// A line for each token, as if each had been revoked by itself.
void ApiHandler::write_down_cut(const access::AuditRecord& by, const access::CutTokens& tokens,
                                const std::string& why) {
  if (audit_ == nullptr) return;
  access::AuditRecord line = by;
  line.reason = why;
  line.outcome = "done";
  const auto write = [&](std::string_view action, const std::vector<std::string>& names) {
    line.action = action;
    for (const std::string& name : names) {
      line.target = name;
      audit_->append(line);
    }
  };
  write("token.revoke", tokens.revoked);
  write("token.narrow", tokens.narrowed);
}

// What the plane was told it does, though nobody waits for the answer: the line waits for it. An
// upload is given up, also while the disk takes it.
void ApiHandler::client_left(ExchangeId id, Exchange& exchange) {
  if (!exchange.audit) return;
  if (exchange.state == Exchange::State::kWaiting && !exchange.sync) {
    deserted_[id] = std::move(exchange.audit);
    return;
  }
  exchange.audit->outcome = "left";
  audit_->append(*exchange.audit);
}

void ApiHandler::write_deserted(ExchangeId id, int status) {
  const auto it = deserted_.find(id);
  if (it == deserted_.end()) return;
  it->second->status = status;
  it->second->outcome = status < 400 ? "done" : "failed";
  it->second->reason = "the client had left";
  audit_->append(*it->second);
  deserted_.erase(it);
}

void ApiHandler::write_unfinished() {
  const auto unfinished = [this](access::AuditRecord& record) {
    record.outcome = "unknown";
    record.reason = "the node stopped meanwhile";
    audit_->append(record);
  };
  for (auto& [id, exchange] : exchanges_) {
    if (exchange.audit) unfinished(*exchange.audit);
  }
  for (auto& [id, record] : deserted_) unfinished(*record);
}

}  // namespace subito::api
