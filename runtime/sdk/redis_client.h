// Redis over hiredis, for both ways to serve: they differ in how a connection comes about (Dial)
// and in what a wait must watch (Waiter).
//
// A RedisClient belongs to one handler run. It borrows a connection from the pool at its first
// command and gives it back when it goes, unless it is broken. A connection of the pool that was
// closed meanwhile is replaced; a command is sent a second time only if nothing of it had left.
#pragma once

#include <hiredis/hiredis.h>

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/unique_fd.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/redis_spans.h"

namespace subito::sdk {

// Waits for poll(2) events on a descriptor. Throws Cancelled when the invocation is over.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void wait_for(int fd, short events) = 0;
};

struct RedisContextFree {
  void operator()(redisContext* context) const { redisFree(context); }
};
using RedisConnection = std::unique_ptr<redisContext, RedisContextFree>;

// Idle connections by binding. Any thread. Never more than were in use at once.
class RedisPool {
 public:
  RedisConnection take(std::string_view binding);  // null: none idle
  void give(std::string_view binding, RedisConnection connection);

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, RedisConnection>> idle_;
};

class RedisClient final : public Redis {
 public:
  // A connected, logged in socket, or an exception.
  using Dial = std::function<UniqueFd()>;

  // `spans`: where it notes what it asks; null: nowhere.
  RedisClient(std::string binding, std::string prefix, RedisPool& pool, Dial dial, Waiter& waiter,
              RedisSpans* spans = nullptr);
  ~RedisClient() override;

  RedisReply command(const std::vector<std::string>& arguments) override;
  std::vector<RedisReply> pipeline(const std::vector<std::vector<std::string>>& commands) override;
  const std::string& binding() const { return binding_; }

 private:
  std::vector<RedisReply> ask(std::span<const std::vector<std::string>> commands);
  void connect();
  void append(const std::vector<std::string>& arguments);
  bool send();  // false: the connection was dead and nothing has left
  RedisReply read_reply();
  [[noreturn]] void fail_connection();

  std::string binding_;
  RedisPool& pool_;
  Dial dial_;
  Waiter& waiter_;
  RedisSpans* spans_;
  RedisConnection connection_;
};

}  // namespace subito::sdk
