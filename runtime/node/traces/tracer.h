// Tracer: makes the spans of sampled invocations and of the calls that functions make.
//
//   GET checkout                 server     arrival to the end of the answer
//   ├─ queue                     internal   until a pod has it
//   ├─ start                     internal   only where it waited for one: sandbox, exec, hello
//   below it └─ handler                   internal   what the function's traceparent names
//      ├─ HGET                   client     a batch of commands of Redis, as the pod tells it
//      └─ call stock             client     until its answer is complete
//         └─ GET stock           server
//
// Owned by the node, on the loop's thread. What it makes goes to a sink, which must not call back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/base/time.h"
#include "runtime/node/invocation_record.h"
#include "runtime/node/pod_table.h"
#include "runtime/traces/span.h"

namespace subito::node {

// Of a pod's spans: further ones are left out, and counted in the handler's.
inline constexpr int kPodSpansMax = 64;

class Tracer {
 public:
  using Sink = std::function<void(traces::Span&&)>;
  explicit Tracer(Sink sink);

  // For a record with a sampled traceparent: from here on the handler's span is what its request
  // names. Once for each invocation.
  void begin(InvocationRecord& record);
  // It was answered with that status (0: its caller left). `pod`: null if that is gone.
  void end(const InvocationRecord& record, const Pod* pod, int status, const Timing& timing,
           TimePoint now);
  // What the pod did for it, as it says; told with its answer.
  void pod_spans(const InvocationRecord& record, const protocol::Result& result,
                 const Timing& timing, TimePoint now);

  // A call that a traced invocation makes: what is called gets the call's span for its parent.
  std::unique_ptr<CallTrace> begin_call(const InvocationRecord& caller, const std::string& called,
                                        Invocation& invocation, TimePoint now);
  // `failure`: why there was no answer; empty: there was, with that status.
  void end_call(const CallTrace& call, int status, const std::string& failure, TimePoint now);

 private:
  std::uint64_t new_id();
  traces::Span span(const InvocationRecord& record, std::string name, std::uint64_t parent,
                    TimePoint begin, TimePoint end);
  void start_spans(const InvocationRecord& record, const Pod* pod, TimePoint begin, TimePoint end);
  std::int64_t unix_ns(TimePoint time) const { return time.time_since_epoch().count() + offset_; }
  void look_at_clock(TimePoint now);

  const Sink sink_;
  std::uint64_t state_ = 0;  // of the ids
  std::int64_t offset_ = 0;  // of Unix time to our own
};

}  // namespace subito::node
