// Simulation: one run of a workload on one node, by discrete events, through the very
// scheduler::Scheduler that serves live. Events are ordered by time; of the same time calls that
// end come first, then pods that are ready or gone (in the order in which that was arranged), then
// what the scheduler set itself a deadline for, then arrivals.
//
// What is simulated: cores (cpu.h), each pod's time to start (drawn by function and number, so that
// policies meet the same starts) and its end kPodEnd after it was told to, each call's time on a
// core (the workload's). All of a call is computing, but for the time it waits for calls of its own
// (Plan::named): then its pod holds no core. Of a start Setup::start_cpu is computing. Memory
// bounds the number of pods (Setup::node), as the scheduler counts pods, not bytes.
//
// Everything of a node is in this class but the workload: several nodes are several of these behind
// one that routes arrivals. Owned by whoever runs it, one thread, no clock.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "bench/simulate/cpu.h"
#include "bench/simulate/distribution.h"
#include "bench/simulate/event_queue.h"
#include "bench/simulate/outcome.h"
#include "bench/simulate/pod_books.h"
#include "bench/simulate/tally.h"
#include "bench/simulate/workload.h"
#include "scheduler/call_graph.h"
#include "scheduler/cpu_shares.h"
#include "scheduler/digest.h"
#include "scheduler/id_map.h"
#include "scheduler/inputs.h"
#include "scheduler/scheduler.h"

namespace subito::simulate {

// From DrainPod or StopPod, once nothing runs, to the exit.
inline constexpr Duration kPodEnd = std::chrono::milliseconds(1);

struct Setup {
  std::string policy;  // for the Outcome; the kind is in `limits`
  scheduler::NodeLimits node;
  scheduler::FunctionLimits limits;  // of every function, unless the plan has some; then the policy
  std::optional<Duration> idle;      // in place of idle_timeout, in either
  std::uint32_t cores = 0;           // 0: never short of them
  // Functions share the cores by their weights, as live (scheduler/cpu_shares.h); else pods do, all
  // alike.
  bool cores_by_function = false;
  Distribution cold_start = Distribution::fixed(std::chrono::milliseconds(1));
  Duration start_cpu{};  // of a start: work on a core; without a core it takes longer
  Duration timeout{};    // of an invocation; 0: none
  std::uint64_t seed = 1;
};

class Simulation {
 public:
  Simulation(const Setup& setup, const Plan& plan);

  // Tells it all that the scheduler is told.
  void record(scheduler::InputObserver& observer) { scheduler_.observe(&observer); }

  // Asked now and then with how far the run is, 0 to 1; false: stop, the outcome is of what was.
  using GoOn = std::function<bool(double progress)>;
  // Once. Ends when the workload is over and every invocation has ended.
  Outcome run(const GoOn& go_on);

 private:
  enum class Stage : std::uint8_t {
    kWaiting,  // in the scheduler, or in a pod that starts
    kRunning,  // on a core
    kCalling,  // in its pod, for an invocation of its own
  };
  // An invocation, from its arrival to its end.
  struct Job {
    TimePoint arrived;
    TimePoint begun;
    TimePoint deadline = TimePoint::max();
    Duration service{};  // of its own
    Duration alone{};    // what it takes without any waiting: its calls included, once they ended
    TimePoint on_core_since;   // while it runs
    Duration on_core{};        // until then, the wait for a part of a core included
    std::uint64_t number = 0;  // of all arrivals, from 1
    std::uint64_t draw = 0;    // what its calls take is drawn by this, whatever the policy
    InvocationId caller;       // who waits for it, if anybody
    InvocationId called;       // what it waits for, if anything
    std::uint32_t function = 0;
    std::uint32_t calls = 0;  // that it made
    Slot pod = kNoSlot;
    Stage stage = Stage::kWaiting;
    bool cold = false;
    scheduler::Link link;  // in Pod::jobs
  };
  struct Pod {
    PodId id;
    std::uint32_t function = 0;
    TimePoint started;
    TimePoint busy_since;
    std::uint32_t share = scheduler::CpuShares::kShareAtStart;  // of the cores, if by function
    std::uint32_t running = 0;                                  // of `jobs`, those on a core
    bool ready = false;
    bool starting_works = false;  // its start is on a core
    bool start_passed = false;    // its start has no more to wait for but the core
    bool going = false;           // told to end
    scheduler::SlotList<Job, &Job::link> jobs;
  };

