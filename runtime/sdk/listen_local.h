// LocalRun: one run of a handler for a request that came over no connection: a call between
// functions of one process, or a delivery of a trigger. On the thread that wants the answer.
#pragma once

#include "runtime/sdk/listen_context.h"

namespace subito::sdk {

class LocalRun final : public ListenContext {
 public:
  // `caller` waits for this run, and outlives it; null: nobody does.
  LocalRun(ListenService& service, ListenFunction& callee, RunIds ids, ListenDeadline deadline,
           ListenContext* caller);

  // The handler, and its answer as a client would have it: a streamed body is read to its end.
  // Throws CallError: "answer-too-large" beyond Request::kBodyBytesMax, "unavailable" when the body
  // breaks off.
  Response run(const Request& request);

  std::chrono::steady_clock::time_point deadline() const override { return deadline_; }
  bool cancelled() override;

 private:
  class Writer;
  std::string body_of(const Request& request, const Response& response);

  const ListenDeadline deadline_;
  ListenContext* const caller_;
};

// Context::start_call() of `caller` for a function of the same process. It is over on return; what
// failed is thrown by PendingCall::get(). Throws Cancelled when the caller is over: nothing is run
// then. Cycles are the caller's to refuse.
PendingCall call_in_process(ListenService& service, ListenFunction& callee, ListenContext& caller,
                            const Request& request, const Headers& onward);

}  // namespace subito::sdk
