// ClosedFront: refuses all that comes over the control API's TLS port, because nobody can show yet
// that he may. Owned by the node, on the loop's thread.
#pragma once

#include <string>
#include <utility>

#include "runtime/http/problem.h"
#include "runtime/server/server.h"

namespace subito::node {

class ClosedFront final : public server::Handler {
 public:
  void attach(server::Server& server) { server_ = &server; }

  void on_request(server::ExchangeId id, http::RequestHead&&, bool) override {
    http::ResponseHead head{401, {{"www-authenticate", "Bearer realm=\"subito\""}}, {}};
    head.fields.emplace_back("content-type", http::kProblemContentType);
    server_->respond(id, std::move(head),
                     http::problem_json(401, "unauthorized", "call node: it takes no tokens"),
                     true);
  }
  void on_body(server::ExchangeId, std::string_view, bool) override {}
  void on_writable(server::ExchangeId) override {}
  void on_abort(server::ExchangeId) override {}

 private:
  server::Server* server_ = nullptr;
};

}  // namespace subito::node
