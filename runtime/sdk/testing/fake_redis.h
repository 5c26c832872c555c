// FakeRedis: a Redis in memory for one function, with the rights that the node gives it. commands.h
// has what it knows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/sdk/testing/commands.h"
#include "runtime/sdk/testing/keyspace.h"
#include "runtime/sdk/testing/test_redis.h"

namespace subito::testing {

class FakeRedis final : public TestRedis {
 public:
  FakeRedis(std::string binding, std::string prefix, const TestClock& clock);

  std::optional<std::vector<std::string>> keys() override { return keyspace_.keys(); }

 private:
  // A command of a transaction, checked, waiting for EXEC.
  struct Queued {
    const Command& command;
    std::vector<std::string> arguments;
  };

  std::vector<RedisReply> ask(const std::vector<std::vector<std::string>>& commands) override;
  Reply answer(const std::vector<std::string>& arguments);
  Reply accept(const Command& command, const std::vector<std::string>& arguments);
  Reply run(const Command& command, Arguments arguments);
  void check_rights(const Command& command, Arguments arguments) const;
  std::optional<Reply> transaction(const std::vector<std::string>& arguments);
  Reply multi();
  Reply exec();
  Reply discard();

  Keyspace keyspace_;
  std::optional<std::vector<Queued>> queue_;  // between MULTI and EXEC
  bool queue_spoilt_ = false;                 // a command of it was refused
};

}  // namespace subito::testing
