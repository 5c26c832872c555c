// Gateway: the HTTP front of a node. Finds the function of a request, makes an Invocation of it and
// turns what comes back into an HTTP answer. Knows routes and HTTP; knows neither pods nor queues.
//
// Lives on one loop's thread, beside the Server that feeds it. Several gateways on several loops
// would share nothing: routes are a copy each.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/gateway/call_guard.h"
#include "runtime/gateway/invoker.h"
#include "runtime/gateway/request_id.h"
#include "runtime/gateway/route_meters.h"
#include "runtime/gateway/routes.h"
#include "runtime/server/server.h"

namespace subito::gateway {

class Gateway final : public server::Handler, private Caller {
 public:
  // `origin`: of all that comes in here.
  explicit Gateway(Invoker& invoker, Origin origin = Origin::kClient)
      : invoker_(invoker), origin_(origin) {}

  // Before the first request; the server calls this object and outlives its exchanges.
  void attach(server::Server& server) { server_ = &server; }
  void set_routes(Routes routes) {
    routes_ = std::move(routes);
    meters_.set_routes(routes_.names());
  }
  // Functions that ask for a token, with their qualified names; the guard outlives the gateway.
  using Guarded = std::unordered_map<FunctionId, std::string>;
  void set_guard(CallGuard& guard) { guard_ = &guard; }
  void set_guarded(Guarded guarded) { guarded_ = std::move(guarded); }
  // Why the node is not ready, for who asks at /readyz; empty: it is. Absent: it always is.
  void set_readiness(std::function<std::string()> why_not) { why_not_ready_ = std::move(why_not); }
  const RouteMeters& meters() const { return meters_; }
  // Whether that exchange is an invocation of this gateway's, not answered to its end.
  bool has(server::ExchangeId id) const { return exchanges_.contains(id.value()); }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override {
    on_request_of({}, id, std::move(head), end);
  }
  // Of somebody whose right to call was looked at already; `subject` empty: nobody looked.
  void on_request_of(std::string subject, server::ExchangeId id, http::RequestHead&& head,
                     bool end);
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override;
  void on_writable(server::ExchangeId id) override;
  void on_abort(server::ExchangeId id) override;
  std::string request_id(server::ExchangeId id) override;

 private:
  struct Exchange {
    InvocationId invocation;
    std::string request_id;
    std::uint32_t meter = 0;
    bool answering = false;  // the head of the answer was sent
  };

  // False: it was refused, and answered. Takes the token away from what the function sees.
  bool admit(server::ExchangeId id, http::RequestHead& head, const Target& target,
             const std::string& request_id, std::string& subject);
  Invocation make_invocation(http::RequestHead&& head, Target&& target, bool end);
  Exchange* find(CallerToken token);
  void respond_whole(server::ExchangeId id, http::ResponseHead head, const std::string& request_id,
                     const std::string& body);

  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override;
  void on_failure(CallerToken token, Failure&& failure) override;
  void on_consumed(CallerToken token, std::size_t bytes) override;

  void tell_ready(server::ExchangeId id, const std::string& request_id);

  Invoker& invoker_;
  const Origin origin_;
  server::Server* server_ = nullptr;
  Routes routes_;
  CallGuard* guard_ = nullptr;
  Guarded guarded_;
  RouteMeters meters_;
  RequestNames names_;
  std::function<std::string()> why_not_ready_;
  std::unordered_map<CallerToken, Exchange> exchanges_;
};

// "queue;dur=0.01, start;desc=pooled;dur=1.05, handler;dur=0.31": milliseconds. Of what
// reached no pod: the queue alone.
std::string server_timing(const Timing& timing);

}  // namespace subito::gateway
