// Gateway: the HTTP front of a node. Finds the function of a request, makes an Invocation of it and
// turns what comes back into an HTTP answer. Knows routes and HTTP; knows neither pods nor queues.
//
// Lives on one loop's thread, beside the Server that feeds it. Several gateways on several loops
// share nothing but a table of routes that never changes: a new one takes its place.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "runtime/base/published.h"
#include "runtime/base/result.h"
#include "runtime/gateway/call_guard.h"
#include "runtime/gateway/invoker.h"
#include "runtime/gateway/request_id.h"
#include "runtime/gateway/route_meters.h"
#include "runtime/gateway/routes.h"
#include "runtime/server/server.h"

namespace subito::gateway {

// Functions that ask for a token, with their qualified names.
using Guarded = std::unordered_map<FunctionId, std::string>;

struct RouteTable {
  Routes routes;
  Guarded guarded;
};

class Gateway final : public server::Handler, private Caller {
 public:
  // `origin`: of all that comes in here.
  explicit Gateway(Invoker& invoker, Origin origin = Origin::kClient)
      : invoker_(invoker), origin_(origin) {}

  // Before the first request; the server calls this object and outlives its exchanges.
  void attach(server::Server& server) { server_ = &server; }
  void set_routes(std::shared_ptr<const RouteTable> table);
  void set_routes(Routes routes, Guarded guarded = {}) {
    set_routes(std::make_shared<RouteTable>(RouteTable{std::move(routes), std::move(guarded)}));
  }
  // From now on the newest that is published there, at the latest with the next request.
  void follow(Published<const RouteTable>& tables) { tables_.emplace(tables); }
  // Outlives the gateway. Without it the invoker is asked to ask (Invocation::guarded_as).
  void set_guard(CallGuard& guard) { guard_ = &guard; }
  // Why the node is not ready, for who asks at /readyz; empty: it is. It may be told later, on this
  // thread. Absent: it always is.
  using TellReadiness = std::function<void(const std::string& why_not)>;
  void set_readiness(std::function<void(TellReadiness)> ask) { ask_readiness_ = std::move(ask); }
  // Which of the requests that bring no trace are traced.
  void sample(const traces::Sampler& sampler) { names_.sample(sampler); }
  void stop_counting() { meters_.stop_counting(); }
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
  const std::string* guarded_as(FunctionId function) const;
  Invocation make_invocation(http::RequestHead&& head, Target&& target, bool end);
  Exchange* find(CallerToken token);
  void respond_whole(server::ExchangeId id, http::ResponseHead head, const std::string& request_id,
                     const std::string& body);

  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override;
  void on_failure(CallerToken token, Failure&& failure) override;
  void on_consumed(CallerToken token, std::size_t bytes) override;

  void ask_ready(server::ExchangeId id, const std::string& request_id);
  void tell_ready(server::ExchangeId id, const std::string& request_id, const std::string& why_not);

  Invoker& invoker_;
  const Origin origin_;
  server::Server* server_ = nullptr;
  std::shared_ptr<const RouteTable> table_ = std::make_shared<RouteTable>();
  std::optional<Published<const RouteTable>::Reader> tables_;
  CallGuard* guard_ = nullptr;
  RouteMeters meters_;
  RequestNames names_;
  std::function<void(TellReadiness)> ask_readiness_;
  std::unordered_map<CallerToken, Exchange> exchanges_;
};

// "queue;dur=0.01, start;desc=pooled;dur=1.05, handler;dur=0.31": milliseconds. Of what
// reached no pod: the queue alone.
std::string server_timing(const Timing& timing);

}  // namespace subito::gateway
