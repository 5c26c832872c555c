// Records: what the scheduler remembers of each function, pod and invocation. Plain data; only the
// Ledger changes what its lists and indices depend on.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "autoscaler/cpu_demand.h"
#include "autoscaler/estimate.h"
#include "autoscaler/policy_box.h"
#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "scheduler/ahead.h"
#include "scheduler/backoff.h"
#include "scheduler/greedy_dual.h"
#include "scheduler/heap.h"
#include "scheduler/limits.h"
#include "scheduler/queue_pace.h"
#include "scheduler/slots.h"
#include "scheduler/tenants.h"
#include "scheduler/timers.h"
#include "scheduler/view.h"

namespace subito::scheduler {

// One cache line.
struct alignas(64) Invocation {
  InvocationId id;
  std::uint64_t order = 0;  // of arrival, over all functions
  TimePoint arrived;
  TimePoint deadline;
  TimePoint since_or_until;  // in a pod: since when; while it waits: when it gives up
  Slot function = kNoSlot;
  Slot pod = kNoSlot;  // that runs it
  Link link;           // in the function's queue, or in what the pod runs
  TimerHandle timer = kNoSlot;
  std::uint8_t attempts = 0;  // kDispatchesMax at most
  bool queued = false;        // waits in the function's queue
  bool cancelled = false;     // Cancel was sent, the pod has not yielded
  bool again = false;         // only within pod_exited: goes to another pod
};
static_assert(sizeof(Invocation) == 64);

// What each invocation reads and writes comes first, in two cache lines.
struct alignas(64) Pod {
  PodId id;
  RevisionId revision;
  Slot function = kNoSlot;
  PodState state = PodState::kStarting;
  bool said_hello = false;
  bool idle = false;        // ready, and runs nothing
  bool unused = false;      // starts, and has nothing to do yet
  bool leaving = false;     // its place is free in a moment: draining and empty, or stopping
  TimePoint last_end;       // of an invocation that ran in it
  std::uint32_t ahead = 0;  // more than `concurrency` that it takes, as it said
  SlotList<Invocation, &Invocation::link> running;
  std::uint32_t concurrency = 1;  // as it was started with
  Slot room_position = kNoSlot;
  Link in_idle;                  // in the list `idle` or `unused` of its function
  std::uint64_t last_used = 0;   // a stamp, not a time: larger is later
  std::uint64_t dispatched = 0;  // in all
  std::uint64_t served = 0;
  TimePoint hello_at;
  TimePoint idle_since;
  GreedyDual::Priority keep_priority = 0;  // while idle: the lowest of the node goes first
  std::uint32_t cancelled = 0;             // of the running ones
  bool overdue = false;                    // a cancelled one did not yield in time
  bool yielding = false;                   // gives its place up, once what runs in it has ended
  bool planned = false;                    // started ahead, by the policy's plan
  bool start_timed_out = false;
  bool leaves_for_quota = false;  // so that another function of its tenant may start
  TimerHandle timer = kNoSlot;
  Link in_function;
  std::uint64_t number = 0;
  TimePoint state_since;
  TimePoint requested;
  PodShare share;  // of its tenant's quota

  bool serving() const { return state == PodState::kStarting || state == PodState::kReady; }
};

// Which pod with room is best: an idle one, the most recently used, so that the others age out;
// then a ready one, the least loaded, of these the most recently used; then one that starts, in the
// same order, but of equals the first started. Idle ones and those that start and have nothing yet
// are in lists of their own, in this order by themselves; this is of the others, which take several
// invocations at once. Where they take them ahead (ahead.h) loads do not count: the most recently
// used, idle or not, gets all that it has room for.
struct RoomKey {
  static constexpr std::uint64_t kStarting = std::uint64_t{1} << 32;
  std::uint64_t load = 0;  // kStarting more for a pod that starts
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

// What most inputs read and write comes first, in eight cache lines, down to `limits`: of many
// functions most are in no cache.
struct alignas(64) Function {
  FunctionId id;
  SlotList<Invocation, &Invocation::link> queue;  // always in order of arrival
  SlotList<Pod, &Pod::in_idle> idle;              // longest idle first
  SlotList<Pod, &Pod::in_idle> unused;            // that start and have nothing to do yet
  std::array<std::uint32_t, 4> pods_in{};         // by PodState
  std::uint32_t slots = 0;                        // concurrency of the serving pods, summed
  std::uint32_t running = 0;
  std::uint32_t pods_max = 1;  // in force
  std::uint32_t height = 0;    // of limits, as the ledger has booked it
  std::uint32_t uses = 0;      // invocations given to pods since it last had none
  TimerHandle wake_timer = kNoSlot;
  TimerHandle plan_timer = kNoSlot;
  TimerHandle idle_timer = kNoSlot;
  bool wants_start = false;              // stands in line for a place on the node
  bool removed = false;                  // only its pods are left
  bool plan_holds = false;               // `plan` is of what it carries and has now
  TimePoint plan_at = TimePoint::max();  // what plan_timer is armed for
  autoscaler::Plan plan;                 // the policy's last one
  autoscaler::Estimate service;
  autoscaler::Estimate start;
  RevisionId revision;
  Backoff backoff;
  TimePoint last_turn;  // an invocation was given to a pod or ended in one
  std::uint64_t completed = 0;
  QueuePace pace;
  SlotList<Pod, &Pod::in_function> pods;  // by number
  std::uint64_t pods_started = 0;
  autoscaler::PolicyBox policy;
  FunctionLimits limits;  // its policy last, which is seldom looked at

  Heap<RoomKey> room;  // serving pods that run something and have room for more
  Ahead ahead;
  autoscaler::CpuDemand cpu;
  TimePoint last_hello;            // of any of its pods
  std::uint64_t pods_planned = 0;  // of pods_started, those started ahead
  std::uint64_t pods_unused = 0;   // of the planned ones, those that went without an invocation
  TimePoint wake_at;               // what wake_timer is armed for
  std::uint64_t stood = 0;         // since which stand; see TurnKey
  Slot line_position = kNoSlot;
  Decision last;

  std::uint32_t in(PodState state) const { return pods_in[static_cast<std::size_t>(state)]; }
  std::uint32_t serving() const { return in(PodState::kStarting) + in(PodState::kReady); }
};

}  // namespace subito::scheduler
