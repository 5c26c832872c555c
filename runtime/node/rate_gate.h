// RateGate: rate limits as the node asks them: who the caller of an invocation is, what a refusal
// says, and what the fields RateLimit-Policy and RateLimit tell clients.
//
// Owned by the engine, on the loop's thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "deploy/api/control_plane.h"
#include "runtime/gateway/invoker.h"
#include "runtime/node/meters.h"
#include "runtime/node/revision.h"
#include "scheduler/rate_limits.h"

namespace subito::node {

class RateGate {
 public:
  // `revision`: the current one of its function, whose limits hold for all that serve.
  void put(const Revision& revision, TimePoint now);
  void remove(FunctionId function) { limits_.remove(function); }
  void set_namespace_rate(const std::string& name_space, std::optional<scheduler::Rate> rate,
                          TimePoint now) {
    limits_.set_namespace_rate(name_space, rate, now);
  }
  // Whether any limit holds for it: only then is admit() worth a call.
  bool limits(FunctionId function) const { return limits_.limits(function); }

  struct Admission {
    std::optional<scheduler::RateLimitKind> refused_by;
    Failure failure;    // of a refusal
    RateFields fields;  // empty: no limit was asked
  };
  // `calling`: the name of the function that calls; empty: none does.
  Admission admit(const Invocation& invocation, std::string_view calling, TimePoint now);

  // Null meters: it has none of its own.
  std::vector<api::RateLimitView> views(const Revision& revision,
                                        const FunctionMeters* meters) const;

 private:
  scheduler::RateLimits limits_;
};

// Who shares a bucket: a function by its name, a token by its name, a client by its address, of
// IPv6 the first 64 bits: a network of them is one customer's (RFC 6177).
std::string rate_key(const Invocation& invocation, std::string_view calling);
// Triggers are the node's own, and the owner of the machine is not held up by what holds clients;
// a token that came that way is.
bool is_rate_limited(const Invocation& invocation);
// As draft-ietf-httpapi-ratelimit-headers-11 has them: a policy's window is in whole seconds, so
// its quota is that of the shortest such window; `t` is when there is one more, left out when
// there is nothing more to come.
RateFields rate_fields(const scheduler::RateVerdict& verdict);

}  // namespace subito::node
