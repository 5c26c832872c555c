// RemoteApi: all that the control socket serves, by TLS, for other machines. Whoever comes this way
// must show a token that may; before open() none is.
//
// Owned by the node, on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "deploy/access/audit_log.h"
#include "deploy/access/gate.h"
#include "deploy/api/api_handler.h"
#include "runtime/gateway/gateway.h"
#include "runtime/node/control_front.h"
#include "runtime/node/metrics/metrics_front.h"
#include "runtime/server/secure.h"
#include "runtime/server/server.h"

namespace subito::node {

inline constexpr std::size_t kRemoteConnectionsMax = 128;
inline constexpr std::size_t kRemoteHandshakesMax = 32;  // at once

class RemoteApi {
 public:
  struct Parts {
    api::ControlPlane& plane;
    store::Store& store;
    gateway::Gateway& gateway;  // of its own
    MetricsPage::Parts page;
  };
  RemoteApi(Loop& loop, const Parts& parts);

  // All outlive it.
  void open(access::Gate& gate, access::AuditLog& audit, TokenGuard& guard) {
    api_.set_access(gate, &audit);
    front_.set_guard(guard, *server_, true);
  }
  Result<server::Address> listen(const server::Address& address, server::SecureContext& context) {
    return server_->listen_secure(address, context);
  }
  void drain() { server_->drain(); }
  std::size_t connections() const { return server_->connections(); }

 private:
  api::ApiHandler api_;
  gateway::Gateway& gateway_;
  MetricsFront metrics_;
  ControlFront front_;
  const std::unique_ptr<server::Server> server_;
};

}  // namespace subito::node
