// Journal: what happened to functions and pods, for people: the last events of each function, and
// subscribers who follow. Owned by the node, on the loop's thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"

namespace subito::node {

class Journal {
 public:
  using Callback = std::function<void(const api::Event&)>;

  // Keeps the event (the oldest of more than api::kEventsKept of a function goes) and tells the
  // subscribers.
  void add(api::Event event);
  std::vector<api::Event> events(std::string_view function) const;  // oldest first
  void forget(std::string_view function);

  // `function` empty: all of them. A callback may unsubscribe, itself or others.
  void subscribe(api::SubscriptionId id, std::string function, Callback callback);
  bool unsubscribe(api::SubscriptionId id);

 private:
  struct Subscriber {
    std::string function;
    Callback callback;
  };
  std::map<std::string, std::deque<api::Event>, std::less<>> events_;
  std::map<api::SubscriptionId, Subscriber> subscribers_;
};

}  // namespace subito::node
