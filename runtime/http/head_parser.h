// HeadParser: start line and fields of one message after the other, by llhttp behind a HeadGate.
// What the fields mean is left to RequestParser and ResponseParser, each of which owns one.
#pragma once

#include <llhttp/llhttp.h>

#include <string>
#include <string_view>

#include "runtime/http/head_gate.h"
#include "runtime/http/limits.h"
#include "runtime/http/message.h"

namespace subito::http {

class HeadParser {
 public:
  enum class Kind { kRequest, kResponse };
  HeadParser(Kind kind, const ParserLimits& limits);

  // Forgets the head before. To be called before the first byte of each.
  void reset();
  // Takes bytes from the front of `input`: kMore, kHead or kRejected.
  Event next(std::string_view& input);
  bool untouched() const { return gate_.untouched(); }

  // Valid after kHead; names in lower case, values trimmed.
  std::string_view method() const;
  const std::string& target() const { return target_; }
  Fields& fields() { return fields_; }
  int status() const { return llhttp_.status_code; }
  int minor_version() const { return llhttp_.http_minor; }
  const Rejection& rejection() const { return rejection_; }

 private:
  struct Callbacks;
  Event reject(const Rejection& rejection);
  bool run(std::string_view bytes);

  Kind kind_;
  HeadGate gate_;
  llhttp_t llhttp_;
  std::string target_;
  Fields fields_;
  bool in_name_ = false;
  bool complete_ = false;
  Rejection rejection_;
};

}  // namespace subito::http
