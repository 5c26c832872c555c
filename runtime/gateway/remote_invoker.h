// RemoteInvoker: the invoker as a gateway on another loop sees it: see invocation_link.h. Owned
// beside the gateway, on its loop's thread.
#pragma once

#include <string>
#include <vector>

#include "runtime/gateway/invocation_link.h"

namespace subito::gateway {

class RemoteInvoker final : public Invoker {
 public:
  // Of an answer's body taken and not told yet: a message for each so many bytes.
  static constexpr std::size_t kTellTakenBytes = kBodyWindowBytes / 4;

  RemoteInvoker(Loop& loop, InvocationLink& link);
  InvocationLink::GatewayEnd& end() { return end_; }

  InvocationId invoke(Caller& caller, CallerToken token, Invocation&& invocation) override;
  void body(InvocationId id, std::string_view bytes, bool end) override;
  void resume(InvocationId id) override;
  void abort(InvocationId id) override;

 private:
  struct Place {
    InvocationId id;  // none: it is free
    Caller* caller = nullptr;
    CallerToken token = 0;
    std::size_t taken = 0;  // of the answer's body, and not told
    bool blocked = false;   // the caller's buffers are full
    // Had no room in the mailbox.
    bool waits = false;  // it is in waiting_
    bool body_waits = false;
    bool body_ends = false;
    std::string body;
  };

  Place* find(InvocationId id) { return find_place(places_, id); }
  Place& free_place();
  void release(Place& place);
  void refuse(const Place& place);
  void fail_refused();
  bool crowded() const { return !waiting_.empty() || !aborts_.empty(); }
  void wait(Place& place);
  bool send_waiting(Place& place);
  void send_waiting();
  void tell_taken(Place& place);
  void took(InvocationId id, std::size_t bytes, bool accepted);
  void receive(ToCaller&& message);

  std::vector<Place> places_;
  std::vector<std::size_t> free_;
  std::uint64_t last_ = 0;
  std::vector<InvocationId> waiting_;  // places with something that had no room, once each
  std::vector<InvocationId> aborts_;   // the same, of places that are free again
  std::vector<InvocationId> refused_;  // of this turn
  TurnEnd refusals_;
  InvocationLink::GatewayEnd end_;
};

}  // namespace subito::gateway
