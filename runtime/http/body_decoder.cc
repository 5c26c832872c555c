#include "runtime/http/body_decoder.h"

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/http/characters.h"

namespace subito::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 15;  // keeps sums of sizes far from overflow

ParserLimits trailer_limits() {
  ParserLimits limits;
  limits.head_bytes_max = kTrailerBytesMax;
  limits.headers_max = kTrailersMax;
  return limits;
}

}  // namespace

BodyDecoder::BodyDecoder(const ParserLimits& limits)
    : trailers_(HeadGate::Kind::kTrailers, trailer_limits()),
      body_bytes_max_(limits.body_bytes_max) {}

void BodyDecoder::start_length(std::uint64_t bytes) {
  left_ = bytes;
  state_ = bytes == 0 ? State::kDone : State::kLength;
}

void BodyDecoder::start_chunked() {
  state_ = State::kSize;
  left_ = total_ = 0;
  digits_ = line_bytes_ = extension_bytes_ = 0;
  trailers_.reset();
}

void BodyDecoder::start_until_close() {
  state_ = State::kUntilClose;
  left_ = body_bytes_max_;
}

Event BodyDecoder::next(std::string_view& input) {
  while (state_ != State::kDone) {
    if (state_ == State::kRejected) return Event::kRejected;
    if (input.empty()) return Event::kMore;
    switch (state_) {
      case State::kLength:
        return take_body(input, State::kDone);
      case State::kUntilClose:
        if (left_ == 0) return reject({413, "the body is too large"});
        return take_body(input, State::kRejected);
      case State::kChunk:
        return take_body(input, State::kChunkCr);
      case State::kTrailers:
        if (const Event event = take_trailers(input); event != Event::kEnd) return event;
        break;
      default:
        if (const Rejection r = step(input.front()); r.status != 0) return reject(r);
        input.remove_prefix(1);
    }
  }
  return Event::kEnd;
}

Event BodyDecoder::take_body(std::string_view& input, State behind) {
  piece_ = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
  input.remove_prefix(piece_.size());
  left_ -= piece_.size();
  if (left_ == 0 && state_ != State::kUntilClose) state_ = behind;
  return Event::kBody;
}

Event BodyDecoder::take_trailers(std::string_view& input) {
  const HeadGate::Scan scan = trailers_.scan(input);
  if (scan.rejection.status != 0) return reject(scan.rejection);
  input.remove_prefix(scan.good);
  if (!scan.complete) return Event::kMore;
  state_ = State::kDone;
  return Event::kEnd;
}

Rejection BodyDecoder::step(char c) {
  switch (state_) {
    case State::kSize:
      return step_size(c);
    case State::kExtensionStart:
    case State::kExtension:
      return step_extension(c);
    case State::kSizeLf:
      if (c != '\n') return {400, "bare CR"};
      return end_size_line();
    case State::kChunkCr:
      if (c != '\r') return {400, "a chunk is longer than its size"};
      state_ = State::kChunkLf;
      return {};
    default:
      CHECK(state_ == State::kChunkLf);
      if (c != '\n') return {400, "bare CR"};
      state_ = State::kSize;
      digits_ = line_bytes_ = 0;
      return {};
  }
}

Rejection BodyDecoder::step_size(char c) {
  if (is(kHexChar, c)) {
    if (++digits_ > kSizeDigitsMax) return {400, "malformed chunk size"};
    left_ = left_ * 16 + static_cast<std::uint64_t>(hex_value(c));
    return {};
  }
  if (digits_ == 0) return {400, "malformed chunk size"};
  if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (c == ';') {
    state_ = State::kExtension;
  } else if (c == ' ' || c == '\t') {
    state_ = State::kExtensionStart;
  } else {
    return {400, "malformed chunk size"};
  }
  line_bytes_ = digits_;
  return {};
}

// An extension's inside is of no meaning here: only its bytes are checked, and how many they are.
Rejection BodyDecoder::step_extension(char c) {
  if (++line_bytes_ > kChunkLineBytesMax || ++extension_bytes_ > kChunkExtensionBytesMax) {
    return {400, "chunk extensions are too long"};
  }
  if (state_ == State::kExtensionStart) {
    if (c == ';') state_ = State::kExtension;
    if (c == ';' || c == ' ' || c == '\t') return {};
    return {400, "malformed chunk size"};
  }
  if (c == '\r') {
    state_ = State::kSizeLf;
    return {};
  }
  if (!is(kValueChar, c)) return {400, "invalid byte in a chunk extension"};
  return {};
}

Rejection BodyDecoder::end_size_line() {
  total_ += left_;
  if (total_ > body_bytes_max_) return {413, "the body is too large"};
  state_ = left_ == 0 ? State::kTrailers : State::kChunk;
  return {};
}

Event BodyDecoder::reject(const Rejection& rejection) {
  rejection_ = rejection;
  state_ = State::kRejected;
  return Event::kRejected;
}

}  // namespace subito::http
