// ControlFront: who answers what comes over the control socket, or over the network to the API.
// /function/NAME/... invokes the function as the operator: any function, whatever its ingress, and
// the paths of its triggers too. /metrics is what the node tells of itself. All else is the control
// API's, which asks itself who may; of the other two that is asked here.
//
// Owned by the node, on the loop's thread; the handlers are attached to the server that it stands
// in front of, and outlive it.
#pragma once

#include <string>

#include "runtime/gateway/gateway.h"
#include "runtime/node/metrics/metrics_front.h"
#include "runtime/node/token_guard.h"
#include "runtime/server/server.h"

namespace subito::node {

class ControlFront final : public server::Handler {
 public:
  ControlFront(server::Handler& api, gateway::Gateway& gateway, MetricsFront& metrics)
      : api_(api), gateway_(gateway), metrics_(metrics) {}

  // `server`: the one it stands in front of. `remote`: each request needs a token; else the owner
  // of the Unix socket needs none. Without a guard whoever may connect may do everything.
  void set_guard(TokenGuard& guard, server::Server& server, bool remote) {
    guard_ = &guard;
    server_ = &server;
    remote_ = remote;
  }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override;
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override {
    owner(id).on_body(id, bytes, end);
  }
  void on_writable(server::ExchangeId id) override { owner(id).on_writable(id); }
  void on_abort(server::ExchangeId id) override { owner(id).on_abort(id); }
  std::string request_id(server::ExchangeId id) override { return owner(id).request_id(id); }

 private:
  // What the gateway has answered to its end is of no interest to anybody.
  server::Handler& owner(server::ExchangeId id) {
    if (metrics_.has(id)) return metrics_;
    return gateway_.has(id) ? gateway_ : api_;
  }
  void refuse(server::ExchangeId id, const access::Refusal& refusal);

  server::Handler& api_;
  gateway::Gateway& gateway_;
  MetricsFront& metrics_;
  TokenGuard* guard_ = nullptr;
  server::Server* server_ = nullptr;
  bool remote_ = false;
};

}  // namespace subito::node
