// Names for requests: the request id and the W3C trace context. One source for each gateway, on its
// thread; the ids are unguessable enough to be unique, not to be a secret.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/traces/trace_context.h"

namespace subito::gateway {

class RequestNames {
 public:
  RequestNames();  // seeded by getrandom(2)

  // 16 hex digits.
  std::string request_id();
  // Which of the new traces are sampled; none unless it was set.
  void sample(const traces::Sampler& sampler) { sampler_ = sampler; }
  // A new trace: "00-<trace id>-<parent id>-01", 00 if it is not sampled.
  std::string traceparent();

 private:
  std::uint64_t next();
  std::array<std::uint64_t, 2> state_;
  traces::Sampler sampler_;
};

// A request id that a client may choose: 1 to 128 of [A-Za-z0-9._-].
bool is_request_id(std::string_view value);

}  // namespace subito::gateway
