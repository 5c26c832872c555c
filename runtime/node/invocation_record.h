// InvocationRecord: one invocation from its arrival until nobody needs it any more: what was asked,
// by whom, how far it is. A plain record of the Engine, on the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "autoscaler/cpu_demand.h"
#include "runtime/base/time.h"
#include "runtime/gateway/invoker.h"
#include "runtime/node/revision.h"
#include "runtime/node/traces/trace_record.h"

namespace subito::node {

//   Waiting ──dispatch──▶ Running ──head──▶ Answering ──end──▶ (gone)
//      ▲                     │ pod died, may be repeated
//      └─────────────────────┘
//   any of them ──caller left, deadline, failure──▶ Abandoned ──pod let go──▶ (gone)
enum class InvocationState : std::uint8_t { kWaiting, kRunning, kAnswering, kAbandoned };

struct InvocationRecord {
  InvocationId id;
  Caller* caller = nullptr;
  CallerToken token = 0;
  Invocation request;
  RevisionPtr revision;  // at arrival: its limits hold
  InvocationState state = InvocationState::kWaiting;
  bool known_to_scheduler = false;
  TimePoint arrived;
  TimePoint deadline;

  // Set by the last dispatch.
  PodId pod;
  std::uint32_t stream = 0;
  bool cold = false;
  std::string pod_end;  // how it ended, when it died with this invocation
  Timing timing_at_pod_end;
  Duration queued{};
  Duration waited{};  // the same, and in the pod behind others; told once its answer began

  // The request body: `sent` is what went to the pod (kept while it may have to go to another),
  // `pending` what could not be sent yet. Each is at most kBodyWindowBytes.
  std::string sent;
  std::string pending;
  std::uint64_t body_bytes = 0;  // received in all
  bool body_complete = false;
  bool repeatable = true;      // `sent` still is all that went out
  std::size_t told_again = 0;  // of what is to be sent again, the caller was told already
  bool refused = false;        // by the node itself; its answer is on its way
  int repeats = 0;             // after a pod that had taken it died

  // The answer: bytes given to the caller while its buffers were full; the pod gets its credit back
  // when they have drained.
  std::size_t unconsumed = 0;
  bool caller_blocked = false;
  int status = 0;                          // of the answer that began
  autoscaler::CpuUse cpu_use;              // as its pod told it with the answer
  RateFields rate_fields;                  // until its answer began
  std::unique_ptr<InvocationTrace> trace;  // null: it is not sampled
};

// RFC 9110, 9.2.2, or an Idempotency-Key: running it twice is as good as once.
bool is_idempotent(const Invocation& invocation);

// "GET /items/7": for logs. Without its query, which may hold what is nobody's business; printable,
// and cut at kShownPathBytesMax.
std::string shown(const Invocation& invocation);
constexpr std::size_t kShownPathBytesMax = 200;

void transition(InvocationRecord& record, InvocationState to);

}  // namespace subito::node
