// FakeContext: a Context for tests without node and Redis. What the function calls is answered by
// functions of the test. Test code only.
#pragma once

#include <subito/function.h>

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

namespace shop {

class FakeContext final : public subito::Context {
 public:
  using Callee = std::function<subito::Response(const subito::Request&)>;

  // Answers calls to `function`. One that has none is away: CallError "unavailable".
  void answer(const std::string& function, Callee callee) {
    callees_[function] = std::move(callee);
  }
  void take_away(const std::string& function) { callees_.erase(function); }

  std::chrono::steady_clock::time_point deadline() const override {
    return std::chrono::steady_clock::now() + std::chrono::seconds(30);
  }
  bool cancelled() override { return false; }
  const std::string& request_id() const override { return name_; }
  const std::string& traceparent() const override { return name_; }
  const std::string& function() const override { return name_; }
  const std::string& pod() const override { return name_; }
  subito::Logger& log() override { return logger_; }
  std::optional<std::string> setting(std::string_view) const override { return std::nullopt; }
  subito::Redis& redis(std::string_view) override { throw std::out_of_range("no Redis here"); }
  int connect(std::string_view) override { throw std::out_of_range("no connections here"); }
  subito::Response call(std::string_view function, const subito::Request& request) override {
    const auto callee = callees_.find(std::string(function));
    if (callee != callees_.end()) return callee->second(request);
    throw subito::CallError("unavailable", std::string(function) + " is away");
  }

 private:
  class SilentLogger final : public subito::Logger {
    void write(int, std::string_view, Fields) override {}
  };
  std::string name_ = "test";
  std::map<std::string, Callee> callees_;
  SilentLogger logger_;
};

}  // namespace shop
