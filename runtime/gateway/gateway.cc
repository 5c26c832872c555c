#include "runtime/gateway/gateway.h"

#include <cstdio>
#include <utility>

#include "runtime/base/secret_memory.h"
#include "runtime/http/problem.h"

namespace subito::gateway {
namespace {

// Live: the loop turns. Ready: send traffic here.
constexpr std::string_view kLivePath = "/healthz";
constexpr std::string_view kReadyPath = "/readyz";
constexpr const char* kRatePolicy = "ratelimit-policy";
constexpr const char* kRateLimit = "ratelimit";

// In front of what an answer of ours tells: a client cannot see who made it.
constexpr char kWhoAnswers[] = "the node answers: ";

// RFC 9209: an answer that was made on the way says so, and why. By the words of its section 2.3.
std::string proxy_status(int status) {
  switch (status) {
    case 404:
      return "subito; error=destination_not_found";
    case 429:
      return "subito; error=connection_limit_reached";
    case 502:
      return "subito; error=connection_terminated";
    case 503:
      return "subito; error=destination_unavailable";
    case 504:
      return "subito; error=http_response_timeout";
    default:
      return status < 500 ? "subito; error=http_request_error"
                          : "subito; error=proxy_internal_error";
  }
}

// Takes the field away; its first value if there was one.
std::optional<std::string> take_field(http::Fields& fields, std::string_view name) {
  std::optional<std::string> value;
  std::erase_if(fields, [&](auto& field) {
    if (field.first != name) return false;
    if (!value) value = std::move(field.second);
    return true;
  });
  return value;
}

// Nobody behind the gateway sees it, and it does not stay in memory.
void take_token(http::Fields& fields) {
  wipe_values(fields, kTokenField);
  take_field(fields, kTokenField);
}

// Takes the fields away; all their values as one list, in order: RFC 9110, section 5.3.
std::string take_list(http::Fields& fields, std::string_view name) {
  std::string list;
  std::erase_if(fields, [&](auto& field) {
    if (field.first != name) return false;
    if (!list.empty() && !field.second.empty()) list += ',';
    list += field.second;
    return true;
  });
  return list;
}

// Of the node's limits; a function that has none here may tell of its own.
void add_rate_fields(http::Fields& fields, RateFields&& rate) {
  if (rate.policy.empty()) return;
  take_field(fields, kRatePolicy);
  take_field(fields, kRateLimit);
  fields.emplace_back(kRatePolicy, std::move(rate.policy));
  fields.emplace_back(kRateLimit, std::move(rate.limit));
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

http::ResponseHead head_of(int status, std::string_view content_type) {
  http::ResponseHead head;
  head.status = status;
  head.fields.emplace_back("content-type", content_type);
  return head;
}

http::ResponseHead problem_head(int status) {
  http::ResponseHead head = head_of(status, http::kProblemContentType);
  head.fields.emplace_back("proxy-status", proxy_status(status));
  return head;
}

}  // namespace

std::string server_timing(const Timing& timing) {
  char out[160];
  if (timing.start_kind.empty()) {
    std::snprintf(out, sizeof out, "queue;dur=%.3f", milliseconds(timing.queue));
    return out;
  }
  std::snprintf(out, sizeof out, "queue;dur=%.3f, start;desc=%.*s;dur=%.3f, handler;dur=%.3f",
                milliseconds(timing.queue), static_cast<int>(timing.start_kind.size()),
                timing.start_kind.data(), milliseconds(timing.start), milliseconds(timing.handler));
  return out;
}

void Gateway::set_routes(std::shared_ptr<const RouteTable> table) {
  table_ = std::move(table);
  meters_.set_routes(table_->routes.names());
}

void Gateway::on_request_of(std::string subject, server::ExchangeId id, http::RequestHead&& head,
                            bool end) {
  std::string request_id = take_field(head.fields, "x-request-id").value_or("");
  if (!is_request_id(request_id)) request_id = names_.request_id();
  if (head.path == kLivePath) {
    return respond_whole(id, head_of(200, "text/plain; charset=utf-8"), request_id, "ok\n");
  }
  if (head.path == kReadyPath) return ask_ready(id, request_id);
  if (tables_ && tables_->look()) set_routes(tables_->value());
  auto target = table_->routes.find(head.path, head.host);
  if (!target) {
    const bool missing = target.error().code == ErrorCode::kNotFound;
    const int status = missing ? 404 : 400;
    meters_.count(RouteMeters::kNone, status, {});
    const std::string body =
        http::problem_json(status, missing ? "function-not-found" : "ambiguous-path",
                           kWhoAnswers + target.error().message);
    return respond_whole(id, problem_head(status), request_id, body);
  }
  if ((!table_->guarded.empty() || !subject.empty()) &&
      !admit(id, head, *target, request_id, subject))
    return;
  Exchange& exchange = exchanges_[id.value()];
  exchange.meter = meters_.meter_of(target->route);
  const bool asked = guard_ != nullptr || !subject.empty();
  const std::string* guarded = asked ? nullptr : guarded_as(target->function);
  Invocation invocation = make_invocation(std::move(head), *std::move(target), end);
  if (guarded != nullptr) invocation.guarded_as = *guarded;
  invocation.subject = std::move(subject);
  invocation.request_id = request_id;
  invocation.client_address = server_->peer(id).address;
  exchange.request_id = std::move(request_id);
  exchange.invocation = invoker_.invoke(*this, id.value(), std::move(invocation));
}

bool Gateway::admit(server::ExchangeId id, http::RequestHead& head, const Target& target,
                    const std::string& request_id, std::string& subject) {
  if (subject.empty()) {
    if (guard_ == nullptr) return true;  // whoever invokes it asks
    const std::string* guarded = guarded_as(target.function);
    if (guarded == nullptr) return true;
    auto admitted = guard_->admit(*guarded, head.fields, server_->peer(id));
    take_token(head.fields);
    if (!admitted) {
      CallGuard::Refusal& why = admitted.error();
      meters_.count(meters_.meter_of(target.route), why.status, {});
      http::ResponseHead refused = problem_head(why.status);
      for (auto& field : why.fields) refused.fields.push_back(std::move(field));
      respond_whole(id, std::move(refused), request_id,
                    http::problem_json(why.status, why.type, kWhoAnswers + why.detail));
      return false;
    }
    subject = *std::move(admitted);
  }
  take_token(head.fields);
  return true;
}

const std::string* Gateway::guarded_as(FunctionId function) const {
  const auto guarded = table_->guarded.find(function);
  return guarded == table_->guarded.end() ? nullptr : &guarded->second;
}

// Meanwhile the client may leave: then the server knows the exchange no more.
void Gateway::ask_ready(server::ExchangeId id, const std::string& request_id) {
  if (!ask_readiness_) return tell_ready(id, request_id, "");
  ask_readiness_(
      [this, id, request_id](const std::string& why_not) { tell_ready(id, request_id, why_not); });
}

void Gateway::tell_ready(server::ExchangeId id, const std::string& request_id,
                         const std::string& why_not) {
  if (why_not.empty()) {
    return respond_whole(id, head_of(200, "text/plain; charset=utf-8"), request_id, "ready\n");
  }
  respond_whole(id, problem_head(503), request_id,
                http::problem_json(503, "not-ready", kWhoAnswers + why_not));
}

// An answer of the gateway's own.
void Gateway::respond_whole(server::ExchangeId id, http::ResponseHead head,
                            const std::string& request_id, const std::string& body) {
  head.content_length = body.size();
  head.fields.emplace_back("x-request-id", request_id);
  server_->respond(id, std::move(head), body, true);
}

Invocation Gateway::make_invocation(http::RequestHead&& head, Target&& target, bool end) {
  Invocation invocation;
  invocation.function = target.function;
  invocation.origin = origin_;
  invocation.method = std::move(head.method);
  invocation.path = std::move(target.path);
  invocation.query = std::move(head.query);
  invocation.fields = std::move(head.fields);
  invocation.content_length = head.content_length;
  invocation.body_follows = !end;
  auto parent =
      traces::normal_traceparent(take_field(invocation.fields, "traceparent").value_or(""));
  invocation.tracestate = take_list(invocation.fields, "tracestate");
  if (parent) {
    invocation.traceparent = *std::move(parent);
  } else {
    invocation.traceparent = names_.traceparent();
    invocation.trace_is_new = true;
    invocation.tracestate.clear();
  }
  return invocation;
}

Gateway::Exchange* Gateway::find(CallerToken token) {
  const auto it = exchanges_.find(token);
  return it == exchanges_.end() ? nullptr : &it->second;
}

void Gateway::on_body(server::ExchangeId id, std::string_view bytes, bool end) {
  if (const Exchange* exchange = find(id.value())) {
    invoker_.body(exchange->invocation, bytes, end);
  } else {
    server_->consumed(id, bytes.size());  // answered already: the rest is of no interest
  }
}

void Gateway::on_writable(server::ExchangeId id) {
  if (const Exchange* exchange = find(id.value())) invoker_.resume(exchange->invocation);
}

void Gateway::on_abort(server::ExchangeId id) {
  const Exchange* exchange = find(id.value());
  if (exchange == nullptr) return;
  invoker_.abort(exchange->invocation);
  if (!exchange->answering) meters_.count(exchange->meter, 0, {});
  exchanges_.erase(id.value());
}

std::string Gateway::request_id(server::ExchangeId id) {
  const Exchange* exchange = find(id.value());
  return exchange == nullptr ? names_.request_id() : exchange->request_id;
}

bool Gateway::on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) {
  Exchange* exchange = find(token);
  if (exchange == nullptr) return true;
  exchange->answering = true;
  meters_.count(exchange->meter, answer.head.status, answer.timing);
  take_field(answer.head.fields, "x-request-id");
  take_field(answer.head.fields, "server-timing");
  take_field(answer.head.fields, "proxy-status");
  answer.head.fields.emplace_back("x-request-id", exchange->request_id);
  answer.head.fields.emplace_back("server-timing", server_timing(answer.timing));
  add_rate_fields(answer.head.fields, std::move(answer.rate_fields));
  if (end) exchanges_.erase(token);
  // One frame's body is well below the server's high-water mark.
  server_->respond(server::ExchangeId(token), std::move(answer.head), body, end);
  return true;
}

bool Gateway::on_answer_body(CallerToken token, std::string_view bytes, bool end) {
  if (find(token) == nullptr) return true;
  if (end) exchanges_.erase(token);
  return server_->body(server::ExchangeId(token), bytes, end);
}

void Gateway::on_answer_abort(CallerToken token) {
  if (exchanges_.erase(token) > 0) server_->abort(server::ExchangeId(token));
}

void Gateway::on_failure(CallerToken token, Failure&& failure) {
  const Exchange* exchange = find(token);
  if (exchange == nullptr) return;
  const std::string body =
      http::problem_json(failure.status, failure.type, kWhoAnswers + failure.detail);
  http::ResponseHead head = problem_head(failure.status);
  head.fields.emplace_back("server-timing", server_timing(failure.timing));
  if (failure.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*failure.retry_after).count();
    head.fields.emplace_back("retry-after", std::to_string(seconds));
  }
  for (auto& field : failure.fields) head.fields.push_back(std::move(field));
  add_rate_fields(head.fields, std::move(failure.rate_fields));
  meters_.count(exchange->meter, failure.status, failure.timing);
  const std::string request_id = exchange->request_id;
  exchanges_.erase(token);
  respond_whole(server::ExchangeId(token), std::move(head), request_id, body);
}

void Gateway::on_consumed(CallerToken token, std::size_t bytes) {
  server_->consumed(server::ExchangeId(token), bytes);
}

}  // namespace subito::gateway
