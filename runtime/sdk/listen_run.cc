#include "runtime/sdk/listen_run.h"

#include <utility>

#include "runtime/sdk/access.h"
#include "runtime/sdk/answer.h"

namespace subito::sdk {
namespace {

constexpr std::size_t kPieceBytesMax = 64 << 10;

std::string field_or(const http::RequestHead& head, std::string_view name, std::string other) {
  const std::string* value = http::find_field(head.fields, name);
  return value != nullptr ? *value : std::move(other);
}

RunIds ids_of(const http::RequestHead& head) {
  return {field_or(head, "x-request-id", new_request_id()), field_or(head, "traceparent", {})};
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

ListenRun::ListenRun(ListenService& service, ListenFunction& callee, ListenExchange& exchange)
    : ListenContext(service, callee, ids_of(exchange.head()), nullptr), exchange_(exchange) {}

void ListenRun::run() {
  Reader reader(exchange_);
  http::RequestHead& head = exchange_.head();
  Headers headers;
  for (auto& [name, value] : head.fields) headers.add(std::move(name), std::move(value));
  const Request request =
      RequestAccess::make(std::move(head.method), std::move(head.path), std::move(head.query),
                          std::move(headers), exchange_.has_body() ? &reader : nullptr);
  const Answer answer = run_handler(handler(), request, *this);
  if (answer.failure) log().error(describe(*answer.failure));
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
    if (answer.failure) log().error(describe(*answer.failure));
    if (!writer.begun()) {
      send(request, answer.response);
      return;
    }
    ListenExchange::Out out;
    out.abort = true;
    exchange_.send(std::move(out));
  }
}

}  // namespace subito::sdk
