// RequestFeed: the requests of functions as they end, for those who follow them. It keeps nothing,
// and it is the engine's watcher only while somebody follows. Owned by the node, on the loop's
// thread; the engine outlives it.
#pragma once

#include <map>
#include <string>

#include "deploy/api/control_plane.h"
#include "runtime/node/engine.h"

namespace subito::node {

class RequestFeed final : public RequestWatcher {
 public:
  using Callback = std::function<void(const api::RequestRecord&)>;

  explicit RequestFeed(Engine& engine) : engine_(engine) {}
  ~RequestFeed() override { engine_.set_request_watcher(nullptr); }

  void subscribe(api::SubscriptionId id, std::string function, Callback callback);
  bool unsubscribe(api::SubscriptionId id);

  void on_request_ended(const InvocationRecord& record, const Pod* pod, int status,
                        const Timing& timing) override;

 private:
  struct Subscriber {
    std::string function;
    Callback callback;
  };

  Engine& engine_;
  std::map<api::SubscriptionId, Subscriber> subscribers_;
};

}  // namespace subito::node
