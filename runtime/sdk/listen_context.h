// ListenContext: what a handler behind --listen knows and may use, whatever its run began with: a
// request over HTTP (ListenRun), a call or a delivery inside the process (LocalRun). On the thread
// that runs the handler.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/sdk/listen_exchange.h"
#include "runtime/sdk/listen_service.h"

namespace subito::sdk {

struct RunIds {
  std::string request_id;
  std::string traceparent;
};

std::string new_request_id();

class ListenContext : public Context, public TimedWaiter {
 public:
  // `caller` waits for this run, in this process; null: nobody does.
  ListenContext(ListenService& service, ListenFunction& callee, RunIds ids,
                const ListenContext* caller);

  const std::string& request_id() const override { return ids_.request_id; }
  const std::string& traceparent() const override { return ids_.traceparent; }
  const std::string& function() const override { return function_.name; }
  const std::string& pod() const override { return function_.pod; }
  Logger& log() override { return logger_; }
  std::optional<std::string> setting(std::string_view name) const override;
  std::optional<std::string> secret(std::string_view name, std::string_view key) const override;
  Redis& redis(std::string_view binding) override;
  int connect(std::string_view binding) override;
  PendingCall start_call(std::string_view callee, const Request& request) override;
  void wait_for(int fd, short events) override;
  bool wait_until(int fd, short events, ListenDeadline until) override;

 protected:
  const Handler& handler() const { return function_.handler; }

 private:
  class LineLogger final : public Logger {
   public:
    explicit LineLogger(const ListenContext& owner) : owner_(owner) {}

   private:
    void write(int level, std::string_view message, Fields fields) override;
    const ListenContext& owner_;
  };

  void refuse_cycle(std::string_view callee) const;

  ListenService& service_;
  ListenFunction& function_;
  const RunIds ids_;
  const ListenContext* const caller_;
  LineLogger logger_{*this};
  std::vector<std::unique_ptr<RedisClient>> redis_;
};

}  // namespace subito::sdk
