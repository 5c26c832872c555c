#include "deploy/cli/follower.h"

namespace subito::cli {

namespace {

// All of one that the gateway made, the beginning of what a client made up.
constexpr std::size_t kShownIdBytes = 16;

Colour colour_of_status(int status) {
  if (status == 0 || status >= 500) return Colour::kRed;
  return status >= 400 ? Colour::kYellow : Colour::kGreen;
}

// Nothing for what is no object: it would be the node's fault, and no reason to end.
template <typename Print>
auto each_object(const Print& print) {
  return [print](std::string_view line) {
    if (const Json value = Json::parse(line, nullptr, false); value.is_object()) print(value);
  };
}

}  // namespace

std::string request_line(const Json& request, bool colours) {
  std::string text;
  if (const auto missed = request.value("missed", std::uint64_t{0}); missed > 0)
    text = "(" + std::to_string(missed) + (missed == 1 ? " request" : " requests") +
           " before this one came faster than they could be told)\n";
  const int status = request.value("status", 0);
  const std::string start = request.value("start", ""), pod = request.value("pod", "");
  const double waited = request.value("queueMicros", 0.0) + request.value("startMicros", 0.0);
  text += coloured(request.value("time", ""), Colour::kGrey, colours) + " " +
          (pod.empty() ? "-" : pod) + " " + printable(request.value("method", "")) + " " +
          printable(request.value("path", "")) + " " +
          coloured(status == 0 ? "client left" : std::to_string(status), colour_of_status(status),
                   colours) +
          " waited " + time_words(waited);
  const std::string id = request.value("requestId", "");
  const std::string known = id.empty() ? "" : " request=" + printable(id.substr(0, kShownIdBytes));
  if (start.empty()) return text + ", reached no pod" + known;
  text += ", handler " + time_words(request.value("handlerMicros", 0.0)) + ", " + start;
  return (start == "warm" ? text : text + " start") + known;
}

Status Follower::follow(const std::string& name) {
  if (followed_.contains(name)) return ok();
  const api::Endpoint node = session_.endpoint();
  const auto open = [&node](const std::string& what) {
    return api::LineStream::open(node.socket_path, what, node.token);
  };
  const std::string path = "/v1/functions/" + encoded(name);
  ASSIGN_OR_RETURN(api::LineStream logs, open(path + "/logs?follow=true&tail=0"));
  ASSIGN_OR_RETURN(api::LineStream requests, open(path + "/requests"));
  ASSIGN_OR_RETURN(api::LineStream events, open("/v1/events/watch?" + function_query(name)));
  followed_.emplace(name, Followed{std::move(logs), std::move(requests), std::move(events)});
  return ok();
}

void Follower::add_to(std::vector<pollfd>& polled) const {
  for (const auto& [name, followed] : followed_) {
    polled.push_back({followed.logs.fd(), POLLIN, 0});
    polled.push_back({followed.requests.fd(), POLLIN, 0});
    polled.push_back({followed.events.fd(), POLLIN, 0});
  }
}

Status Follower::read() {
  for (auto it = followed_.begin(); it != followed_.end();) {
    Status status = read(it->first, it->second);
    if (!status) {
      followed_.erase(it);
      return status;
    }
    ++it;
  }
  return ok();
}

// What a handler said stands above its request.
Status Follower::read(const std::string& name, Followed& followed) {
  const bool colours = session_.colours();
  RETURN_IF_ERROR(followed.logs.read(
      each_object([&](const Json& record) { print(log_line(record, colours)); })));
  RETURN_IF_ERROR(followed.requests.read(
      each_object([&](const Json& request) { print(request_line(request, colours)); })));
  return followed.events.read(each_object([&](const Json& event) {
    if (event.value("reason", "") == "Removed") deleted_.insert(name);
  }));
}

void Follower::print(const std::string& line) {
  session_.out() << line << std::endl;
}

}  // namespace subito::cli
