// ControlFront: who answers what comes over the control socket. /function/NAME/... invokes the
// function as the operator: any function, whatever its ingress, and the paths of its triggers too.
// /metrics is what the node tells of itself. All else is the control API's.
//
// Owned by the node, on the loop's thread; the handlers are attached to the server that it stands
// in front of, and outlive it.
#pragma once

#include <string>
#include <utility>

#include "runtime/gateway/gateway.h"
#include "runtime/node/metrics/metrics_front.h"
#include "runtime/server/server.h"

namespace subito::node {

class ControlFront final : public server::Handler {
 public:
  ControlFront(server::Handler& api, gateway::Gateway& gateway, MetricsFront& metrics)
      : api_(api), gateway_(gateway), metrics_(metrics) {}

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override {
    server::Handler& to = head.path.starts_with("/function/") ? gateway_
                          : head.path == kMetricsPath         ? metrics_
                                                              : api_;
    to.on_request(id, std::move(head), end);
  }
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

  server::Handler& api_;
  gateway::Gateway& gateway_;
  MetricsFront& metrics_;
};

}  // namespace subito::node
