#include "runtime/sdk/listen_context.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "runtime/sdk/listen_local.h"
#include "runtime/sdk/logger.h"
#include "runtime/sdk/refusals.h"

namespace subito::sdk {
namespace {

// How long a wait may not notice that the client has left.
constexpr int kNoticeCancelWithinMs = 50;

}  // namespace

std::string new_request_id() {
  std::uint64_t random = 0;
  static_cast<void>(::getrandom(&random, sizeof random, 0) < 0);
  char text[17];
  return {text, std::to_chars(text, text + sizeof text, random, 16).ptr};
}

ListenContext::ListenContext(ListenService& service, ListenFunction& callee, RunIds ids,
                             const ListenContext* caller)
    : service_(service), function_(callee), ids_(std::move(ids)), caller_(caller) {}

std::optional<std::string> ListenContext::setting(std::string_view name) const {
  return environment_setting(name);
}

std::optional<std::string> ListenContext::secret(std::string_view name,
                                                 std::string_view key) const {
  return environment_secret(name, key);
}

void ListenContext::wait_for(int fd, short events) {
  wait_until(fd, events, ListenDeadline::max());
}

bool ListenContext::wait_until(int fd, short events, ListenDeadline until) {
  for (;;) {
    if (cancelled()) throw Cancelled("the invocation is over");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::min(deadline(), until) - std::chrono::steady_clock::now());
    pollfd watched = {fd, events, 0};
    const auto wait = std::clamp<std::int64_t>(left.count() + 1, 0, kNoticeCancelWithinMs);
    if (::poll(&watched, 1, static_cast<int>(wait)) > 0) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
  }
}

Redis& ListenContext::redis(std::string_view name) {
  for (const auto& client : redis_) {
    if (client->binding() == name) return *client;
  }
  const auto endpoint = redis_endpoint(name);
  const std::string binding(name);
  if (!endpoint) {
    refuse_binding("redis", name,
                   "with --listen set REDIS_URL or REDIS_URL_<BINDING>: redis://127.0.0.1:6379 or "
                   "unix:/path");
  }
  const auto prefix = environment("REDIS_PREFIX", {}).value_or(function_.name + ":");
  redis_.push_back(std::make_unique<RedisClient>(
      binding, prefix, function_.redis,
      [this, binding, endpoint = *endpoint] { return dial_redis(binding, endpoint, *this); },
      *this));
  return *redis_.back();
}

int ListenContext::connect(std::string_view name) {
  const auto endpoint = tcp_endpoint(name);
  if (!endpoint) {
    refuse_binding("tcp", name,
                   "with --listen set TCP_<BINDING>_ADDRESS: 127.0.0.1:25 or unix:/path");
  }
  UniqueFd fd = connect_endpoint(name, *endpoint, *this);
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  return fd.release();
}

PendingCall ListenContext::start_call(std::string_view name, const Request& request) {
  Headers onward;
  if (!request.header("x-request-id")) onward.add("x-request-id", request_id());
  if (!traceparent().empty() && !request.header("traceparent")) {
    onward.add("traceparent", traceparent());
  }
  ListenFunction* const callee = service_.function(name);
  if (callee == nullptr) return service_.client.start(name, request, onward, *this);
  refuse_cycle(name);
  return call_in_process(service_, *callee, *this, request, onward);
}

// Also bounds how deep calls go: no function is in a chain twice.
void ListenContext::refuse_cycle(std::string_view callee) const {
  std::string chain(callee);
  for (const ListenContext* at = this; at != nullptr; at = at->caller_) {
    chain.insert(0, at->function() + " > ");
    if (at->function() != callee) continue;
    throw CallError("call-cycle", "call " + std::string(callee) + ": " + chain +
                                      " goes round: a function that waits for itself may not be "
                                      "called");
  }
}

void ListenContext::LineLogger::write(int level, std::string_view message, Fields fields) {
  const auto line = as_json_line(level, message, fields_as_json(fields), owner_.request_id());
  static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()) < 0);
}

}  // namespace subito::sdk
