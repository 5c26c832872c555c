#include "runtime/node/request_feed.h"

#include <algorithm>
#include <utility>

#include "runtime/base/time.h"
#include "runtime/node/views.h"

namespace subito::node {
namespace {

api::RequestRecord record_of(const InvocationRecord& ended, const Pod* pod, int status,
                             const Timing& timing) {
  api::RequestRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.function = ended.revision->name;
  record.revision = pod != nullptr ? pod->revision->number : ended.revision->number;
  if (pod != nullptr) record.pod = pod->name;
  record.request_id = ended.request.request_id;
  record.method = ended.request.method;
  record.path = ended.request.path.substr(0, api::kRequestPathBytesMax);
  record.status = status;
  record.start = timing.start_kind;
  record.queue_us = microseconds(timing.queue);
  record.start_us = microseconds(timing.start);
  record.handler_us = microseconds(timing.handler);
  return record;
}

}  // namespace

void RequestFeed::subscribe(api::SubscriptionId id, std::string function, Callback callback) {
  subscribers_.emplace(id, Subscriber{std::move(function), std::move(callback)});
  engine_.set_request_watcher(this);
}

bool RequestFeed::unsubscribe(api::SubscriptionId id) {
  const bool known = subscribers_.erase(id) > 0;
  if (subscribers_.empty()) engine_.set_request_watcher(nullptr);
  return known;
}

void RequestFeed::on_request_ended(const InvocationRecord& record, const Pod* pod, int status,
                                   const Timing& timing) {
  const std::string& name = record.revision->name;
  const auto follows = [&](const auto& entry) { return entry.second.function == name; };
  if (std::none_of(subscribers_.begin(), subscribers_.end(), follows)) return;
  const api::RequestRecord ended = record_of(record, pod, status, timing);
  for (auto it = subscribers_.begin(); it != subscribers_.end();) {
    const Subscriber subscriber = (it++)->second;  // it may unsubscribe itself
    if (subscriber.function == name) subscriber.callback(ended);
  }
}

}  // namespace subito::node
