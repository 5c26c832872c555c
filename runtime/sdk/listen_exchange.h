// ListenExchange: one HTTP request between the loop's thread, which has the connection, and the
// worker thread that runs the handler. Shared by the two and by nobody else; all of it behind its
// own mutex. The loop never waits here, the worker does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/http/message.h"
#include "runtime/sdk/include/subito/function.h"
#include "runtime/server/server.h"

namespace subito::sdk {

using ListenDeadline = std::chrono::steady_clock::time_point;

class ListenExchange {
 public:
  // What the worker did, for the loop to pass on.
  struct Out {
    std::optional<http::ResponseHead> head;
    std::string body;
    std::size_t consumed_bytes = 0;
    bool end = false;
    bool abort = false;
  };

  // `post` wakes the loop: there is something to take. Any thread.
  ListenExchange(server::ExchangeId id, http::RequestHead head, bool end, ListenDeadline deadline,
                 std::function<void()> post);

  server::ExchangeId id() const { return id_; }
  http::RequestHead& head() { return head_; }  // the worker's, once the exchange was handed over
  ListenDeadline deadline() const { return deadline_; }

  // The loop's side.
  void add_body(std::string_view bytes, bool end);
  void abort();
  void set_writable();
  std::vector<Out> take();
  // The server took the bytes of an Out; unless `writable`, wait for set_writable().
  void passed_on(std::size_t bytes, bool writable);

  // The worker's side.
  std::string read_body(std::size_t bytes_max);  // waits; empty at the end; throws Cancelled
  void send(Out out);                            // waits while too much is unsent; throws Cancelled
  bool cancelled();
  bool has_body();

 private:
  void throw_if_over() const;

  const server::ExchangeId id_;
  http::RequestHead head_;
  const ListenDeadline deadline_;
  const std::function<void()> post_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string body_;  // at most server::kRequestWindowBytes
  bool body_ended_ = false;
  bool aborted_ = false;
  bool writable_ = true;
  std::size_t unsent_bytes_ = 0;
  std::vector<Out> outs_;
};

}  // namespace subito::sdk