  static constexpr std::size_t kAhead = 8;  // arrivals are drawn before their time
  static constexpr std::size_t kNear = 3;   // of them this one is near

  // Ids count up, as a node's do, and lead to the slot.
  static constexpr int kSlotBits = 24;
  InvocationId id_of(Slot job) const { return InvocationId(jobs_[job].number << kSlotBits | job); }
  static Slot slot_of(InvocationId id) {
    return static_cast<Slot>(id.value() & ((1U << kSlotBits) - 1));
  }

  Slot find(InvocationId id) const;  // kNoSlot: it ended
  const scheduler::FunctionLimits& limits_of(std::size_t function) const;

  void add_functions();
  bool step();  // false: it is over
  void draw_ahead();
  const Arrival& next_arrival() const { return arrivals_[first_arrival_]; }
  void look_ahead();
  void arrive();
  void enter(Slot job);
  void end_work();
  void complete(Slot job);
  void pod_event();
  void pod_ready(Slot slot);
  void pod_exits(Slot slot, bool killed);
  void act();
  void on(const scheduler::Effect& effect);
  void on(const scheduler::StartPod& start);
  void on(const scheduler::Dispatch& dispatch);
  void on(const scheduler::Cancel& cancel);
  void on(const scheduler::Refuse& refuse);
  void on(const scheduler::DrainPod& drain);
  void on(const scheduler::StopPod& stop);
  void begin(Slot job);
  void end(Slot job);
  void leave_pod(Slot job);
  void end_pod_later(Pod& pod, bool killed);
  Outcome outcome();

  // --- simulation_calls.cc: calls between functions, and cores
  const NestedCall* next_call(const Job& job) const;
  void call(Slot caller, const NestedCall& call);
  bool refused_by_chain(const Job& caller, const NestedCall& call);
  void answer(InvocationId caller, Duration alone);
  void fail(InvocationId caller);
  void orphaned(InvocationId id);
  Duration work_of(const Job& job) const;
  void run(Slot job);
  void leave_core(Slot job);
  autoscaler::CpuUse cpu_use_of(const Job& job) const;
  std::uint32_t share_of(const Pod& pod) const;
  void share_out(const Pod& pod);
  void tell(scheduler::CpuShares::Tell tell);

  const Setup setup_;
  const Plan& plan_;
  const TimePoint end_;
  const std::unique_ptr<Workload> workload_;
  scheduler::Scheduler scheduler_;
  scheduler::Effects effects_;
  scheduler::Digest digest_;
  Cpu cpu_;  // its jobs: twice the slot of a job, or one more than that of a pod
  scheduler::CpuShares shares_;  // unless pods are all alike
  Tally tally_;
  PodBooks books_;
  scheduler::Slots<Job> jobs_;
  scheduler::Slots<Pod> pods_;
  scheduler::IdMap<PodId> pod_slots_;
  EventQueue events_;
  std::vector<InvocationId> yielded_;  // to be reported behind the effects of now
  std::vector<InvocationId> reported_;
  std::vector<InvocationId> orphans_;  // nobody waits for them: to be cancelled
  std::vector<FunctionId> chain_;
  std::array<Arrival, kAhead> arrivals_;  // drawn and to come: a ring
  std::size_t first_arrival_ = 0;         // in it
  std::size_t drawn_ahead_ = 0;           // of them; 0: there are no more
  bool more_ = true;                      // there may be more to draw
  TimePoint now_{};
  std::uint64_t sequence_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t drawn_ = 0;   // arrivals from outside
  std::uint64_t living_ = 0;  // invocations that have not ended
  Slot ahead_ = kNoSlot;      // the job of the Cpu that was looked at
  bool interrupted_ = false;
};

}  // namespace subito::simulate
