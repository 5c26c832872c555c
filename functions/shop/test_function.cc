#include "functions/shop/test_function.h"

#include <gtest/gtest.h>

#include <utility>

namespace shop {

TestFunction::TestFunction(std::string name, subito::Router router, std::string_view document,
                           const TestRedis* redis)
    : name_(std::move(name)), router_(std::move(router)), check_(document), redis_(redis) {}

subito::Response TestFunction::ask(const subito::Request& request) {
  subito::testing::TestContext context({.function = name_});
  context.settings = settings;
  if (redis_ != nullptr) context.use_redis("redis", redis_->address_of(name_));
  for (const auto& [callee, answer] : calls) context.on_call(callee, answer);
  subito::Response answer = answer_of(router_, request, context);
  // Of the runtime, for one that was cancelled or killed: no answer of the function's.
  if (answer.status() == 504) return answer;
  const std::string fault = check_.fault(request, answer);
  EXPECT_EQ(fault, "") << name_ << " answers what its openapi.json does not say";
  return answer;
}

subito::RedisReply TestFunction::redis(const std::vector<std::string>& command) {
  subito::testing::TestContext context({.function = name_});
  return context.use_redis("redis", redis_->address_of(name_)).command(command);
}

void TestFunction::expect_all_produced() const {
  for (const std::string& missing : check_.never_produced()) {
    ADD_FAILURE() << name_ << "'s openapi.json documents what no test produced: " << missing;
  }
}

}  // namespace shop
