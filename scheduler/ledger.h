// Ledger: the books of the scheduler. It holds all records and keeps every list, index and count
// true to them; it decides nothing and emits nothing. Owned by the Core, same thread.
//
// Slots stay valid until the matching remove; references to records as long as their slot.
#pragma once

#include <array>
#include <cstdint>

#include "scheduler/evict_order.h"
#include "scheduler/id_map.h"
#include "scheduler/places.h"
#include "scheduler/records.h"

namespace subito::scheduler {

class Ledger {
 public:
  explicit Ledger(const NodeLimits& limits) : places_(limits.pods_max), soon_(limits.pods_max) {}

  // --- find; kNoSlot: not there
  Slot find(FunctionId id) const { return function_ids_.find(id); }
  Slot find(PodId id) const { return pod_ids_.find(id); }
  Slot find(InvocationId id) const { return invocation_ids_.find(id); }
  Function& function(Slot slot) { return functions_[slot]; }
  Pod& pod(Slot slot) { return pods_[slot]; }
  Invocation& invocation(Slot slot) { return invocations_[slot]; }
  const Function& function(Slot slot) const { return functions_[slot]; }
  const Pod& pod(Slot slot) const { return pods_[slot]; }
  const Invocation& invocation(Slot slot) const { return invocations_[slot]; }
  // Asks for what an input will read of the function, in one go: of many functions most are in no
  // cache, and to meet one line after the other takes as long as all of them together. It changes
  // nothing.
  void fetch(Slot function) const;
  void fetch_more(Slot function) const;          // what its record leads to, once that is there
  void fetch_invocation(Slot invocation) const;  // with its pod and its function
  // Free slots among them have no id.
  Slot functions_end() const { return functions_.end(); }

  // --- functions
  Slot add_function(FunctionId id);
  // The id is free again; the record lives until release_function().
  void set_height(Slot function, std::uint32_t height);
  void retire_function(Slot slot);
  void release_function(Slot slot);

  // --- pods
  Slot add_pod(Slot function, TimePoint now);
  // The only way a pod's state changes. Legal: forwards (see PodState).
  void transition(Slot pod, PodState to, TimePoint now);
  void hello(Slot pod, TimePoint now, std::uint32_t ahead);
  // Its pods have as much room as its Ahead says now.
  void refresh_room(Slot function, TimePoint now);
  void remove_pod(Slot pod);  // must run nothing

  // --- invocations
  Slot add_invocation(InvocationId id, Slot function, TimePoint now, TimePoint deadline);
  void assign(Slot invocation, Slot pod, TimePoint now);  // out of the queue, into the pod
  void unassign(Slot invocation, TimePoint now);          // out of the pod, nowhere yet
  // From nowhere into the queue, where its order of arrival belongs. Several: youngest first.
  void requeue(Slot invocation);
  void forget(Slot invocation);  // from the queue, or from nowhere
  void set_cancelled(Slot invocation);

  // Whether it waits in its pod for those before it.
  bool is_ahead(Slot invocation) const;

  // --- lists
  // The next in the same queue or running list; the next pod of the same function.
  Slot next_invocation(Slot slot) const { return invocations_[slot].link.after; }
  Slot next_pod(Slot slot) const { return pods_[slot].in_function.after; }
  // The pod of the function that a newcomer is best given to; kNoSlot: none has room.
  Slot best_with_room(Slot function, TimePoint now) const;

  // --- the line of functions that want a pod and found the node full. Next is who holds the fewest
  // serving pods for its weight, so that places and starts come to be shared by weight (max-min
  // fairness), whoever came first and however much each asks for.
  void stand_in_line(Slot function);
  void leave_line(Slot function);
  void place_in_line(Slot function);  // again, where what it holds puts it, if it stands in it
  Slot first_with_room() const;       // kNoSlot: nobody in line may have a place now
  Slot first_in_line(std::uint32_t height) const { return lines_[height].top(); }
  std::uint32_t line_length(std::uint32_t height) const {
    return static_cast<std::uint32_t>(lines_[height].size());
  }
  bool anyone_in_line() const { return standing_ > 0; }

  // --- pods that were told to give their place up and still run something
  void set_yielding(Slot pod);
  std::uint32_t yielding() const { return yielding_; }

  // --- functions with pods that may be evicted
  void set_evictable(Slot function, bool evictable);
  bool evictable() const { return !evict_.empty(); }
  // Of those from `height` on; kNoSlot: there is none.
  Slot evict_first(std::uint32_t height) { return evict_.first(height); }
  // This pod, idle, is given up for another.
  void give_up(Slot pod) { greedy_dual_.given_up(pods_[pod].keep_priority); }

  // --- places on the node; `soon`: when those that leave are gone
  const Places& places() const { return places_; }
  const Places& places_soon() const { return soon_; }

  Timers& timers() { return timers_; }
  const Timers& timers() const { return timers_; }

  // --- counts over the node
  std::uint32_t functions() const { return static_cast<std::uint32_t>(function_ids_.size()); }
  std::uint32_t pods() const { return static_cast<std::uint32_t>(pod_ids_.size()); }
  std::uint32_t starting() const { return starting_; }  // no hello yet, in whatever state
  std::uint32_t waiting() const { return waiting_; }
  std::uint32_t running() const { return running_; }

 private:
  void enqueue(Slot invocation, Slot before);
  void dequeue(Slot invocation);
  void reindex(Slot pod, TimePoint now);
  void set_idle(Slot pod, bool idle, TimePoint now);
  void set_unused(Slot pod, bool unused);
  std::uint32_t capacity(const Pod& pod) const;
  bool takes_long(const Pod& pod, TimePoint now) const;
  auto line_positions() {
    return [this](Slot at) -> Slot& { return functions_[at].line_position; };
  }

  Slots<Function> functions_;
  Slots<Pod> pods_;
  Slots<Invocation> invocations_;
  IdMap<FunctionId> function_ids_;
  IdMap<PodId> pod_ids_;
  IdMap<InvocationId> invocation_ids_;
  Timers timers_;
  Places places_;
  Places soon_;
  EvictOrder evict_;
  GreedyDual greedy_dual_;
  std::array<Heap<TurnKey>, kHeightMax + 1> lines_;  // by height
  std::uint32_t standing_ = 0;
  std::uint32_t yielding_ = 0;
  std::uint64_t stands_ = 0;
  IdSource<PodId> pod_source_;
  std::uint64_t order_ = 0;
  std::uint64_t stamp_ = 0;
  std::uint32_t starting_ = 0;
  std::uint32_t waiting_ = 0;
  std::uint32_t running_ = 0;
};

}  // namespace subito::scheduler
