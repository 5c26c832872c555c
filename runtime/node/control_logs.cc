// Control: what functions said and threw.
#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/node/control.h"
#include "runtime/node/logs/log_files.h"
#include "runtime/node/views.h"

namespace subito::node {

void Control::logs(const api::LogQuery& query, LogsCallback callback) {
  const auto later = [&](Result<std::vector<api::LogRecord>> found) {
    parts_.loop.defer([callback, found = std::move(found)] { callback(found); });
  };
  if (parts_.functions.find(query.function) == nullptr)
    return later(unknown_function(query.function).error());
  const std::string pod(query.previous ? parts_.logs.previous_pod(query.function) : "");
  if (query.previous && pod.empty()) {
    return later(
        Error{ErrorCode::kFailedPrecondition,
              "show logs of the previous pod of " + query.function +
                  ": none has ended since the node started; without --previous there are those "
                  "of the living",
              0});
  }
  std::vector<api::LogRecord> in_memory = parts_.logs.query(query);
  LogRead read;
  read.function = query.function;
  read.before = parts_.logs.oldest_number(query.function);
  read.tail = std::min(query.tail, api::kLogTailMax) - in_memory.size();
  read.since_unix_ns = query.since_unix_ns;
  read.pod = pod;
  if (log_files_ == nullptr || read.tail == 0) return later(std::move(in_memory));
  log_files_->read(std::move(read), [callback, in_memory = std::move(in_memory)](auto found) {
    if (found) found->insert(found->end(), in_memory.begin(), in_memory.end());
    callback(std::move(found));
  });
}

// The logs of functions that were removed while the node was ended go too.
void Control::keep_their_logs() {
  if (log_files_ == nullptr) return;
  std::set<std::string> names;
  for (const auto& [name, function] : parts_.functions.all()) names.insert(name);
  log_files_->keep_only(std::move(names));
}

std::vector<api::ExceptionView> Control::list_exceptions(std::string_view function) {
  std::vector<api::ExceptionView> views = parts_.reporter.exceptions().views(function);
  std::erase_if(views, [&](const auto& view) {  // of one whose deploy failed
    return parts_.functions.find(view.function) == nullptr;
  });
  return views;
}

api::LogFacts Control::log_facts(const std::string& function) const {
  api::LogFacts facts;
  facts.lost = parts_.logs.lost(function);
  facts.fault = log_fault();
  if (log_files_ != nullptr) facts.unwritten = log_files_->unwritten(function);
  return facts;
}

const std::string& Control::log_fault() const {
  return log_files_ == nullptr ? log_fault_ : log_files_->last_fault();
}

api::SubscriptionId Control::subscribe_logs(std::string_view function, LogCallback callback) {
  const api::SubscriptionId id = subscriptions_.next();
  parts_.logs.subscribe(id, std::string(function), std::move(callback));
  return id;
}

}  // namespace subito::node
