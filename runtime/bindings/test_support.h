// What the tests of this folder share. Test code only.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include "runtime/base/unique_fd.h"
#include "runtime/bindings/redis_conversation.h"
#include "runtime/loop/loop.h"

namespace subito::bindings {

// Turns the loop until `done()`, or fails after 20 s, so that a broken test ends.
inline void run_until(Loop& loop, const std::function<bool()>& done) {
  bool late = false;
  Timer guard(loop, [&] { late = true; });
  guard.start(std::chrono::seconds(20));
  while (!done() && !late) loop.turn(true);
  ASSERT_FALSE(late) << "what the test waits for did not happen";
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = "/tmp/subito-bindings-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Listens on 127.0.0.1, a port of the kernel's choice.
struct TcpListener {
  explicit TcpListener(int backlog = 16) : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd.get(), any, size), 0);
    EXPECT_EQ(listen(fd.get(), backlog), 0);
    EXPECT_EQ(getsockname(fd.get(), any, &size), 0);
    port = ntohs(address.sin_port);
  }
  UniqueFd fd;
  std::uint16_t port = 0;
};

inline bool have_redis() {
  return std::system("command -v redis-server >/dev/null") == 0;
}

// Asks on a socket that the caller holds: "OK", "42", "(nil)", "ERR ...", or the transport's error.
inline std::string ask(Loop& loop, int fd, RedisCommand command) {
  std::string answer;
  RedisConversation talk(loop, fd, {std::move(command)}, std::chrono::seconds(5),
                         [&](Result<std::vector<RedisReplyPtr>> replies) {
                           if (!replies) {
                             answer = replies.error().message;
                             return;
                           }
                           const redisReply& reply = *replies->front();
                           switch (reply.type) {
                             case REDIS_REPLY_NIL:
                               answer = "(nil)";
                               break;
                             case REDIS_REPLY_INTEGER:
                               answer = std::to_string(reply.integer);
                               break;
                             case REDIS_REPLY_ARRAY:
                               answer = "(array)";
                               break;
                             default:
                               answer.assign(reply.str, static_cast<std::size_t>(reply.len));
                           }
                         });
  run_until(loop, [&] { return !answer.empty(); });
  return answer;
}

// Keeps all four threads of libuv's pool: what is looked up stays in its hands.
class BusyThreads {
 public:
  explicit BusyThreads(Loop& loop) {
    const std::shared_future<void> end = end_.get_future().share();
    for (auto& work : works_) {
      work = std::make_unique<Background>(
          loop, [end] { end.wait(); }, [] {});
    }
  }
  ~BusyThreads() { end_.set_value(); }

 private:
  std::promise<void> end_;
  std::array<std::unique_ptr<Background>, 4> works_;
};

}  // namespace subito::bindings

#define SKIP_WITHOUT_REDIS()                                                          \
  if (!::subito::bindings::have_redis()) {                                            \
    GTEST_SKIP() << "redis-server is not installed: nothing of Redis is tested here"; \
  }                                                                                   \
  static_assert(true)
