// What is kept of a sampled invocation, or call, until its spans are made. Plain records.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/time.h"
#include "runtime/traces/trace_context.h"

namespace subito::node {

inline constexpr std::size_t kTraceFailureBytesMax = 64;

struct InvocationTrace {
  traces::TraceContext from;  // its span asks
  std::uint64_t server = 0;   // id of the invocation's own span
  std::uint64_t handler = 0;
  std::uint64_t spans_dropped = 0;  // of its pod's
  TimePoint lost;       // when a pod that had it died before another got it; none: none did
  TimePoint answered;   // its answer was complete, before its caller heard of it; none: it was not
  std::string failure;  // of the node, or what its handler threw; in a word
};

struct CallTrace {
  traces::TraceContext from;  // the caller's handler
  std::uint64_t id = 0;
  TimePoint begun;
  std::string caller;
  std::string called;
  std::string method;
  std::string tracestate;
};

}  // namespace subito::node
