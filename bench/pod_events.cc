#include "bench/pod_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace subito::bench {

Result<std::string> PodTally::take(std::string_view line) {
  const nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
  if (!event.is_object()) {
    return fail(ErrorCode::kProtocol,
                "understand event " + std::string(line.substr(0, 100)) + ": not a JSON object");
  }
  const std::string reason = event.value("reason", "");
  const std::string pod = event.value("pod", "");
  if (pod.empty() || reason == "PodAsleep" || reason == "PodDraining") return reason;
  if (reason == "PodStarted") {
    ++started_;
    up_.insert(pod);
    most_at_once_ = std::max(most_at_once_, static_cast<std::uint32_t>(up_.size()));
    return reason;
  }
  if (reason != "PodEnded") ++faults_[reason];
  up_.erase(pod);
  return reason;
}

Result<PodEvents> PodEvents::open(const std::string& api_socket, const std::string& function) {
  ASSIGN_OR_RETURN(HttpStream stream,
                   HttpStream::open({api_socket, "", 0}, "/v1/events/watch?function=" + function));
  return PodEvents(std::move(stream));
}

Status PodEvents::read_until(std::string_view reason) {
  for (;;) {
    std::size_t taken = 0;
    for (std::size_t end; (end = rest_.find('\n', taken)) != rest_.npos; taken = end + 1) {
      if (end == taken) continue;
      ASSIGN_OR_RETURN(const std::string seen,
                       tally_.take(std::string_view(rest_).substr(taken, end - taken)));
      if (seen != reason) continue;
      rest_.erase(0, end + 1);
      return ok();
    }
    rest_.erase(0, taken);
    ASSIGN_OR_RETURN(const std::string piece, stream_.next());
    rest_ += piece;
  }
}

}  // namespace subito::bench
