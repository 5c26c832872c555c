// Simulation: one run of a workload on one node, by discrete events, through the very
// scheduler::Scheduler that serves live. Events are ordered by time; of the same time calls that
// end come first, then pods that are ready or gone (in the order in which that was arranged), then
// what the scheduler set itself a deadline for, then arrivals.
//
// What is simulated: cores (cpu.h), each pod's time to start (drawn by function and number, so that
// policies meet the same starts) and its end kPodEnd after it was told to, each call's time on a
// core (the workload's). All of a call is computing, none of a start is. Memory bounds the number
// of pods (Setup::node), as the scheduler counts pods, not bytes.
//
// Everything of a node is in this class but the workload: several nodes are several of these behind
// one that routes arrivals. Owned by whoever runs it, one thread, no clock.
#pragma once

#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "bench/simulate/cpu.h"
#include "bench/simulate/distribution.h"
#include "bench/simulate/outcome.h"
#include "bench/simulate/pod_books.h"
#include "bench/simulate/tally.h"
#include "bench/simulate/workload.h"
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
  Distribution cold_start = Distribution::fixed(std::chrono::milliseconds(1));
  Duration timeout{};  // of an invocation; 0: none
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
  // An invocation, from its arrival to its end.
  struct Job {
    TimePoint arrived;
    TimePoint begun;
    Duration service{};
    std::uint64_t number = 0;  // of all arrivals, from 1
    std::uint32_t function = 0;
    Slot pod = kNoSlot;
    bool running = false;  // on a core; else it waits, in the scheduler or in a pod that starts
    bool cold = false;
    scheduler::Link link;  // in Pod::jobs
  };
  struct Pod {
    PodId id;
    std::uint32_t function = 0;
    TimePoint started;
    TimePoint busy_since;
    bool ready = false;
    bool going = false;  // told to end
    scheduler::SlotList<Job, &Job::link> jobs;
  };
  struct Event {
    TimePoint at;
    std::uint64_t sequence = 0;
    PodId pod;
    bool exits = false;  // else: is ready
    bool killed = false;
    bool operator<(const Event& other) const {  // the queue's top is the largest
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };

  // Ids count up, as a node's do, and lead to the slot.
  static constexpr int kSlotBits = 24;
  InvocationId id_of(Slot job) const { return InvocationId(jobs_[job].number << kSlotBits | job); }
  static Slot slot_of(InvocationId id) {
    return static_cast<Slot>(id.value() & ((1U << kSlotBits) - 1));
  }

  void add_functions();
  bool step();  // false: it is over
  void arrive();
  void end_job();
  void pod_event();
  void pod_exits(Slot slot, bool killed);
  void act();
  void on(const scheduler::StartPod& start);
  void on(const scheduler::Dispatch& dispatch);
  void on(const scheduler::Cancel& cancel);
  void on(const scheduler::Refuse& refuse);
  void on(const scheduler::DrainPod& drain);
  void on(const scheduler::StopPod& stop);
  void begin(Slot job);
  void leave_pod(Slot job);
  void end_pod_later(Pod& pod, bool killed);
  Outcome outcome();

  const Setup setup_;
  const Plan& plan_;
  const TimePoint end_;
  const std::unique_ptr<Workload> workload_;
  scheduler::Scheduler scheduler_;
  scheduler::Effects effects_;
  scheduler::Digest digest_;
  Cpu cpu_;
  Tally tally_;
  PodBooks books_;
  scheduler::Slots<Job> jobs_;
  scheduler::Slots<Pod> pods_;
  scheduler::IdMap<PodId> pod_slots_;
  std::priority_queue<Event> events_;
  std::vector<InvocationId> yielded_;  // of Cancel effects: to be reported behind them
  Arrival arrival_;
  bool more_ = false;  // arrival_ is to come
  TimePoint now_{};
  std::uint64_t sequence_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t living_ = 0;  // invocations that have not ended
  bool interrupted_ = false;
};

}  // namespace subito::simulate
