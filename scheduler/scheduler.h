// Scheduler: decides which pod serves which invocation, and when pods start and end. One per node,
// owned by the node's shell (or the simulator), used from one thread; it holds no clock, thread or
// descriptor. The owner reports what happened, with the time; the scheduler appends what must be
// done to `effects`; the owner acts after the call returned. Nothing re-enters.
//
//   arrive ──▶ [a pod has room?] ──▶ Dispatch
//                 │ no
//                 ▼
//              queue ──▶ [start or wait? autoscaler] ──▶ StartPod, Dispatch to the starting pod
//                                                  └──▶ a completed() hands it over later
//
// How an invocation ends, exactly one of: completed() by the owner, a Refuse effect, or cancelled()
// by the owner. A Cancel effect is not an end: the owner answers the client, then still reports
// completed() when the pod yields (if the pod dies, pod_exited() says it all).
//
// Time: `now` may stand still but not go back (an earlier one counts as the latest seen). Each call
// first does what has come due by `now`, so decisions do not depend on when a timer fires.
// Ids of things gone are ignored by completed, given_back, cancelled, pod_ready and pod_exited.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "scheduler/effects.h"
#include "scheduler/limits.h"
#include "scheduler/view.h"

namespace subito::scheduler {

class Core;
class InputObserver;

enum class ExitKind : std::uint8_t {
  kDrained,      // ended by itself with status 0
  kCrashed,      // ended by itself with another status or a signal, or broke the protocol
  kStartFailed,  // never ran the function
  kKilled,       // by StopPod
  kOutOfMemory,
};
std::string_view to_string(ExitKind kind);

struct Arrival {
  InvocationId invocation;  // the owner's, unique among the living ones
  FunctionId function;
  TimePoint deadline = TimePoint::max();  // from the arrival on the scheduler watches it
  // A call of another function: it belongs to an invocation that was let in, and what the node
  // refuses to newcomers it may still have.
  bool nested = false;
};

class Scheduler {
 public:
  explicit Scheduler(const NodeLimits& node);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // --- functions. Limits must be without fault(); a function is added once, changed after that.
  void add_function(TimePoint now, FunctionId function, RevisionId revision,
                    const FunctionLimits& limits, Effects& effects);
  // Another revision: its pods take over the queue, the old ones drain, failures are forgotten.
  // The same revision: new limits only.
  void update_function(TimePoint now, FunctionId function, RevisionId revision,
                       const FunctionLimits& limits, Effects& effects);
  // Who waits is refused, what runs is finished, pods drain. The id may be added again at once.
  void remove_function(TimePoint now, FunctionId function, Effects& effects);
  void scale(TimePoint now, FunctionId function, std::uint32_t pods_min,
             std::optional<std::uint32_t> pods_max, Effects& effects);

  // What all pods of a tenant may take together (FunctionLimits::tenant, below kTenantsMax). Pods
  // that are beyond it are not ended for it.
  void set_quota(TimePoint now, std::uint32_t tenant, const TenantQuota& quota, Effects& effects);

  // --- invocations
  void arrive(TimePoint now, const Arrival& arrival, Effects& effects);
  // The pod answered, with whatever result, or acknowledged a Cancel: the slot is free. An
  // answer in hand is never cancelled, even if its deadline is over by now. `use`: what its pod
  // tells of it, if anything.
  void completed(TimePoint now, InvocationId invocation, Effects& effects,
                 const autoscaler::CpuUse& use = {});
  // A pod that took it ahead (pod_ready) has not begun it and will not: another pod may have it. It
  // goes to where it was in the queue.
  void given_back(TimePoint now, InvocationId invocation, Effects& effects);
  // The client left. Waiting: forgotten. In a pod: a Cancel effect, and the slot stays taken until
  // completed(); a pod that does not yield within cancel_grace is killed.
  void cancelled(TimePoint now, InvocationId invocation, Effects& effects);

  // --- pods
  // It said hello. `ahead`: how many invocations it takes behind those that run, and begins in the
  // order of their dispatch; 0 where its concurrency is above 1.
  void pod_ready(TimePoint now, PodId pod, Effects& effects, std::uint32_t ahead = 0);
  // The pod is gone and its channel read to the end. `again`: invocations of it to give to another
  // pod, in any order: those it never took, and those the owner may repeat (idempotent). They go to
  // the front of the queue in order of arrival. All others in it are refused with kPodDied, unless
  // they were cancelled. No effect asks anything of this pod from here on, but for a Cancel that
  // was due before: the owner answers the client.
  void pod_exited(TimePoint now, PodId pod, ExitKind kind, std::span<const InvocationId> again,
                  Effects& effects);

  // --- time
  void expire(TimePoint now, Effects& effects);
  // When to call expire(): one timer does. TimePoint::max(): nothing is due ever.
  TimePoint next_deadline() const;

  // Shutting down: arrivals are refused, who waits is served, idle pods drain at once. empty() is
  // true when the last pod is gone.
  void close(TimePoint now, Effects& effects);
  bool empty() const;

  // An input about it is to come: hints, which change nothing. What is known of many functions is
  // in no cache; who knows what comes next, as a simulator does, has it fetched meanwhile.
  void fetch(FunctionId function) const;
  void fetch_more(FunctionId function) const;  // behind what fetch() asked for a while ago
  void fetch(InvocationId invocation) const;

  // Who is told of every input (inputs.h), from here on; null: nobody.
  void observe(InputObserver* observer) { observer_ = observer; }

  // --- for people
  std::optional<FunctionView> function(FunctionId function) const;
  std::optional<PodView> pod(PodId pod) const;
  NodeView node() const;

 private:
  template <typename In>
  void tell(const In& input, const Effects& effects, std::size_t before) const;

  std::unique_ptr<Core> core_;
  InputObserver* observer_ = nullptr;
};

}  // namespace subito::scheduler
