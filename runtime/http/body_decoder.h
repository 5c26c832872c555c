// BodyDecoder: takes the framing off the body of one message after the other (RFC 9112, 6 and 7).
// Stricter than the grammar's leniencies: sizes have a bounded number of digits, lines end in
// CRLF, extensions and trailers are bounded, looked through and dropped.
//
// Fed in any pieces; never keeps bytes. Used by one parser.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/http/head_gate.h"
#include "runtime/http/limits.h"

namespace subito::http {

class BodyDecoder {
 public:
  explicit BodyDecoder(const ParserLimits& limits);

  void start_length(std::uint64_t bytes);  // 0: no body
  void start_chunked();
  void start_until_close();  // answers only

  // Takes bytes from the front of `input`: kMore, kBody, kEnd or kRejected. After kEnd the input
  // stands behind the message; further calls say kEnd again.
  Event next(std::string_view& input);
  std::string_view piece() const { return piece_; }  // after kBody: a view into that input
  const Rejection& rejection() const { return rejection_; }
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t {
    kLength,
    kUntilClose,
    kSize,
    kExtensionStart,
    kExtension,
    kSizeLf,
    kChunk,
    kChunkCr,
    kChunkLf,
    kTrailers,
    kDone,
    kRejected,
  };

  Event take_body(std::string_view& input, State behind);
  Event take_trailers(std::string_view& input);
  Rejection step(char c);
  Rejection step_size(char c);
  Rejection step_extension(char c);
  Rejection end_size_line();
  Event reject(const Rejection& rejection);

  HeadGate trailers_;
  std::uint64_t body_bytes_max_;
  State state_ = State::kDone;
  std::uint64_t left_ = 0;   // of the body or the chunk
  std::uint64_t total_ = 0;  // delivered, and announced by the chunk being read
  std::size_t digits_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::string_view piece_;
  Rejection rejection_;
};

}  // namespace subito::http
