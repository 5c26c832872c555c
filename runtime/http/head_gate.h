// HeadGate: stands before llhttp and lets through only what RFC 9112 allows byte by byte. llhttp
// is lenient where two readers of the same bytes may disagree (bare LF, folded lines, several
// spaces, RTSP and ICE versions): here all that is refused, and every limit on a head is held.
//
// A plain state machine, fed in any pieces; each byte is looked at once. It does not own or keep
// bytes. Used by one parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/http/limits.h"

namespace subito::http {

class HeadGate {
 public:
  enum class Kind { kRequest, kResponse, kTrailers };

  HeadGate(Kind kind, const ParserLimits& limits) : kind_(kind), limits_(limits) { reset(); }
  void reset();

  struct Scan {
    std::size_t good = 0;   // so many bytes passed
    bool complete = false;  // the last of them ends the head
    Rejection rejection;    // status 0: none; else what is wrong with the byte behind
  };
  Scan scan(std::string_view bytes);

  bool untouched() const { return bytes_ == 0; }  // no byte seen since reset()

 private:
  enum class State : std::uint8_t {
    kEmptyLines,
    kEmptyLineLf,
    kMethod,
    kTarget,
    kVersion,
    kReason,
    kStartLineLf,
    kLineStart,
    kName,
    kValue,
    kValueLf,
    kEndLf,
    kDone,
  };

  std::size_t skip_plain(std::string_view bytes);
  Rejection step(char c);
  Rejection step_start_line(char c);
  Rejection step_method(char c);
  Rejection step_target(char c);
  Rejection step_version(char c);
  Rejection step_fields(char c);
  Rejection step_line_start(char c);
  Rejection expect_lf(char c, State next);
  Rejection check_version() const;

  Kind kind_;
  ParserLimits limits_;
  State state_ = State::kEmptyLines;
  std::size_t bytes_ = 0;
  std::size_t headers_ = 0;
  std::size_t part_bytes_ = 0;  // of the method, target, version or name being read
  int empty_lines_ = 0;
  char major_ = 0;
  char minor_ = 0;
};

}  // namespace subito::http
