// RemoteCaller: a gateway on another loop as the invoker sees it: see invocation_link.h. Whether
// who calls may is asked here, of functions that ask for a token. Owned beside the invoker, on its
// loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/gateway/call_guard.h"
#include "runtime/gateway/invocation_link.h"

namespace subito::gateway {

class RemoteCaller final : private Caller {
 public:
  // Invoker and guard outlive it.
  RemoteCaller(Loop& loop, InvocationLink& link, Invoker& invoker, CallGuard& guard);
  InvocationLink::InvokerEnd& end() { return end_; }

 private:
  // What had no room in the mailbox, in the order in which it is sent.
  struct Waiting {
    std::size_t consumed = 0;
    std::unique_ptr<Answer> answer;
    std::string body;
    bool body_waits = false;
    bool end = false;
    bool abort = false;
    std::unique_ptr<Failure> failure;
  };
  struct Place {
    InvocationId id;        // the gateway's; none: it is free
    InvocationId invoked;   // the invoker's; none: it is done with it
    std::size_t ahead = 0;  // bytes of the answer's body that the gateway has not taken
    bool full = false;      // the invoker was told so
    std::unique_ptr<Waiting> waiting;
  };

  Place* find(InvocationId id) { return find_place(places_, id); }
  void receive(ToInvoker&& message);
  void invoke(InvocationId id, Invocation&& invocation);
  bool admit(InvocationId id, Invocation& invocation);
  void taken(Place& place, std::size_t bytes);
  // Sends it, or keeps it until there is room. `over`: the invoker is done with the invocation.
  void tell(Place& place, ToCaller&& message, bool over);
  void keep(Place& place, ToCaller&& message);
  bool send_waiting(Place& place);
  void send_waiting();

  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override;
  void on_failure(CallerToken token, Failure&& failure) override;
  void on_consumed(CallerToken token, std::size_t bytes) override;
  bool ahead(Place& place, std::size_t bytes);

  Invoker& invoker_;
  CallGuard& guard_;
  std::vector<Place> places_;
  std::vector<InvocationId> waiting_;  // places with something that had no room, once each
  InvocationLink::InvokerEnd end_;
};

}  // namespace subito::gateway
