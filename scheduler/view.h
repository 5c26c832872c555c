// Views: what the scheduler knows, copied out for people (`get pods`, `describe`). Never an input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "scheduler/limits.h"

namespace subito::scheduler {

//  Starting ──hello──▶ Ready ──▶ Draining ──▶ Stopping ──exit──▶ (gone)
//     └──────────────────┴───────────┴── each may be skipped, none is left backwards
enum class PodState : std::uint8_t { kStarting, kReady, kDraining, kStopping };
std::string_view to_string(PodState state);  // "starting", ...

struct PodView {
  PodId pod;
  FunctionId function;
  RevisionId revision;
  std::uint64_t number = 0;
  PodState state = PodState::kStarting;
  TimePoint state_since;
  std::uint32_t running = 0;  // invocations dispatched and not completed
  std::uint64_t served = 0;
  bool idle = false;
  Duration idle_for{};
  Duration start{};  // decision to hello; 0 while starting
};

// The last decision about how many pods there are, with its numbers.
struct Decision {
  enum class Kind : std::uint8_t {
    kNone,
    kStarted,       // pod started
    kCoresBusy,     // waits for one that runs: more at once would only share the cores
    kWaitForPod,    // a busy pod is expected to be free before a new one were up
    kAtMaximum,     // would start, pods_max reached
    kStartsFull,    // would start, the node starts as many as it may
    kQuotaReached,  // would start, its tenant's pods take all that its quota allows
    kNodeFull,      // would start, the node holds as many pods as it may
    kBackingOff,    // would start, pods crashed
    kDrained,       // pod drained
    kStopped,       // pod killed
  };
  Kind kind = Kind::kNone;
  TimePoint at;
  std::uint32_t waiting = 0;
  Duration expected_wait{};
  Duration start_cost{};
  std::uint32_t pods_wanted = 0;  // by the policy's plan
  std::string_view reason;  // static text, of StartReason, PlanReason, DrainReason or StopReason
};
// "started a pod: waiting costs more than starting (3 waiting, 15 ms expected, a start takes 1.1
// ms)"; where a plan wants pods, "5 wanted" stands among the numbers.
std::string words(const Decision& decision);

struct FunctionView {
  FunctionId function;
  RevisionId revision;
  FunctionLimits limits;
  std::uint32_t pods_max = 0;  // in force
  std::uint32_t starting = 0, ready = 0, draining = 0, stopping = 0;
  std::uint32_t idle = 0;          // of the ready ones
  std::uint32_t waiting = 0;       // in the queue
  std::uint32_t running = 0;       // dispatched and not completed
  std::uint64_t completed = 0;     // since the function was added
  autoscaler::Plan plan;           // the policy's last one
  std::uint64_t pods_planned = 0;  // started ahead by a plan, since the function was added
  std::uint64_t pods_unused = 0;   // of these, those that went without an invocation
  Duration service{};              // mean; 0 before the first
  Duration start{};                // mean, or the prior
  Duration cpu{};                  // mean time on a core; 0: not told
  std::uint32_t failures = 0;      // in a row
  TimePoint backoff_until;         // in the past: not backing off
  Decision last;
  std::vector<PodView> pods;  // by number
};

struct NodeView {
  NodeLimits limits;
  std::uint32_t pods = 0, starting = 0, waiting = 0, running = 0;
  std::uint32_t functions = 0;
  bool closing = false;
};

}  // namespace subito::scheduler
