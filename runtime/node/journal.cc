#include "runtime/node/journal.h"

#include <utility>

namespace subito::node {

void Journal::add(api::Event event) {
  std::deque<api::Event>& kept = events_[event.function];
  kept.push_back(std::move(event));
  if (kept.size() > api::kEventsKept) kept.pop_front();
  const api::Event added = kept.back();
  for (auto it = subscribers_.begin(); it != subscribers_.end();) {
    const Subscriber subscriber = (it++)->second;  // it may unsubscribe itself
    if (subscriber.function.empty() || subscriber.function == added.function) {
      subscriber.callback(added);
    }
  }
}

std::vector<api::Event> Journal::events(std::string_view function) const {
  const auto it = events_.find(function);
  if (it == events_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

void Journal::forget(std::string_view function) {
  if (const auto it = events_.find(function); it != events_.end()) events_.erase(it);
}

void Journal::subscribe(api::SubscriptionId id, std::string function, Callback callback) {
  subscribers_.emplace(id, Subscriber{std::move(function), std::move(callback)});
}

bool Journal::unsubscribe(api::SubscriptionId id) {
  return subscribers_.erase(id) > 0;
}

}  // namespace subito::node
