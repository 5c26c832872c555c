// ResponseParser: HTTP/1.x answers out of the bytes of one connection, for clients: the SDK's
// calls when a function serves by itself, tests and benchmarks. Sans-IO, owned by the connection.
//
// Used like RequestParser (request_parser.h). Before each answer tell what was asked; answers with
// status 1xx are skipped, but for 101, which is refused: nobody here asks for an upgrade.
#pragma once

#include <string_view>

#include "runtime/http/body_decoder.h"
#include "runtime/http/head_parser.h"
#include "runtime/http/limits.h"
#include "runtime/http/message.h"

namespace subito::http {

class ResponseParser {
 public:
  explicit ResponseParser(const ParserLimits& limits);

  // The answer to come is one to HEAD: it has no body, whatever its fields say. Holds for one.
  void expect_no_body() { no_body_ = true; }

  Event next(std::string_view& input);
  // The connection is at its end: kEnd if that ends a body without a length, kMore if no answer
  // has begun, else kRejected.
  Event finish();

  ResponseHead& head() { return head_; }           // from kHead on
  bool keep_alive() const { return keep_alive_; }  // from kHead on
  std::string_view body() const { return body_.piece(); }
  const Rejection& rejection() const { return rejection_; }

 private:
  enum class State : std::uint8_t { kHead, kBody, kUntilClose, kEnded, kRejected };

  Event finish_head();
  Rejection read_fields();
  void start_body();
  Event reject(const Rejection& rejection);

  HeadParser head_parser_;
  BodyDecoder body_;
  State state_ = State::kHead;
  ResponseHead head_;
  bool no_body_ = false;
  bool chunked_ = false;
  bool keep_alive_ = false;
  Rejection rejection_;
};

}  // namespace subito::http
