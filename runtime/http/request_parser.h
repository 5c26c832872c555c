// RequestParser: HTTP/1.x requests out of the bytes of one connection (RFC 9112), strict: whatever
// two readers could understand in two ways is refused. Sans-IO, owned by the connection.
//
//   std::string_view input = bytes_read;
//   for (;;) switch (parser.next(input)) {
//     case Event::kMore:     return;                // all taken
//     case Event::kHead:     use(std::move(parser.head())); break;
//     case Event::kBody:     use(parser.body()); break;  // a view into the input
//     case Event::kEnd:      break;                 // pipelined: input stands at the next request
//     case Event::kRejected: answer(parser.rejection()); return;  // and close
//   }
//
// The events do not depend on how the input is cut, except that a body comes in other pieces.
// Trailers are checked, bounded and dropped. Upgrade is ignored.
#pragma once

#include <string_view>

#include "runtime/http/body_decoder.h"
#include "runtime/http/head_parser.h"
#include "runtime/http/limits.h"
#include "runtime/http/message.h"

namespace subito::http {

class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits);

  // Takes bytes from the front of `input` and tells what they were.
  Event next(std::string_view& input);

  RequestHead& head() { return head_; }  // from kHead on; to be moved away
  // From kHead to the next one: what the head says about this connection and body.
  bool has_body() const { return has_body_; }
  bool keep_alive() const { return keep_alive_; }              // by version and Connection
  bool expects_continue() const { return expects_continue_; }  // Expect: 100-continue
  std::string_view body() const { return body_.piece(); }
  const Rejection& rejection() const { return rejection_; }
  // The message is complete: next() will say kEnd without a further byte.
  bool at_end() const { return state_ == State::kBody && body_.done(); }
  // Between two requests: not a byte of the next has come.
  bool between_requests() const { return state_ == State::kHead && head_parser_.untouched(); }

 private:
  enum class State : std::uint8_t { kHead, kBody, kRejected };

  Event finish_head();
  Rejection read_fields();
  Rejection read_field(const std::string& name, std::string_view value);
  void read_connection(std::string_view value);
  Rejection read_length(std::string_view value);
  Rejection settle_body();
  void drop_hop_by_hop_fields();
  Event reject(const Rejection& rejection);

  std::uint64_t body_bytes_max_;
  HeadParser head_parser_;
  BodyDecoder body_;
  State state_ = State::kHead;
  RequestHead head_;
  bool has_body_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  // While a head is being read.
  int hosts_ = 0;
  bool close_ = false;
  bool keep_alive_asked_ = false;
  std::vector<std::string> named_by_connection_;
  Rejection rejection_;
};

}  // namespace subito::http
