#include "runtime/sdk/redis_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "runtime/base/check.h"

namespace subito::sdk {

RedisFixture::RedisFixture() {
  char folder[] = "/tmp/subito-redis-XXXXXX";
  CHECK(::mkdtemp(folder) != nullptr);
  folder_ = folder;
  path_ = folder_ + "/redis.sock";
  start();
}

RedisFixture::~RedisFixture() {
  stop();
  std::filesystem::remove_all(folder_);
}

void RedisFixture::restart() {
  stop();
  start();
}

void RedisFixture::start() {
  // The socket appears when the server listens: the folder is watched, not polled.
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  CHECK(::inotify_add_watch(watch.get(), folder_.c_str(), IN_CREATE) >= 0);
  const char* arguments[] = {
      "redis-server", "--port", "0",     "--unixsocket",  path_.c_str(), "--save", "",
      "--appendonly", "no",     "--dir", folder_.c_str(), "--daemonize", "no",     nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const int error = ::posix_spawnp(&pid_, "redis-server", &actions, nullptr,
                                   const_cast<char**>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    return;
  }
  while (!connect().valid()) {
    pollfd watched = {watch.get(), POLLIN, 0};
    CHECK(::poll(&watched, 1, 10'000) > 0);
    char events[1024];
    CHECK(::read(watch.get(), events, sizeof events) > 0);
    // Between bind and listen a connection is refused: give way until it is accepted.
    for (int i = 0; i < 1000 && !connect().valid(); ++i) ::poll(nullptr, 0, 1);
  }
}

void RedisFixture::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::unlink(path_.c_str());
  pid_ = -1;
}

UniqueFd RedisFixture::connect() const {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd.get(), name, sizeof address) == 0 ? std::move(fd) : UniqueFd();
}

}  // namespace subito::sdk
