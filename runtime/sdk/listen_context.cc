#include "runtime/sdk/listen_context.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "runtime/sdk/access.h"
#include "runtime/sdk/answer.h"
#include "runtime/sdk/logger.h"
#include "runtime/sdk/refusals.h"

namespace subito::sdk {
namespace {

// How long a wait may not notice that the client has left.
constexpr int kNoticeCancelWithinMs = 50;
constexpr std::size_t kPieceBytesMax = 64 << 10;

std::string new_request_id() {
  std::uint64_t random = 0;
  static_cast<void>(::getrandom(&random, sizeof random, 0) < 0);
  char text[17];
  return {text, std::to_chars(text, text + sizeof text, random, 16).ptr};
}

std::string field_or(const http::RequestHead& head, std::string_view name, std::string other) {
  const std::string* value = http::find_field(head.fields, name);
  return value != nullptr ? *value : std::move(other);
}

http::ResponseHead head_of(const Response& response) {
  http::ResponseHead head;
  head.status = response.status();
  for (const auto& field : response.headers().fields()) {
    if (!is_runtime_header(field.first)) head.fields.push_back(field);
  }
  return head;
}

}  // namespace

class ListenRun::Reader final : public BodyReader {
 public:
  explicit Reader(ListenExchange& exchange) : exchange_(exchange) {}
  std::string read() override { return exchange_.read_body(kPieceBytesMax); }

 private:
  ListenExchange& exchange_;
};

class ListenRun::Writer final : public BodyWriter {
 public:
  Writer(ListenExchange& exchange, http::ResponseHead head)
      : exchange_(exchange), head_(std::move(head)) {}

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto piece = bytes.substr(0, kPieceBytesMax);
      send(piece, false);
      bytes.remove_prefix(piece.size());
    }
  }
  void finish() { send({}, true); }
  bool begun() const { return !head_.has_value(); }

 private:
  void send(std::string_view bytes, bool end) {
    ListenExchange::Out out;
    out.head = head_;
    out.body = bytes;
    out.end = end;
    exchange_.send(std::move(out));
    head_.reset();
  }

  ListenExchange& exchange_;
  std::optional<http::ResponseHead> head_;
};

ListenRun::ListenRun(ListenService& service, ListenExchange& exchange)
    : service_(service),
      exchange_(exchange),
      request_id_(field_or(exchange.head(), "x-request-id", new_request_id())),
      traceparent_(field_or(exchange.head(), "traceparent", {})) {}

void ListenRun::run() {
  Reader reader(exchange_);
  http::RequestHead& head = exchange_.head();
  Headers headers;
  for (auto& [name, value] : head.fields) headers.add(std::move(name), std::move(value));
  const Request request =
      RequestAccess::make(std::move(head.method), std::move(head.path), std::move(head.query),
                          std::move(headers), exchange_.has_body() ? &reader : nullptr);
  const Answer answer = run_handler(service_.handler, request, *this);
  if (answer.failure) logger_.error(describe(*answer.failure));
  send(request, answer.response);
}

void ListenRun::send(const Request& request, const Response& response) {
  if (response.writer() && request.method() != "HEAD") {
    send_streamed(request, response);
    return;
  }
  ListenExchange::Out out;
  out.head = head_of(response);
  if (!response.writer()) out.head->content_length = response.body().size();
  if (request.method() != "HEAD") out.body = response.body();
  out.end = true;
  exchange_.send(std::move(out));
}

void ListenRun::send_streamed(const Request& request, const Response& response) {
  Writer writer(exchange_, head_of(response));
  try {
    response.writer()(writer);
    writer.finish();
  } catch (...) {
    const Answer answer = answer_exception();
    if (answer.failure) logger_.error(describe(*answer.failure));
    if (!writer.begun()) {
      send(request, answer.response);
      return;
    }
    ListenExchange::Out out;
    out.abort = true;
    exchange_.send(std::move(out));
  }
}

std::optional<std::string> ListenRun::setting(std::string_view name) const {
  return environment_setting(name);
}

void ListenRun::wait_for(int fd, short events) {
  wait_until(fd, events, ListenDeadline::max());
}

bool ListenRun::wait_until(int fd, short events, ListenDeadline until) {
  for (;;) {
    if (exchange_.cancelled()) throw Cancelled("the invocation is over");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::min(deadline(), until) - std::chrono::steady_clock::now());
    pollfd watched = {fd, events, 0};
    const auto wait = std::clamp<std::int64_t>(left.count() + 1, 0, kNoticeCancelWithinMs);
    if (::poll(&watched, 1, static_cast<int>(wait)) > 0) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
  }
}

Redis& ListenRun::redis(std::string_view name) {
  for (const auto& client : redis_) {
    if (client->binding() == name) return *client;
  }
  const auto endpoint = redis_endpoint(name);
  const std::string binding(name);
  if (!endpoint) {
    refuse_binding("redis", name,
                   "with --listen set REDIS_URL or REDIS_URL_<BINDING>: redis://127.0.0.1:6379 or "
                   "unix:/path");
  }
  const auto prefix = environment("REDIS_PREFIX", {}).value_or(service_.name + ":");
  redis_.push_back(std::make_unique<RedisClient>(
      binding, prefix, service_.redis,
      [this, binding, endpoint = *endpoint] { return dial_redis(binding, endpoint, *this); },
      *this));
  return *redis_.back();
}

int ListenRun::connect(std::string_view name) {
  const auto endpoint = tcp_endpoint(name);
  if (!endpoint) {
    refuse_binding("tcp", name,
                   "with --listen set TCP_<BINDING>_ADDRESS: 127.0.0.1:25 or unix:/path");
  }
  UniqueFd fd = connect_endpoint(name, *endpoint, *this);
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  return fd.release();
}

PendingCall ListenRun::start_call(std::string_view function, const Request& request) {
  Headers onward;
  if (!request.header("x-request-id")) onward.add("x-request-id", request_id_);
  if (!traceparent_.empty() && !request.header("traceparent")) {
    onward.add("traceparent", traceparent_);
  }
  return service_.client.start(function, request, onward, *this);
}

void ListenRun::LineLogger::write(int level, std::string_view message, Fields fields) {
  const auto line = as_json_line(level, message, fields_as_json(fields), owner_.request_id_);
  static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()) < 0);
}

}  // namespace subito::sdk
