#include "bench/bare_redis.h"

#include <unistd.h>

#include <csignal>

#include "bench/http_client.h"
#include "bench/node_client.h"
#include "bench/patterns/running.h"

namespace subito::bench {

Result<BareRedis> BareRedis::start() {
  if (!is_installed("redis-server")) {
    return fail(ErrorCode::kNotFound, "redis-server is not installed; ./dev setup installs it");
  }
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  const std::string& path = folder.path();
  const Command command = {
      "redis-server",
      {"redis-server", "--port", "0", "--unixsocket", path + "/redis.sock", "--unixsocketperm",
       "700", "--dir", path, "--save", "", "--appendonly", "no", "--logfile", path + "/log"}};
  UniqueFd output;
  ASSIGN_OR_RETURN(Child child, start_service(command, output, STDERR_FILENO));
  BareRedis redis(std::move(folder), std::move(child), std::move(output));
  const auto end = std::chrono::steady_clock::now() + kStartTimeout;
  for (;;) {
    const auto connected = redis.connect();
    if (connected) return redis;
    if (std::chrono::steady_clock::now() > end) {
      return Error(connected.error()).annotate("start redis-server");
    }
    if (!rest(std::chrono::milliseconds(5))) {
      return fail(ErrorCode::kCancelled, "start redis-server: interrupted");
    }
  }
}

BareRedis::~BareRedis() {
  child_.signal(SIGTERM);
  (void)child_.end(kStopTimeout);
}

Result<UniqueFd> BareRedis::connect() const {
  ServerAddress address;
  address.socket_path = folder_.path() + "/redis.sock";
  return connect_socket(address);
}

}  // namespace subito::bench
