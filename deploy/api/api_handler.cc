// Exchanges: from a request's head to its answer. What each operation does is in operations.cc.
#include "deploy/api/api_handler.h"

#include "runtime/base/check.h"
#include "runtime/http/problem.h"

namespace subito::api {

ApiHandler::~ApiHandler() {
  if (audit_ != nullptr) audit_->end_following();  // the servers may be gone
  write_unfinished();
  for (auto& [id, exchange] : exchanges_) plane_.unsubscribe(exchange.subscription);
}

void ApiHandler::transition(Exchange& exchange, Exchange::State to) {
  using State = Exchange::State;
  CHECK((exchange.state == State::kReading && to != State::kReading) ||
        (exchange.state == State::kUploading && to == State::kWaiting) ||
        (exchange.state == State::kWaiting && to == State::kStreaming));
  exchange.state = to;
}

ApiHandler::Exchange* ApiHandler::find(ExchangeId id) {
  const auto it = exchanges_.find(id);
  return it == exchanges_.end() ? nullptr : &it->second;
}

void ApiHandler::on_request(ExchangeId id, http::RequestHead&& head, bool end) {
  Exchange& exchange = exchanges_[id];
  exchange.match = match_route(head.method, head.path);
  const bool known = identify(id, exchange, head.fields);
  access::wipe_tokens(head.fields);
  if (!known) return;
  if (exchange.match.route == nullptr) {
    if (exchange.match.allow.empty())
      return answer(id, Problem{404, "no-such-path", "find " + head.path + ": no such path"});
    const Problem problem{405, "method-not-allowed",
                          head.method + " " + head.path + ": allowed is " + exchange.match.allow};
    http::ResponseHead reply{405, {{"allow", exchange.match.allow}}, {}};
    reply.fields.emplace_back("content-type", std::string(http::kProblemContentType));
    return send(id, std::move(reply), to_json(problem));
  }
  auto query = parse_query(head.query, exchange.match.route->query);
  if (!query) return answer(id, query.error());
  exchange.query = std::move(*query);
  if (!admit(id, exchange)) return;
  if (exchange.match.route->operation == Operation::kPutArtefact) {
    begin_upload(id, exchange);
    if (end && find(id) != nullptr) sync_upload(id, exchange);
    return;
  }
  if (end) run(id, exchange);
}

void ApiHandler::on_body(ExchangeId id, std::string_view bytes, bool end) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  if (exchange->state == Exchange::State::kUploading) {
    if (auto written = exchange->upload->write(bytes); !written) {
      Problem problem = problem_of(written.error());
      if (problem.status == 429) problem = {413, "body-too-large", problem.detail};
      return answer(id, problem);
    }
    server_->consumed(id, bytes.size());
    if (end && admit_again(id, *exchange)) sync_upload(id, *exchange);
    return;
  }
  CHECK(exchange->state == Exchange::State::kReading);
  if (exchange->match.route->operation == Operation::kSetSecret) {
    if (!gather_secret(*exchange, bytes))
      return answer(id, Problem{413, "body-too-large",
                                "read secret: larger than " +
                                    std::to_string(store::kObjectBytesMax) + " bytes"});
    server_->consumed(id, bytes.size());
    if (end && admit_again(id, *exchange)) run(id, *exchange);
    return;
  }
  if (exchange->body.size() + bytes.size() > kJsonBytesMax) {
    return answer(id,
                  Problem{413, "body-too-large",
                          "read body: larger than " + std::to_string(kJsonBytesMax) + " bytes"});
  }
  exchange->body += bytes;
  server_->consumed(id, bytes.size());
  if (end && admit_again(id, *exchange)) run(id, *exchange);
}

void ApiHandler::on_writable(ExchangeId id) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  exchange->full = false;
  if (exchange->state != Exchange::State::kStreaming) return;
  if (!may_go_on(*exchange)) return cut_off(id);
  const std::string lines = std::move(exchange->backlog);
  exchange->backlog.clear();
  if (!lines.empty()) exchange->full = !server_->body(id, lines, false);
}

