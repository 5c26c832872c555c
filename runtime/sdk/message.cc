// Headers, Request, Response and the exceptions of subito/function.h.
#include <algorithm>
#include <utility>

#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/text.h"

namespace subito {
namespace {

// A body that is in memory already, in pieces no larger than those of a channel.
class StringReader final : public BodyReader {
 public:
  explicit StringReader(const std::string& body) : rest_(body) {}
  std::string read() override {
    std::string piece(rest_.substr(0, 64 << 10));
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
};

Response with_type(std::string_view type, std::string body, int status) {
  Response response(status);
  response.header("content-type", std::string(type));
  response.body() = std::move(body);
  return response;
}

}  // namespace

Headers::Headers(std::initializer_list<std::pair<std::string, std::string>> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

void Headers::add(std::string name, std::string value) {
  if (!sdk::is_token(name)) throw std::invalid_argument("set header: its name is none in HTTP");
  if (!sdk::is_field_value(value)) {
    throw std::invalid_argument("set header " + name + ": its value has a control character");
  }
  fields_.emplace_back(sdk::lower_case(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  std::erase_if(fields_,
                [&](const auto& field) { return sdk::equal_without_case(field.first, name); });
  add(std::move(name), std::move(value));
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& field : fields_) {
    if (sdk::equal_without_case(field.first, name)) return field.second;
  }
  return std::nullopt;
}

HttpError::HttpError(int status, std::string type, std::string detail)
    : std::runtime_error(detail), status_(status), type_(std::move(type)) {}

CallError::CallError(std::string type, const std::string& message)
    : std::runtime_error(message), type_(std::move(type)) {}

Request::Request(std::string method, std::string target, Headers headers, std::string body)
    : method_(std::move(method)), headers_(std::move(headers)), body_(std::move(body)) {
  if (!sdk::is_token(method_)) throw std::invalid_argument("make request: its method is none");
  if (target.empty() || target.front() == '?') target.insert(0, "/");
  if (!sdk::is_target(target)) {
    throw std::invalid_argument(
        "make request: its target does not begin with / or has a space or a byte that HTTP does "
        "not allow there; write it as %XX");
  }
  const auto mark = target.find('?');
  path_ = target.substr(0, mark);
  if (mark != std::string::npos) query_ = target.substr(mark + 1);
}

std::optional<std::string> Request::query(std::string_view name) const {
  std::string_view rest = query_;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (sdk::percent_decode(pair.substr(0, equals), true) != name) continue;
    if (equals == std::string_view::npos) return std::string();
    return sdk::percent_decode(pair.substr(equals + 1), true);
  }
  return std::nullopt;
}

const std::string& Request::param(std::string_view name) const {
  const auto at = params_.find(name);
  if (at == params_.end()) {
    throw std::out_of_range("read parameter " + std::string(name) + ": the route has none");
  }
  return at->second;
}

const std::string& Request::body() const {
  if (body_read_) return body_;
  for (std::string piece = reader_->read(); !piece.empty(); piece = reader_->read()) {
    if (body_.size() + piece.size() > kBodyBytesMax) {
      body_.clear();
      throw HttpError(413, "body-too-large",
                      "the body is over " + std::to_string(kBodyBytesMax) + " bytes");
    }
    body_ += piece;
  }
  body_read_ = true;
  return body_;
}

BodyReader& Request::stream() const {
  if (!body_read_) return *reader_;
  if (!own_reader_) own_reader_ = std::make_unique<StringReader>(body_);
  return *own_reader_;
}

Response Response::text(std::string body, int status) {
  return with_type("text/plain; charset=utf-8", std::move(body), status);
}

std::string json_string(std::string_view text) {
  std::string out;
  sdk::append_json_string(out, text);
  return out;
}

Response Response::json(std::string body, int status) {
  return with_type("application/json", std::move(body), status);
}

Response Response::html(std::string body, int status) {
  return with_type("text/html; charset=utf-8", std::move(body), status);
}

Response Response::problem(int status, std::string_view type, std::string_view detail) {
  std::string body = "{\"type\":";
  sdk::append_json_string(body, type);
  body += ",\"title\":";
  sdk::append_json_string(body, sdk::status_title(status));
  body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  sdk::append_json_string(body, detail);
  body += "}\n";
  return with_type("application/problem+json", std::move(body), status);
}

Response Response::stream(std::string content_type, Writer writer, int status) {
  Response response(status);
  response.header("content-type", std::move(content_type));
  response.writer_ = std::move(writer);
  return response;
}

Response& Response::header(std::string name, std::string value) & {
  if (sdk::equal_without_case(name, "set-cookie")) {
    headers_.add(std::move(name), std::move(value));
  } else {
    headers_.set(std::move(name), std::move(value));
  }
  return *this;
}

Response&& Response::header(std::string name, std::string value) && {
  return std::move(header(std::move(name), std::move(value)));
}

std::chrono::milliseconds Context::time_left() const {
  const auto left = deadline() - std::chrono::steady_clock::now();
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(left));
}

Response Context::call(std::string_view function, const Request& request) {
  return start_call(function, request).get();
}

PendingCall::UnderWay& PendingCall::under_way() const {
  if (under_way_ == nullptr) throw std::logic_error("wait for a call: its answer was taken");
  return *under_way_;
}

Response PendingCall::get() {
  static_cast<void>(under_way());
  const auto call = std::move(under_way_);
  return call->take();
}

bool PendingCall::wait_for(std::chrono::milliseconds time) {
  return under_way().wait_for(time);
}

}  // namespace subito
