// Invocation: one run of a handler in a pod. It is the handler's Context, reads the request's body
// from the channel and sends the answer. Made for one Incoming, lives on the thread that runs the
// handler, and lets go of the stream when it goes.
#pragma once

#include <memory>
#include <string>

#include "runtime/sdk/answer.h"
#include "runtime/sdk/channel.h"
#include "runtime/sdk/cpu_meter.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/redis_client.h"

namespace subito::sdk {

Headers headers_of(const google::protobuf::RepeatedPtrField<protocol::Header>& fields);

// What the invocations of one pod share.
struct Pod {
  Channel& channel;
  const Handler& handler;
  RedisPool redis;
};

class Invocation final : public Context, public Waiter {
 public:
  Invocation(Pod& pod, std::unique_ptr<Incoming> incoming);
  ~Invocation() override;
  Invocation(const Invocation&) = delete;
  Invocation& operator=(const Invocation&) = delete;

  void run();  // the handler, and sends what came of it

  std::chrono::steady_clock::time_point deadline() const override { return incoming_->deadline; }
  bool cancelled() override;
  const std::string& request_id() const override { return incoming_->head.request_id(); }
  const std::string& traceparent() const override { return incoming_->head.traceparent(); }
  const std::string& function() const override { return channel_.config().function(); }
  const std::string& pod() const override { return channel_.config().pod(); }
  Logger& log() override { return logger_; }
  std::optional<std::string> setting(std::string_view name) const override;
  std::optional<std::string> secret(std::string_view name, std::string_view key) const override;
  Redis& redis(std::string_view binding) override;
  int connect(std::string_view binding) override;
  PendingCall start_call(std::string_view function, const Request& request) override;

 private:
  class Reader;
  class Writer;
  class StartedCall;
  class ChannelLogger final : public Logger {
   public:
    explicit ChannelLogger(Invocation& owner) : owner_(owner) {}
    // Half an answer is out, and its handler threw.
    void write_broken_off(const Failure& failure);

   private:
    void write(int level, std::string_view message, Fields fields) override;
    void send(protocol::Log& record);
    Invocation& owner_;
  };

  void wait_for(int fd, short events) override;
  UniqueFd dial(std::string_view binding);
  std::string read_body(Channel::Lock& lock, Inbox& inbox);
  void throw_if_over() const;
  void send(const Request& request, Answer answer);
  void send_whole(const Request& request, const Response& response, const Failure* failure);
  void send_streamed(const Request& request, const Response& response);
  void send_pieces(Channel::Lock& lock, Inbox& inbox, std::string_view body, bool end);
  void gather(Inbox& inbox);
  bool has_enough(const Inbox& inbox) const;
  protocol::Result head_of(const Response& response, const Failure* failure) const;
  const protocol::Binding* find_binding(std::string_view name, protocol::Binding::Kind kind) const;
  void open_call(Channel::Lock& lock, Inbox& inbox, std::string_view function,
                 const Request& request);
  void send_call_body(Channel::Lock& lock, Inbox& inbox, const Request& request);
  bool wait_for_answer(Channel::Lock& lock, Inbox& inbox, Deadline until);
  Response take_answer(Channel::Lock& lock, Inbox& inbox, std::string_view function);

  Pod& pod_;
  Channel& channel_;
  std::unique_ptr<Incoming> incoming_;
  ChannelLogger logger_{*this};
  std::optional<CpuUse> cpu_use_;                    // of the handler, once it has returned
  std::chrono::nanoseconds handler_time_{};          // of it, if its answer is whole
  std::vector<std::unique_ptr<RedisClient>> redis_;  // in use by this invocation
};

}  // namespace subito::sdk
