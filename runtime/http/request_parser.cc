#include "runtime/http/request_parser.h"

#include <algorithm>

#include "runtime/http/field_values.h"
#include "runtime/http/target.h"

namespace subito::http {

RequestParser::RequestParser(const ParserLimits& limits)
    : body_bytes_max_(limits.body_bytes_max),
      head_parser_(HeadParser::Kind::kRequest, limits),
      body_(limits) {}

Event RequestParser::next(std::string_view& input) {
  if (state_ == State::kRejected) return Event::kRejected;
  if (state_ == State::kHead) {
    const Event event = head_parser_.next(input);
    if (event == Event::kRejected) return reject(head_parser_.rejection());
    return event == Event::kHead ? finish_head() : event;
  }
  const Event event = body_.next(input);
  if (event == Event::kRejected) return reject(body_.rejection());
  if (event == Event::kEnd) {
    state_ = State::kHead;
    head_parser_.reset();
  }
  return event;
}

Event RequestParser::finish_head() {
  head_ = {};
  head_.method = head_parser_.method();
  head_.minor_version = head_parser_.minor_version();
  Rejection rejection = split_target(head_parser_.target(), head_);
  if (rejection.status == 0) rejection = read_fields();
  if (rejection.status == 0) rejection = settle_body();
  if (rejection.status != 0) return reject(rejection);
  drop_hop_by_hop_fields();
  head_.fields = std::move(head_parser_.fields());
  keep_alive_ = !close_ && (head_.minor_version == 1 || keep_alive_asked_);
  state_ = State::kBody;
  return Event::kHead;
}

Rejection RequestParser::read_fields() {
  hosts_ = 0;
  close_ = keep_alive_asked_ = expects_continue_ = false;
  named_by_connection_.clear();
  for (auto& [name, value] : head_parser_.fields()) {
    // The authority of an absolute target replaces the Host field: RFC 9112, 3.2.2.
    if (name == "host" && !head_.host.empty() && hosts_ == 0 && is_valid_authority(value)) {
      value = head_.host;
    }
    if (const Rejection rejection = read_field(name, value); rejection.status != 0) {
      return rejection;
    }
  }
  if (head_.minor_version == 1 && hosts_ == 0) return {400, "no Host field"};
  return {};
}

Rejection RequestParser::read_field(const std::string& name, std::string_view value) {
  if (name == "host") {
    if (++hosts_ > 1) return {400, "several Host fields"};
    if (!is_valid_authority(value)) return {400, "invalid Host"};
    head_.host = value;
  } else if (name == "content-length") {
    return read_length(value);
  } else if (name == "transfer-encoding") {
    if (head_.chunked) return {400, "several transfer-encodings"};
    if (!equal_ignoring_case(value, "chunked")) {
      return {400, "transfer-encoding other than chunked"};
    }
    head_.chunked = true;
  } else if (name == "connection") {
    read_connection(value);
  } else if (name == "expect" && head_.minor_version == 1) {
    // In HTTP/1.0 the field has no meaning: RFC 9110, 10.1.1.
    if (!equal_ignoring_case(value, "100-continue")) return {417, "unknown expectation"};
    expects_continue_ = true;
  }
  return {};
}

void RequestParser::read_connection(std::string_view value) {
  for_each_element(value, [this](std::string_view option) {
    if (equal_ignoring_case(option, "close")) {
      close_ = true;
    } else if (equal_ignoring_case(option, "keep-alive")) {
      keep_alive_asked_ = true;
    } else {
      std::string& name = named_by_connection_.emplace_back(option);
      std::transform(name.begin(), name.end(), name.begin(), to_lower);
    }
  });
}

Rejection RequestParser::read_length(std::string_view value) {
  const auto length = parse_length(value);
  if (!length || head_.content_length) return {400, "ambiguous or malformed content-length"};
  if (*length > body_bytes_max_) return {413, "the body is too large"};
  head_.content_length = *length;
  return {};
}

Rejection RequestParser::settle_body() {
  if (head_.chunked && head_.content_length) {
    return {400, "both content-length and transfer-encoding"};
  }
  if (head_.chunked && head_.minor_version == 0) return {400, "transfer-encoding in HTTP/1.0"};
  has_body_ = head_.chunked || head_.content_length.value_or(0) > 0;
  if (head_.chunked) {
    body_.start_chunked();
  } else {
    body_.start_length(head_.content_length.value_or(0));
  }
  // Nothing will be sent, so nothing is waited for.
  if (!has_body_) expects_continue_ = false;
  return {};
}

void RequestParser::drop_hop_by_hop_fields() {
  std::erase_if(head_parser_.fields(), [this](const auto& field) {
    const std::string& name = field.first;
    if (name == "expect" || is_connection_field(name)) return true;
    return name != "host" && std::find(named_by_connection_.begin(), named_by_connection_.end(),
                                       name) != named_by_connection_.end();
  });
}

Event RequestParser::reject(const Rejection& rejection) {
  rejection_ = rejection;
  state_ = State::kRejected;
  return Event::kRejected;
}

}  // namespace subito::http
