#include "runtime/http/response_parser.h"

#include <utility>

#include "runtime/http/field_values.h"

namespace subito::http {

ResponseParser::ResponseParser(const ParserLimits& limits)
    : head_parser_(HeadParser::Kind::kResponse, limits), body_(limits) {}

Event ResponseParser::next(std::string_view& input) {
  if (state_ == State::kRejected) return Event::kRejected;
  if (state_ == State::kEnded)
    return input.empty() ? Event::kMore : reject({502, "bytes behind the last answer"});
  while (state_ == State::kHead) {
    const Event event = head_parser_.next(input);
    if (event == Event::kRejected) return reject(head_parser_.rejection());
    if (event != Event::kHead) return event;
    const int status = head_parser_.status();
    if (status / 100 != 1) return finish_head();
    if (status == 101) return reject({502, "switched protocols unasked"});
    head_parser_.reset();
  }
  const Event event = body_.next(input);
  if (event == Event::kRejected) return reject(body_.rejection());
  if (event == Event::kEnd) {
    state_ = State::kHead;
    head_parser_.reset();
  }
  return event;
}

Event ResponseParser::finish() {
  if (state_ == State::kHead && head_parser_.untouched()) return Event::kMore;
  if (state_ == State::kUntilClose) {
    state_ = State::kEnded;
    return Event::kEnd;
  }
  if (state_ == State::kEnded) return Event::kMore;
  return reject({502, "the connection was closed inside an answer"});
}

Event ResponseParser::finish_head() {
  head_ = {};
  head_.status = head_parser_.status();
  if (head_.status < 200 || head_.status > 599) return reject({502, "status out of range"});
  if (const Rejection rejection = read_fields(); rejection.status != 0) return reject(rejection);
  std::erase_if(head_parser_.fields(),
                [](const auto& field) { return is_connection_field(field.first); });
  head_.fields = std::move(head_parser_.fields());
  start_body();
  return Event::kHead;
}

Rejection ResponseParser::read_fields() {
  chunked_ = false;
  bool close = false;
  bool keep_alive_said = false;
  for (const auto& [name, value] : head_parser_.fields()) {
    if (name == "content-length") {
      const auto length = parse_length(value);
      if (!length || head_.content_length) return {502, "ambiguous or malformed content-length"};
      head_.content_length = length;
    } else if (name == "transfer-encoding") {
      if (chunked_ || !equal_ignoring_case(value, "chunked")) {
        return {502, "transfer-encoding other than chunked"};
      }
      chunked_ = true;
    } else if (name == "connection") {
      for_each_element(value, [&](std::string_view option) {
        close = close || equal_ignoring_case(option, "close");
        keep_alive_said = keep_alive_said || equal_ignoring_case(option, "keep-alive");
      });
    }
  }
  if (chunked_ && head_.content_length) return {502, "both content-length and transfer-encoding"};
  keep_alive_ = !close && (head_parser_.minor_version() == 1 || keep_alive_said);
  return {};
}

// RFC 9112, 6.3.
void ResponseParser::start_body() {
  state_ = State::kBody;
  if (std::exchange(no_body_, false) || head_.status == 204 || head_.status == 304) {
    body_.start_length(0);
  } else if (chunked_) {
    body_.start_chunked();
  } else if (head_.content_length) {
    body_.start_length(*head_.content_length);
  } else {
    body_.start_until_close();
    state_ = State::kUntilClose;
    keep_alive_ = false;
  }
}

Event ResponseParser::reject(const Rejection& rejection) {
  rejection_ = rejection;
  state_ = State::kRejected;
  return Event::kRejected;
}

}  // namespace subito::http
