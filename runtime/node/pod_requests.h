// PodRequests: what pods ask of the node while they work for somebody: calls to other functions and
// connections of their bindings. A call is an invocation like any other, with a pod as its caller;
// it never touches HTTP or the network.
//
// A call whose circuit breaker is open (call_breakers.h) is answered at once: none is made.
//
// Owned by the node, on the loop's thread. What a pod may call and connect to stands in its
// revision's manifest; everything else is refused by name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "runtime/bindings/dialer.h"
#include "runtime/bindings/redis_dialer.h"
#include "runtime/node/call_breakers.h"
#include "runtime/node/engine.h"
#include "scheduler/call_chain.h"

namespace subito::node {

// Of the answers to all calls of one pod, what waits for the pod to read on: 32 whole windows. The
// call whose answer goes beyond is given up; windows alone would allow 1,024 calls of 256 KiB.
constexpr std::size_t kPendingAnswerBytesMax = 8 << 20;

class PodRequests final : public PodRequestHandler, private Caller {
 public:
  using FindFunction = std::function<FunctionId(const std::string& name)>;  // 0: there is none

  PodRequests(Engine& engine, bindings::Dialer& dialer, CallBreakers& breakers,
              FindFunction find_function);

  // Without one, redis bindings are refused.
  void set_redis(bindings::RedisDialer* redis) { redis_ = redis; }

  Status on_request_frame(Pod& pod, const protocol::Frame& frame) override;
  void on_request_window(Pod& pod, std::uint32_t stream) override;
  void on_requester_gone(PodId pod) override;

 private:
  struct Call {
    PodId pod;
    std::uint32_t stream = 0;
    InvocationId invocation;
    CallBreakers::Ticket ticket;       // until it is given back
    int status = 0;                    // of the answer that began
    std::string pending;               // of the answer, until the pod can take it
    bool answered = false;             // the pod was sent a RESULT
    bool complete = false;             // `pending` is the last of it
    std::unique_ptr<CallTrace> trace;  // null: it is not traced, or its span is made
  };
  using Calls = std::unordered_map<CallerToken, Call>;
  struct PodCalls {
    std::unordered_map<std::uint32_t, CallerToken> by_stream;
    std::size_t pending_bytes = 0;  // of all of them
  };

  using ConnectKey = std::pair<PodId, std::uint32_t>;  // pod, stream
  struct Connecting {                                  // one of them
    bindings::DialId dial;
    bindings::RedisConnectId redis;
  };

  Status on_call(Pod& pod, const protocol::Frame& frame);
  void refuse_chain(const Pod& pod, std::uint32_t stream, const InvocationRecord& parent,
                    FunctionId called, scheduler::ChainFault fault);
  std::string chain_words(const InvocationRecord& parent, FunctionId called) const;
  Status on_connect(Pod& pod, const protocol::Frame& frame);
  void connect(Pod& pod, std::uint32_t stream, const manifest::Binding& binding);
  void cancel_connects(const ConnectKey& first, const ConnectKey& last);
  void answer_connect(PodId pod, std::uint32_t stream, Result<UniqueFd> socket);
  void refuse(PodId pod, std::uint32_t stream, int status, const char* type, std::string message);
  Call* find(PodId pod, std::uint32_t stream);
  Call* find(CallerToken token);
  void send_pending(CallerToken token, Call& call);
  void keep(Call& call, std::string_view bytes);
  bool has_room(const Call& call) const;
  void give_up(CallerToken token, const Call& call);
  void answer_ended(Call& call);
  void end_trace(Call& call, int status, const std::string& failure);
  void forget(CallerToken token);

  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override;
  void on_failure(CallerToken token, Failure&& failure) override;
  void on_consumed(CallerToken token, std::size_t bytes) override;

  Engine& engine_;
  bindings::Dialer& dialer_;
  CallBreakers& breakers_;
  bindings::RedisDialer* redis_ = nullptr;
  FindFunction find_function_;
  Calls calls_;
  std::unordered_map<PodId, PodCalls> by_pod_;  // each with a call
  std::map<ConnectKey, Connecting> connects_;
  CallerToken last_token_ = 0;
};

}  // namespace subito::node
