// Effects: what the scheduler decided and its owner must now do, in this order. Plain values: the
// node acts on them after the call returned, the simulator turns them into events.
//
// Every effect bears its reason, as an enum for programs and by to_string() or words() for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "autoscaler/policy.h"
#include "runtime/base/id.h"
#include "runtime/base/time.h"

namespace subito::scheduler {

enum class StartWhy : std::uint8_t {
  kWaiting,  // somebody waits; StartPod::policy says why waiting was not good enough
  kMinimum,  // fewer pods than the function's minimum
  kPlanned,  // fewer than its policy's plan wants; StartPod::plan says why it wants them
};

// Start a pod. Answer with pod_ready() and, always, in the end pod_exited().
struct StartPod {
  PodId pod;  // named by the scheduler, never used twice
  FunctionId function;
  RevisionId revision;
  std::uint64_t number = 0;  // counts the function's pods from 1: the 7 of "catalogue-7"
  StartWhy why = StartWhy::kWaiting;
  autoscaler::StartReason policy = autoscaler::StartReason::kNothingRuns;
  autoscaler::PlanReason plan = autoscaler::PlanReason::kIdleTime;
  std::uint32_t waiting = 0;  // invocations that waited when it was decided
};

// Write the invocation to the pod's channel at once, also when the pod has not been exec'ed yet.
struct Dispatch {
  InvocationId invocation;
  PodId pod;
  bool cold = false;          // the pod had not said hello: the invocation waits for its start
  Duration queued{};          // since arrival
  std::uint32_t attempt = 1;  // above 1: earlier pods died before taking it
};

enum class CancelReason : std::uint8_t {
  kDeadline,    // the invocation's deadline passed in the pod: answer 504 now
  kClientLeft,  // cancelled() was called
};

// Tell the pod to give the invocation up. Its slot stays taken until the pod says so, by
// completed(), or dies: a handler that has not stopped still uses the pod.
struct Cancel {
  InvocationId invocation;
  PodId pod;
  CancelReason reason = CancelReason::kDeadline;
};

enum class RefuseReason : std::uint8_t {  // with the status to answer
  kQueueFull,                             // 429 the function's queue is at its limit
  kQueueTooLong,                          // 429 the queue ahead takes longer than it may wait
  kInFlightLimit,                         // 429 as many of the function are in flight as may
  kQueueTimeout,                          // 503 waited for queue_timeout
  kDeadline,                              // 504 the deadline passed before a pod was free
  kCrashLoop,                             // 503 the function's pods end as soon as they start
  kFunctionGone,                          // 404 no such function, or it was removed meanwhile
  kQuota,        // 429 the pods of its tenant take all that its quota allows
  kNodeFull,     // 503 no room for another pod, or too many waiting on the node
  kPodDied,      // 502 the pod that had taken it died
  kStartFailed,  // 503 kDispatchesMax pods died before taking it
  kNodeClosing,  // 503 the node is shutting down
};
int http_status(RefuseReason reason);

// The end of an invocation that no pod completed. The scheduler has forgotten it already.
struct Refuse {
  InvocationId invocation;
  RefuseReason reason = RefuseReason::kQueueFull;
  Duration retry_after{};  // 0: do not tell one; else within kRetryAfterMin and kRetryAfterMax
  Duration queued{};       // since arrival
};

enum class DrainReason : std::uint8_t {
  kIdle,          // nothing to do for the idle timeout
  kEvicted,       // idle; the node is full and another function waits
  kYielded,       // busy; the node is full and another function has less than its share
  kQuota,         // idle; another function of its tenant waits, whose quota is reached
  kScaledDown,    // the maximum was lowered
  kOldRevision,   // the function has a new revision
  kRemoved,       // the function was removed
  kUnresponsive,  // a cancelled handler does not yield, and others still run beside it
  kWornOut,       // it was given pod_dispatches_max invocations
  kClosing,       // the node is shutting down
};

// Ask the pod to end after what it has been given. Nothing more is dispatched to it.
struct DrainPod {
  PodId pod;
  FunctionId function;
  DrainReason reason = DrainReason::kIdle;
  Duration idle{};           // how long it had been idle; 0 when it was not
  std::uint64_t served = 0;  // invocations it completed
  bool unused = false;       // started ahead by a plan, and it was given no invocation
};

enum class StopReason : std::uint8_t {
  kStartTimeout,  // no hello within start_timeout
  kDrainTimeout,  // asked to end, did not
  kUnresponsive,  // a cancelled handler did not yield within cancel_grace
};

// Kill the pod now.
struct StopPod {
  PodId pod;
  FunctionId function;
  StopReason reason = StopReason::kDrainTimeout;
};

using Effect = std::variant<StartPod, Dispatch, Cancel, Refuse, DrainPod, StopPod>;
using Effects = std::vector<Effect>;

std::string_view to_string(StartWhy why);
std::string_view to_string(CancelReason reason);
std::string_view to_string(RefuseReason reason);
std::string_view to_string(DrainReason reason);
std::string_view to_string(StopReason reason);

// For `get pods -w` and the events of `describe`: "1 waiting: no pod runs", "asleep after 4 s idle,
// 12 requests".
std::string words(const StartPod& start);
std::string words(const DrainPod& drain);
std::string words(const StopPod& stop);
// "900 µs", "1.1 ms", "12 ms", "4 s", "2.5 min": one decimal below 10.
std::string words(Duration duration);

}  // namespace subito::scheduler
