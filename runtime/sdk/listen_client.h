// ListenClient: calls to other functions over HTTP when there is no node to pass them on. Keeps
// connections by function for the next call; calls at once have one each. Any thread; waits through
// the caller's TimedWaiter.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/unique_fd.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/listen_environment.h"
#include "runtime/sdk/redis_client.h"

namespace subito::sdk {

// A Waiter that may also give up earlier.
class TimedWaiter : public Waiter {
 public:
  // False at `until`, when none of the events came.
  virtual bool wait_until(int fd, short events, std::chrono::steady_clock::time_point until) = 0;
};

class ListenClient {
 public:
  // Connects and sends the request; `headers` come on top of its own. The waiter outlives the call.
  // What fails is thrown by PendingCall::get(); here only Cancelled, from the waiter.
  PendingCall start(std::string_view function, const Request& request, const Headers& headers,
                    TimedWaiter& waiter);

 private:
  class StartedCall;
  UniqueFd take(std::string_view function);
  void give(std::string_view function, UniqueFd connection);

  std::mutex mutex_;
  std::vector<std::pair<std::string, UniqueFd>> idle_;
};

// Connects and waits for it. Throws std::runtime_error "connect NAME: Connection refused".
UniqueFd connect_endpoint(std::string_view name, const Endpoint& endpoint, Waiter& waiter);

// The same for a Redis, logged in as the endpoint says. Throws RedisError.
UniqueFd dial_redis(std::string_view binding, const Endpoint& endpoint, Waiter& waiter);

// Writes all, waiting as needed. The number of bytes written before the connection failed.
std::size_t write_fully(int fd, std::string_view bytes, Waiter& waiter);

}  // namespace subito::sdk
