// Invoker and Caller: the two sides of an invocation. A caller (the gateway for a client, the node
// for a function that calls another) asks; the invoker finds a pod and brings the answer.
//
// Lives on the loop's thread. Neither side calls the other from inside a call of it, but for
// on_consumed: what a call causes comes later in the same loop turn. An invocation ends with the
// first of: an answer whose end was delivered, on_failure, on_answer_abort, or the caller's own
// abort(); nothing follows it.
//
// Flow control, both ways: at most kBodyWindowBytes of a request body are sent and not yet
// consumed; on_answer and on_answer_body return false when the caller's buffers are full, then the
// invoker waits for resume() (what it still delivers meanwhile is bounded by the pod's window).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "runtime/http/message.h"

namespace subito {

constexpr std::size_t kBodyWindowBytes = 256 << 10;

using CallerToken = std::uint64_t;  // the caller's own name for what it asked

// Who makes an invocation. Told by who made it, never by what it says: nothing that a client or a
// function sends changes it.
enum class Origin : std::uint8_t {
  kClient,    // over the gateway's port: anybody
  kFunction,  // a call of a pod
  kTrigger,   // of the function's own
  kOperator,  // over the control socket
};

// How often a delivery of a trigger is made, as the function sees it. The node's own word: what a
// client or a function sends under this name is left out.
inline constexpr std::string_view kDeliveryField = "subito-delivery";

// The name of the token that a client showed to a function that asks for one. The node's own word
// as well.
inline constexpr std::string_view kSubjectField = "subito-subject";

struct Invocation {
  FunctionId function;
  Origin origin = Origin::kClient;
  std::string method;
  std::string path;  // as the function sees it
  std::string query;
  http::Fields fields;
  std::optional<std::uint64_t> content_length;
  bool body_follows = false;
  std::string subject;  // of the token that was shown for it; empty: none was
  std::string request_id;
  std::string traceparent;
  std::string tracestate;
  bool trace_is_new = false;  // made here: there is no span that its traceparent names
  // Never longer than the function's own timeout.
  std::optional<Duration> timeout;
  std::vector<FunctionId> callers;  // functions whose calls lead here, the outermost first
  std::string client_address;       // numeric, of the TCP peer; empty: there is none
  // Its qualified name, if it asks for a token and nobody looked for one yet: whoever invokes it
  // does (call_guard.h), and takes the token away. Empty: that is done.
  std::string guarded_as = {};
};

// Where the time of an invocation went.
struct Timing {
  Duration queue{};    // arrival to a pod
  Duration start{};    // decision to start the pod to its first word; 0 for a warm one
  Duration handler{};  // the pod has it and runs, to the head of its answer
  // "warm", "pooled", "fresh", "process"; empty: it reached no pod, only `queue` counts.
  std::string_view start_kind;
};

// What clients are told of rate limits: values of RateLimit-Policy and RateLimit. Empty: nothing.
struct RateFields {
  std::string policy;
  std::string limit;
};

struct Answer {
  http::ResponseHead head;
  Timing timing;
  RateFields rate_fields = {};
};

// The invocation has no answer of its function's own.
struct Failure {
  int status = 500;
  std::string type;    // stable, "queue-full"
  std::string detail;  // for people
  std::optional<Duration> retry_after;
  Timing timing;
  RateFields rate_fields = {};
  http::Fields fields = {};  // further ones of the answer
};

class Caller {
 public:
  virtual ~Caller() = default;
  virtual bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) = 0;
  virtual bool on_answer_body(CallerToken token, std::string_view bytes, bool end) = 0;
  // The answer began and cannot be completed.
  virtual void on_answer_abort(CallerToken token) = 0;
  virtual void on_failure(CallerToken token, Failure&& failure) = 0;
  // The pod took so many bytes of the request body.
  virtual void on_consumed(CallerToken token, std::size_t bytes) = 0;
};

class Invoker {
 public:
  virtual ~Invoker() = default;
  virtual InvocationId invoke(Caller& caller, CallerToken token, Invocation&& invocation) = 0;
  virtual void body(InvocationId id, std::string_view bytes, bool end) = 0;
  virtual void resume(InvocationId id) = 0;
  virtual void abort(InvocationId id) = 0;  // the caller left
};

}  // namespace subito
