// TestRedis: a redis-server of the test's own, with one ACL user a function as the node makes them.
// RealRedis: a connection to it as such a user, as a subito::Redis. Test code only.
#pragma once

#include <subito/function.h>

#include <string>
#include <vector>

#include "functions/shop/test_process.h"

struct redisContext;

namespace shop {

class TestRedis {
 public:
  // `open`: who brings no login may do everything, as in a Redis of one's own.
  explicit TestRedis(bool open = false);

  static bool installed();
  void start();  // returns once it answers; data of an earlier start are there again
  void kill() { process_.kill(); }
  const std::string& socket_path() const { return socket_; }
  const std::string& folder() const { return folder_.path(); }

 private:
  TestFolder folder_;
  std::string socket_;
  TestProcess process_;
};

class RealRedis final : public subito::Redis {
 public:
  // Connects at the first command, as `function`, whose keys begin with "FUNCTION:".
  RealRedis(std::string socket_path, std::string function);
  ~RealRedis() override;

  subito::RedisReply command(const std::vector<std::string>& arguments) override;
  std::vector<subito::RedisReply> pipeline(
      const std::vector<std::vector<std::string>>& commands) override;

 private:
  void connect();

  const std::string socket_path_;
  const std::string function_;
  redisContext* connection_ = nullptr;
};

}  // namespace shop
