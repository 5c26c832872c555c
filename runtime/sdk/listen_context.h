// ListenRun: one run of a handler behind --listen. It is the handler's Context, on the worker
// thread that runs it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/listen_client.h"
#include "runtime/sdk/listen_exchange.h"
#include "runtime/sdk/redis_client.h"

namespace subito::sdk {

// What all runs share.
struct ListenService {
  std::string name;
  std::string pod;
  const Handler& handler;
  RedisPool redis;
  ListenClient client;
};

class ListenRun final : public Context, public TimedWaiter {
 public:
  ListenRun(ListenService& service, ListenExchange& exchange);

  void run();  // the handler, and sends what came of it

  std::chrono::steady_clock::time_point deadline() const override { return exchange_.deadline(); }
  bool cancelled() override { return exchange_.cancelled(); }
  const std::string& request_id() const override { return request_id_; }
  const std::string& traceparent() const override { return traceparent_; }
  const std::string& function() const override { return service_.name; }
  const std::string& pod() const override { return service_.pod; }
  Logger& log() override { return logger_; }
  std::optional<std::string> setting(std::string_view name) const override;
  Redis& redis(std::string_view binding) override;
  int connect(std::string_view binding) override;
  PendingCall start_call(std::string_view function, const Request& request) override;
  void wait_for(int fd, short events) override;
  bool wait_until(int fd, short events, ListenDeadline until) override;

 private:
  class Reader;
  class Writer;
  class LineLogger final : public Logger {
   public:
    explicit LineLogger(const ListenRun& owner) : owner_(owner) {}

   private:
    void write(int level, std::string_view message, Fields fields) override;
    const ListenRun& owner_;
  };

  void send(const Request& request, const Response& response);
  void send_streamed(const Request& request, const Response& response);

  ListenService& service_;
  ListenExchange& exchange_;
  std::string request_id_;
  std::string traceparent_;
  LineLogger logger_{*this};
  std::vector<std::unique_ptr<RedisClient>> redis_;
};

}  // namespace subito::sdk