void ApiHandler::on_abort(ExchangeId id) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  client_left(id, it->second);
  if (it->second.state == Exchange::State::kStreaming) --streams_;
  plane_.unsubscribe(it->second.subscription);
  exchanges_.erase(it);
}

bool ApiHandler::may_stream(ExchangeId id) {
  const std::string& token = find(id)->who.token_id;
  std::size_t of_token = 0;
  for (const auto& [other, exchange] : exchanges_) {
    const bool streams = exchange.state == Exchange::State::kStreaming || exchange.subscription ||
                         exchange.audit_lines;
    if (!token.empty() && streams && exchange.who.token_id == token) ++of_token;
  }
  std::string many;
  if (streams_ >= kStreamsMax) many = std::to_string(kStreamsMax) + " streams";
  if (of_token >= kStreamsPerTokenMax)
    many = std::to_string(kStreamsPerTokenMax) + " streams of this token";
  if (many.empty()) return true;
  answer(id, Problem{429, "too-many-streams", "watch: " + many + " are open already"});
  return false;
}

bool ApiHandler::may_go_on(const Exchange& exchange) const {
  return gate_ == nullptr || gate_->still_right(exchange.who);
}

// The client is told by the end of its connection.
void ApiHandler::cut_off(ExchangeId id) {
  server_->abort(id);
  on_abort(id);
}

// Of tokens that were revoked or expired since.
void ApiHandler::end_streams() {
  std::vector<ExchangeId> ended;
  bool more = false;
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange.state != Exchange::State::kStreaming || exchange.who.token_id.empty()) continue;
    if (may_go_on(exchange))
      more = true;
    else
      ended.push_back(id);
  }
  for (const ExchangeId id : ended) cut_off(id);
  if (more) check_.start(kStreamsCheckedEach);
}

// Answers with lines of JSON; unless `end` more follow by send_line().
void ApiHandler::begin_stream(ExchangeId id, Exchange& exchange, const std::string& lines,
                              bool end) {
  http::ResponseHead head{200, {{"content-type", "application/x-ndjson"}}, {}};
  if (end) return send(id, std::move(head), lines);
  transition(exchange, Exchange::State::kStreaming);
  ++streams_;
  if (!exchange.who.token_id.empty() && !check_.active()) check_.start(kStreamsCheckedEach);
  // The head leaves at once, so that the watcher knows that it watches.
  server_->respond(id, std::move(head), lines, false);
}

void ApiHandler::send_line(ExchangeId id, const std::string& json) {
  Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  if (!may_go_on(*exchange)) return cut_off(id);
  if (!exchange->full && exchange->state == Exchange::State::kStreaming) {
    exchange->full = !server_->body(id, json + "\n", false);
    return;
  }
  if (exchange->backlog.size() + json.size() >= kBacklogBytesMax) {
    if (exchange->state == Exchange::State::kWaiting) {  // for the node: it does nothing wrong
      ++exchange->missed;
      return;
    }
    // It does not read. Cutting it off tells it; leaving out lines would not.
    return cut_off(id);
  }
  exchange->backlog += json + "\n";
}

void ApiHandler::answer(ExchangeId id, int status, const std::string& json) {
  send(id, {status, {{"content-type", "application/json"}}, {}}, json + "\n");
}

void ApiHandler::answer(ExchangeId id, const Problem& problem) {
  if (Exchange* exchange = find(id)) exchange->problem = problem.type;
  send(id, {problem.status, {{"content-type", std::string(http::kProblemContentType)}}, {}},
       to_json(problem) + "\n");
}

void ApiHandler::send(ExchangeId id, http::ResponseHead&& head, const std::string& body) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return write_deserted(id, head.status);  // the client left meanwhile
  write_down(it->second, head.status);
  exchanges_.erase(it);
  head.content_length = body.size();
  server_->respond(id, std::move(head), body, true);
}

}  // namespace subito::api
