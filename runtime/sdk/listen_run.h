// ListenRun: one run of a handler for a request that came over HTTP, on the worker thread that runs
// it.
#pragma once

#include "runtime/sdk/listen_context.h"

namespace subito::sdk {

class ListenRun final : public ListenContext {
 public:
  ListenRun(ListenService& service, ListenFunction& callee, ListenExchange& exchange);

  void run();  // the handler, and sends what came of it

  std::chrono::steady_clock::time_point deadline() const override { return exchange_.deadline(); }
  bool cancelled() override { return exchange_.cancelled(); }

 private:
  class Reader;
  class Writer;

  void send(const Request& request, const Response& response);
  void send_streamed(const Request& request, const Response& response);

  ListenExchange& exchange_;
};

}  // namespace subito::sdk
