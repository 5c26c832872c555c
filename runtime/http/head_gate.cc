#include "runtime/http/head_gate.h"

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/http/characters.h"

namespace subito::http {
namespace {

constexpr std::string_view kRequestVersion = "HTTP/#.#";  // '#': a digit
constexpr std::string_view kStatusLine = "HTTP/#.# ###";
constexpr std::size_t kMajorAt = 5;
constexpr std::size_t kMinorAt = 7;

Rejection bad(std::string_view reason) {
  return {400, reason};
}

}  // namespace

void HeadGate::reset() {
  state_ = kind_ == Kind::kTrailers ? State::kLineStart : State::kEmptyLines;
  bytes_ = headers_ = part_bytes_ = 0;
  empty_lines_ = 0;
  major_ = minor_ = 0;
}

HeadGate::Scan HeadGate::scan(std::string_view bytes) {
  const std::string_view allowed = bytes.substr(0, limits_.head_bytes_max - bytes_);
  std::size_t at = 0;
  while (at < allowed.size()) {
    at += skip_plain(allowed.substr(at));
    if (at == allowed.size()) break;
    if (const Rejection rejection = step(allowed[at]); rejection.status != 0) {
      return {at, false, rejection};
    }
    ++at;
    if (state_ == State::kDone) return {at, true, {}};
  }
  bytes_ += at;
  if (at < bytes.size()) return {at, false, {431, "the head is too large"}};
  return {at, false, {}};
}

// The long runs inside of names and values need no step each.
std::size_t HeadGate::skip_plain(std::string_view bytes) {
  if (state_ != State::kName && state_ != State::kValue) return 0;
  const CharacterClass wanted = state_ == State::kName ? kTokenChar : kValueChar;
  std::size_t at = 0;
  while (at < bytes.size() && is(wanted, bytes[at])) ++at;
  return at;
}

Rejection HeadGate::step(char c) {
  return state_ <= State::kStartLineLf ? step_start_line(c) : step_fields(c);
}

Rejection HeadGate::step_start_line(char c) {
  switch (state_) {
    case State::kEmptyLines:
      if (c == '\r') {
        if (++empty_lines_ > kEmptyLinesMax) return bad("too many empty lines before a message");
        state_ = State::kEmptyLineLf;
        return {};
      }
      state_ = kind_ == Kind::kRequest ? State::kMethod : State::kVersion;
      return step_start_line(c);
    case State::kEmptyLineLf:
      return expect_lf(c, State::kEmptyLines);
    case State::kMethod:
      return step_method(c);
    case State::kTarget:
      return step_target(c);
    case State::kVersion:
      return step_version(c);
    case State::kReason:
      if (is(kValueChar, c)) return {};
      if (c != '\r') return bad("invalid byte in the status line");
      state_ = State::kStartLineLf;
      return {};
    default:
      CHECK(state_ == State::kStartLineLf);
      return expect_lf(c, State::kLineStart);
  }
}

Rejection HeadGate::step_method(char c) {
  if (is(kTokenChar, c)) {
    ++part_bytes_;
    return {};
  }
  if (c != ' ' || part_bytes_ == 0) return bad("invalid method");
  state_ = State::kTarget;
  part_bytes_ = 0;
  return {};
}

Rejection HeadGate::step_target(char c) {
  if (is(kTargetChar, c)) {
    if (++part_bytes_ > limits_.target_bytes_max) return {414, "the request target is too long"};
    return {};
  }
  if (c != ' ' || part_bytes_ == 0) return bad("invalid byte in the request target");
  state_ = State::kVersion;
  part_bytes_ = 0;
  return {};
}

Rejection HeadGate::step_version(char c) {
  const std::string_view pattern = kind_ == Kind::kRequest ? kRequestVersion : kStatusLine;
  if (part_bytes_ < pattern.size()) {
    const char wanted = pattern[part_bytes_];
    if (wanted == '#' ? !is_digit(c) : c != wanted) return bad("malformed start line");
    if (part_bytes_ == kMajorAt) major_ = c;
    if (part_bytes_ == kMinorAt) minor_ = c;
    ++part_bytes_;
    return {};
  }
  if (kind_ == Kind::kResponse && c == ' ') {
    state_ = State::kReason;
    return check_version();
  }
  if (c != '\r') return bad("malformed start line");
  state_ = State::kStartLineLf;
  return check_version();
}

Rejection HeadGate::check_version() const {
  if (major_ == '1' && (minor_ == '0' || minor_ == '1')) return {};
  return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
}

Rejection HeadGate::step_fields(char c) {
  switch (state_) {
    case State::kLineStart:
      return step_line_start(c);
    case State::kName:
      if (c != ':') return bad("invalid byte in a field name");
      state_ = State::kValue;
      return {};
    case State::kValue:
      if (c != '\r') return bad(c == '\n' ? "bare LF" : "invalid byte in a field value");
      state_ = State::kValueLf;
      return {};
    case State::kValueLf:
      return expect_lf(c, State::kLineStart);
    default:
      CHECK(state_ == State::kEndLf);
      return expect_lf(c, State::kDone);
  }
}

Rejection HeadGate::step_line_start(char c) {
  if (c == '\r') {
    state_ = State::kEndLf;
    return {};
  }
  if (c == ' ' || c == '\t') return bad("folded field line");
  if (!is(kTokenChar, c)) return bad("invalid byte in a field name");
  if (++headers_ > limits_.headers_max) return {431, "too many fields"};
  state_ = State::kName;
  return {};
}

Rejection HeadGate::expect_lf(char c, State next) {
  if (c != '\n') return bad("bare CR");
  state_ = next;
  return {};
}

}  // namespace subito::http
