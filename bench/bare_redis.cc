#include "bench/bare_redis.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>
#include <cstring>

#include "bench/node_client.h"
#include "bench/quiet.h"

namespace subito::bench {

Result<BareRedis> BareRedis::start() {
  ASSIGN_OR_RETURN(const Finished found, run({"/bin/sh", {"sh", "-c", "command -v redis-server"}}));
  if (found.exit_code != 0) {
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
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket_path();
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::kInvalidArgument, "connect to " + path + ": too long; set TMPDIR");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno_error("connect to " + path);
  }
  return fd;
}

}  // namespace subito::bench
