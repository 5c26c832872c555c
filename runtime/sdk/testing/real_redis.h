// RealRedis: a TestContext's binding to a Redis that is there, over the client that --listen uses.
#pragma once

#include <string>
#include <vector>

#include "runtime/sdk/listen_environment.h"
#include "runtime/sdk/redis_client.h"
#include "runtime/sdk/testing/test_redis.h"

namespace subito::testing {

class RealRedis final : public TestRedis, private sdk::Waiter {
 public:
  // Connects at the first command.
  RealRedis(const std::string& binding, const std::string& prefix, const TestClock& clock,
            sdk::Endpoint endpoint);

 private:
  std::vector<RedisReply> ask(const std::vector<std::vector<std::string>>& commands) override {
    return client_.pipeline(commands);
  }
  void wait_for(int fd, short events) override;

  sdk::RedisPool pool_;  // outlives the client, which gives its connection back
  sdk::RedisClient client_;
};

}  // namespace subito::testing
