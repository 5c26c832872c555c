// Ledger: the books of the scheduler. It holds all records and keeps every list, index and count
// true to them; it decides nothing and emits nothing. Owned by the Core, same thread.
//
// Slots stay valid until the matching remove; references to records as long as their slot.
#pragma once

#include <cstdint>

#include "scheduler/id_map.h"
#include "scheduler/records.h"

namespace subito::scheduler {

class Ledger {
 public:
  // --- find; kNoSlot: not there
  Slot find(FunctionId id) const { return function_ids_.find(id); }
  Slot find(PodId id) const { return pod_ids_.find(id); }
  Slot find(InvocationId id) const { return invocation_ids_.find(id); }
  Function& function(Slot slot) { return functions_[slot]; }
  Pod& pod(Slot slot) { return pods_[slot]; }
  Invocation& invocation(Slot slot) { return invocations_[slot]; }
  const Function& function(Slot slot) const { return functions_[slot]; }
  const Pod& pod(Slot slot) const { return pods_[slot]; }
  // Free slots among them have no id.
  Slot functions_end() const { return functions_.end(); }

  // --- functions
  Slot add_function(FunctionId id);
  // The id is free again; the record lives until release_function().
  void retire_function(Slot slot);
  void release_function(Slot slot);

  // --- pods
  Slot add_pod(Slot function, TimePoint now);
  // The only way a pod's state changes. Legal: forwards (see PodState).
  void transition(Slot pod, PodState to, TimePoint now);
  void hello(Slot pod, TimePoint now);
  void remove_pod(Slot pod);  // must run nothing

  // --- invocations
  Slot add_invocation(InvocationId id, Slot function, TimePoint now, TimePoint deadline);
  void assign(Slot invocation, Slot pod, TimePoint now);  // out of the queue, into the pod
  void unassign(Slot invocation, TimePoint now);          // out of the pod, nowhere yet
  // From nowhere into the queue, where its order of arrival belongs. Several: youngest first.
  void requeue(Slot invocation);
  void forget(Slot invocation);  // from the queue, or from nowhere
  void set_cancelled(Slot invocation);

  // --- lists
  // The next in the same queue or running list; the next pod of the same function.
  Slot next_invocation(Slot slot) const { return invocations_[slot].link.after; }
  Slot next_pod(Slot slot) const { return pods_[slot].in_function.after; }

  // --- the line of functions that want a pod and found the node full
  void stand_in_line(Slot function);
  void leave_line(Slot function);
  Slot first_in_line() const { return line_.front(); }
  std::uint32_t line_length() const { return line_.size(); }

  // --- functions with pods that may be evicted
  void set_evictable(Slot function, bool evictable);
  bool evictable() const { return !evict_.empty(); }
  Slot evict_first() const { return evict_.top(); }
  // This pod, idle, is given up for another.
  void give_up(Slot pod) { greedy_dual_.given_up(pods_[pod].keep_priority); }

  Timers& timers() { return timers_; }
  const Timers& timers() const { return timers_; }

  // --- counts over the node
  std::uint32_t functions() const { return static_cast<std::uint32_t>(function_ids_.size()); }
  std::uint32_t pods() const { return static_cast<std::uint32_t>(pod_ids_.size()); }
  std::uint32_t starting() const { return starting_; }  // no hello yet, in whatever state
  std::uint32_t leaving() const { return leaving_; }
  std::uint32_t waiting() const { return waiting_; }
  std::uint32_t running() const { return running_; }

 private:
  void enqueue(Slot invocation, Slot before);
  void dequeue(Slot invocation);
  void reindex(Slot pod, TimePoint now);
  void set_idle(Slot pod, bool idle, TimePoint now);

  Slots<Function> functions_;
  Slots<Pod> pods_;
  Slots<Invocation> invocations_;
  IdMap<FunctionId> function_ids_;
  IdMap<PodId> pod_ids_;
  IdMap<InvocationId> invocation_ids_;
  Timers timers_;
  Heap<EvictKey> evict_;
  GreedyDual greedy_dual_;
  SlotList<Function, &Function::in_line> line_;
  IdSource<PodId> pod_source_;
  std::uint64_t order_ = 0;
  std::uint64_t stamp_ = 0;
  std::uint32_t starting_ = 0;
  std::uint32_t leaving_ = 0;
  std::uint32_t waiting_ = 0;
  std::uint32_t running_ = 0;
};

}  // namespace subito::scheduler
