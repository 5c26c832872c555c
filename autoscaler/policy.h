// Policy: answers two questions about one function: does a waiting invocation deserve a pod of its
// own now, and how many pods is it worth to have, for how long, whether or not anybody waits? Each
// function has a policy object of its own, which remembers what it was told; the scheduler owns it
// and asks it on its thread.
//
// Pure: all a policy knows is in the views it is handed. It never starts or stops anything; limits
// (max pods, room on the node, crash back-off) are the scheduler's and bind whatever it answers.
//
//   observe(load)      after every change of what the function carries, and when its pods change
//   on_waiting(demand) somebody waits and no pod has room: start one?
//   plan(load)         after observe(), and when the last plan asked for it
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "autoscaler/cpu_demand.h"
#include "runtime/base/time.h"

namespace subito::autoscaler {

// What a policy may look at when it is asked: somebody waits and no pod has room.
struct Demand {
  TimePoint now{};
  std::uint32_t waiting = 0;  // invocations queued, the one just arrived included
  std::uint32_t slots = 0;    // invocations that the starting and ready pods take at once, all busy
  std::uint32_t pods = 0;     // those pods
  std::uint32_t starting = 0;  // of them, those that have not said hello yet
  // How long the first of the queue has hoped for the pods there are now: since it arrived, or
  // since the last pod came up, if that was later.
  Duration hoped{};
  bool service_measured = false;  // `service` means nothing before the first completed invocation
  Duration service{};             // mean time a pod takes for one invocation
  Duration start{};               // mean time from the decision to start a pod to its first word
};

enum class StartReason : std::uint8_t {
  kNothingRuns,       // no pod at all: waiting would never end
  kServiceUnknown,    // pods are busy, and nobody knows for how long
  kWaitCostsMore,     // expected wait > time to start
  kWaitedLongEnough,  // hoped for a busy pod for as long as a start takes, in vain
  kStartCostsMore,    // no: a busy pod is expected to be free sooner
  kNoPodFree,         // the policy gives each invocation that finds no pod free one of its own
  kPlanWantsMore,     // the plan wants more pods than there are
  kPlanDecides,       // no: the plan has as many pods as it wants
};
std::string_view to_string(StartReason reason);

struct StartAnswer {
  bool start = false;
  StartReason reason = StartReason::kStartCostsMore;
  Duration expected_wait{};  // for a busy pod, as far as the policy could tell; 0 if it could not
  // When not to start: ask again after this long if somebody still waits. Always above zero.
  Duration ask_again_after{};
};

// What a function carries and has, now.
struct Load {
  TimePoint now{};
  std::uint32_t in_flight = 0;    // invocations that wait or are in pods
  std::uint32_t ready = 0;        // pods that said hello and take invocations
  std::uint32_t starting = 0;     // pods that have yet to say it, and take invocations too
  std::uint32_t concurrency = 1;  // invocations that one pod takes at once
  Duration service{};             // mean time a pod takes for one invocation; 0: not measured yet
  Duration start{};               // mean time from the decision to start a pod to its first word
  Duration idle{};                // what the function's limits say of idle pods
  std::uint32_t worth = CpuDemand::kAny;  // invocations that the cores are worth at once
};

enum class PlanReason : std::uint8_t {
  kIdleTime,  // nothing but how long idle pods stay
  kAverage,   // the average concurrency of the stable window
  kPanic,     // the most that was asked for since the panic window saw a burst
  kDelayed,   // scaling down waits for its delay
  kExpected,  // a call is expected about now
  kToZero,    // on the way to zero: active for too short, or the grace is not over
};
std::string_view to_string(PlanReason reason);

// What the policy wants until it is asked again. Calls of the function may change it at any time.
struct Plan {
  // A floor like the function's minimum, bounded by its maximum: pods are started when fewer are
  // there. Unlike the minimum it is a hope: such a start waits for a free place on the node and
  // takes none from others, and an idle pod of it may be evicted for somebody who waits.
  std::uint32_t pods_wanted = 0;
  // How long the longest idle pod beyond that floor (and the minimum) may be idle, counted from its
  // last completed invocation, or its hello. Not below 0.
  Duration keep_idle{};
  // When to call plan() again even if nothing happens; later than now. max(): never.
  TimePoint ask_again_at = TimePoint::max();
  PlanReason reason = PlanReason::kIdleTime;
  // More invocations than this are not run at once, though pods have room: they wait for one to
  // end. At least 1.
  std::uint32_t at_once = CpuDemand::kAny;
};

class Policy {
 public:
  virtual ~Policy() = default;
  // O(1), and allocates nothing on the warm path. The same load may be told twice.
  virtual void observe(const Load& load) = 0;
  virtual StartAnswer on_waiting(const Demand& demand) = 0;
  // Of the load that was observed last. Moves nothing but the policy's own clock.
  virtual Plan plan(const Load& load) = 0;
};

enum class PolicyKind : std::uint8_t { kInstant, kConcurrency, kFixed, kHistogram };
// Every kind, for whoever offers a choice: the simulator compares these.
inline constexpr std::array kPolicyKinds = {PolicyKind::kInstant, PolicyKind::kConcurrency,
                                            PolicyKind::kFixed, PolicyKind::kHistogram};
std::string_view to_string(PolicyKind kind);

// Of the policy `concurrency`: what users of Knative know, with Knative's defaults.
struct ConcurrencyOptions {
  Duration stable_window = std::chrono::seconds(60);  // 6 s to 1 h
  Duration to_zero_grace = std::chrono::seconds(30);  // not below 0
  Duration scale_down_delay{};                        // 0 to 1 h
  std::uint32_t target = 0;                           // of a pod; 0: what it takes at once
  std::uint32_t utilization_percent = 70;             // of the target, 1 to 100
  std::uint32_t panic_window_percent = 10;            // of the stable window, 1 to 100
  std::uint32_t panic_threshold_percent = 200;        // of the ready pods, 110 to 1000
  std::uint32_t max_scale_up_rate = 1000;             // at least 2
  std::uint32_t max_scale_down_rate = 2;              // at least 2
  std::uint32_t initial_scale = 0;                    // Knative's is 1
  std::uint32_t activation_scale = 1;                 // at least 1
  std::int32_t burst_capacity = 211;                  // -1: unlimited
  friend bool operator==(const ConcurrencyOptions&, const ConcurrencyOptions&) = default;
};

// Which policy, and what it may be told. Plain values, part of the function's limits.
struct PolicyOptions {
  PolicyKind kind = PolicyKind::kInstant;
  ConcurrencyOptions concurrency{};
  friend bool operator==(const PolicyOptions&, const PolicyOptions&) = default;
};
// What is wrong, for a person, or nothing.
std::optional<std::string_view> fault(const PolicyOptions& options);

}  // namespace subito::autoscaler
