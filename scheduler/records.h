// Records: what the scheduler remembers of each function, pod and invocation. Plain data; only the
// Ledger changes what its lists and indices depend on.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>

#include "autoscaler/cpu_demand.h"
#include "autoscaler/estimate.h"
#include "autoscaler/policy.h"
#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "scheduler/ahead.h"
#include "scheduler/backoff.h"
#include "scheduler/greedy_dual.h"
#include "scheduler/heap.h"
#include "scheduler/limits.h"
#include "scheduler/slots.h"
#include "scheduler/timers.h"
#include "scheduler/view.h"

namespace subito::scheduler {

struct Invocation {
  InvocationId id;
  std::uint64_t order = 0;  // of arrival, over all functions
  Slot function = kNoSlot;
  Slot pod = kNoSlot;   // that runs it
  bool queued = false;  // waits in the function's queue
  Link link;            // in the function's queue, or in what the pod runs
  TimerHandle timer = kNoSlot;
  TimePoint arrived;
  TimePoint deadline;
  TimePoint give_up_at;  // while waiting
  TimePoint dispatched;
  std::uint32_t attempts = 0;
  bool cancelled = false;  // Cancel was sent, the pod has not yielded
  bool again = false;      // only within pod_exited: goes to another pod
};

struct Pod {
  PodId id;
  RevisionId revision;
  std::uint64_t number = 0;
  Slot function = kNoSlot;
  PodState state = PodState::kStarting;
  TimePoint state_since;
  TimePoint requested;
  bool said_hello = false;
  TimePoint hello_at;
  std::uint32_t concurrency = 1;  // as it was started with
  std::uint32_t ahead = 0;        // more than that it takes, as it said
  TimePoint last_end;             // of an invocation that ran in it
  SlotList<Invocation, &Invocation::link> running;
  std::uint32_t cancelled = 0;  // of the running ones
  bool overdue = false;         // a cancelled one did not yield in time
  bool start_timed_out = false;
  std::uint64_t dispatched = 0;  // in all
  std::uint64_t served = 0;
  bool planned = false;         // started ahead, by the policy's plan
  std::uint64_t last_used = 0;  // a stamp, not a time: larger is later
  bool idle = false;            // ready, and runs nothing
  TimePoint idle_since;
  GreedyDual::Priority keep_priority = 0;  // while idle: the lowest of the node goes first
  bool leaving = false;   // its place is free in a moment: draining and empty, or stopping
  bool yielding = false;  // gives its place up, once what runs in it has ended
  Link in_function;
  Link in_idle;
  Slot room_position = kNoSlot;
  TimerHandle timer = kNoSlot;

  bool serving() const { return state == PodState::kStarting || state == PodState::kReady; }
};

// Which pod with room is best: a ready one before a starting one, then the least loaded, then the
// most recently used, so that the others age out (of starting ones, the first started). With
// concurrency 1 all that have room have load 0. So have those that take invocations ahead
// (ahead.h): the most recently used gets all that it has room for.
struct RoomKey {
  std::uint64_t load = 0;  // 2^32 more for a pod that starts
  std::uint64_t turn = 0;  // from last_used, different for every pod
  friend bool operator<(const RoomKey& a, const RoomKey& b) {
    return a.load != b.load ? a.load < b.load : a.turn < b.turn;
  }
};

// Whose turn it is among functions that stand in line for a place: who holds least for its weight;
// of equals, who has stood longest.
struct TurnKey {
  std::uint64_t held = 0;   // serving pods by weight
  std::uint64_t stood = 0;  // different for every stand
  friend auto operator<=>(const TurnKey&, const TurnKey&) = default;
};

struct Function {
  FunctionId id;
  RevisionId revision;
  FunctionLimits limits;
  std::uint32_t pods_max = 1;  // in force
  std::uint32_t height = 0;    // of limits, as the ledger has booked it
  std::unique_ptr<autoscaler::Policy> policy;
  autoscaler::Plan plan;  // its last one
  autoscaler::Estimate service;
  autoscaler::Estimate start;
  autoscaler::CpuDemand cpu;
  Ahead ahead;
  Backoff backoff;
  Decision last;

  SlotList<Invocation, &Invocation::link> queue;  // always in order of arrival
  SlotList<Pod, &Pod::in_function> pods;          // by number
  SlotList<Pod, &Pod::in_idle> idle;              // longest idle first
  Heap<RoomKey> room;                             // serving pods with a free slot
  std::array<std::uint32_t, 4> pods_in{};         // by PodState
  std::uint32_t slots = 0;                        // concurrency of the serving pods, summed
  std::uint32_t running = 0;
  autoscaler::Estimate drain;  // from one end to the next, while others wait
  TimePoint drained_at;        // the last such end; TimePoint(): nobody waited
  TimePoint last_turn;         // an invocation was given to a pod or ended in one
  std::uint64_t completed = 0;
  std::uint32_t uses = 0;  // invocations given to pods since it last had none
  std::uint64_t pods_started = 0;
  std::uint64_t pods_planned = 0;  // of these, those started ahead
  std::uint64_t pods_unused = 0;   // of the planned ones, those that went without an invocation
  TimePoint last_hello;            // of any of its pods

  TimerHandle wake_timer = kNoSlot;
  TimePoint wake_at;
  TimerHandle plan_timer = kNoSlot;
  TimePoint plan_at = TimePoint::max();  // what it is armed for
  TimerHandle idle_timer = kNoSlot;
  bool wants_start = false;  // stands in line for a place on the node
  std::uint64_t stood = 0;   // since which stand; see TurnKey
  Slot line_position = kNoSlot;
  bool removed = false;  // only its pods are left

  std::uint32_t in(PodState state) const { return pods_in[static_cast<std::size_t>(state)]; }
  std::uint32_t serving() const { return in(PodState::kStarting) + in(PodState::kReady); }
};

}  // namespace subito::scheduler
