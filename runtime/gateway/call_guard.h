// CallGuard: who may call a function that asks for a token. Implemented by the node; asked by the
// gateway before anything is queued or started.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "runtime/http/message.h"
#include "runtime/server/peer.h"

namespace subito::gateway {

// Where a token is shown: RFC 6750, 2.1. Who asked for it takes it away.
inline constexpr std::string_view kTokenField = "authorization";

class CallGuard {
 public:
  struct Refusal {
    int status = 401;
    std::string type;
    std::string detail;
    http::Fields fields;
  };
  virtual ~CallGuard() = default;
  // The name of whoever calls, or why not. `function`: its qualified name.
  virtual tl::expected<std::string, Refusal> admit(std::string_view function,
                                                   const http::Fields& fields,
                                                   const server::Peer& peer) = 0;
};

}  // namespace subito::gateway
