// TokenGuard: asks the gate for everything that is not the API's own: calls of functions, metrics.
// What it refuses goes to the audit log. Owned by the node, on the loop's thread.
#pragma once

#include <string>
#include <string_view>

#include "deploy/access/audit_log.h"
#include "deploy/access/gate.h"
#include "runtime/gateway/call_guard.h"
#include "runtime/loop/loop.h"

namespace subito::node {

class TokenGuard final : public gateway::CallGuard {
 public:
  // All outlive it.
  TokenGuard(Loop& loop, access::Gate& gate, access::AuditLog& audit)
      : loop_(loop), gate_(gate), audit_(audit) {}

  // Of a client of the gateway: by its token alone.
  tl::expected<std::string, Refusal> admit(std::string_view function, const http::Fields& fields,
                                           const server::Peer& peer) override;

  struct Wish {
    access::Verb verb = access::Verb::kInvoke;
    std::string name_space;   // "*": of the node
    std::string_view action;  // for the audit log
    std::string target;
  };
  // The token's name, empty for the owner. `socket`: it came over the Unix socket.
  tl::expected<std::string, access::Refusal> check(bool socket, const Wish& wish,
                                                   const http::Fields& fields,
                                                   const server::Peer& peer);

 private:
  void write_down(const access::Refusal& refusal, const Wish& wish, const server::Peer& peer);

  Loop& loop_;
  access::Gate& gate_;
  access::AuditLog& audit_;
};

}  // namespace subito::node
