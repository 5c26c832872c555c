// TestRedis: a Redis binding of a TestContext, which the test can let fail. Owned by the context.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/testing/clock.h"

namespace subito::testing {

class TestRedis : public Redis {
 public:
  TestRedis(std::string binding, std::string prefix, const TestClock& clock)
      : Redis(std::move(prefix)), binding_(std::move(binding)), clock_(clock) {}

  RedisReply command(const std::vector<std::string>& arguments) final {
    RedisReply reply = pipeline({arguments}).front();
    if (reply.is_error()) throw RedisError(std::string(reply.text()));
    return reply;
  }
  std::vector<RedisReply> pipeline(const std::vector<std::vector<std::string>>& commands) final {
    clock_.throw_if_over();
    if (failure_) throw RedisError("ask Redis " + binding_ + ": " + *failure_);
    return ask(commands);
  }

  void fail(std::string reason) { failure_ = std::move(reason); }
  void recover() { failure_.reset(); }

  // Sorted; nothing for one whose keys are not the test's to see.
  virtual std::optional<std::vector<std::string>> keys() { return std::nullopt; }

 protected:
  virtual std::vector<RedisReply> ask(const std::vector<std::vector<std::string>>& commands) = 0;
  const std::string& binding() const { return binding_; }
  const TestClock& clock() const { return clock_; }

 private:
  std::string binding_;
  const TestClock& clock_;
  std::optional<std::string> failure_;
};

}  // namespace subito::testing
