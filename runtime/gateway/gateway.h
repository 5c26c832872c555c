// Gateway: the HTTP front of a node. Finds the function of a request, makes an Invocation of it and
// turns what comes back into an HTTP answer. Knows routes and HTTP; knows neither pods nor queues.
//
// Lives on one loop's thread, beside the Server that feeds it. Several gateways on several loops
// would share nothing: routes are a copy each.
#pragma once

#include <string>
#include <unordered_map>

#include "runtime/base/result.h"
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
  // Which of the requests that bring no trace are traced.
  void sample(const traces::Sampler& sampler) { names_.sample(sampler); }
  void stop_counting() { meters_.stop_counting(); }
  const RouteMeters& meters() const { return meters_; }
  // Whether that exchange is an invocation of this gateway's, not answered to its end.
  bool has(server::ExchangeId id) const { return exchanges_.contains(id.value()); }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override;
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

  Invocation make_invocation(http::RequestHead&& head, Target&& target, bool end);
  Exchange* find(CallerToken token);
  void respond_whole(server::ExchangeId id, http::ResponseHead head, const std::string& request_id,
                     const std::string& body);

  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override;
  void on_failure(CallerToken token, Failure&& failure) override;
  void on_consumed(CallerToken token, std::size_t bytes) override;

  Invoker& invoker_;
  const Origin origin_;
  server::Server* server_ = nullptr;
  Routes routes_;
  RouteMeters meters_;
  RequestNames names_;
  std::unordered_map<CallerToken, Exchange> exchanges_;
};

// "queue;dur=0.01, start;desc=pooled;dur=1.05, handler;dur=0.31": milliseconds. Of what
// reached no pod: the queue alone.
std::string server_timing(const Timing& timing);

}  // namespace subito::gateway
