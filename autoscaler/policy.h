// Policy: answers two questions about one function: does a waiting invocation deserve a pod of its
// own now, and how long is an idle pod worth keeping? Each function has a policy object of its own,
// so that later ones may remember what they saw; the scheduler owns it and asks it on its thread.
//
// Pure: all a policy knows is in the view it is handed. It never starts or stops anything; limits
// (max pods, room on the node, crash back-off) are the scheduler's and bind whatever it answers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "runtime/base/time.h"

namespace subito::autoscaler {

// What a policy may look at when it is asked: somebody waits and no pod has room.
struct Demand {
  TimePoint now{};
  std::uint32_t waiting = 0;  // invocations queued, the one just arrived included
  std::uint32_t slots = 0;    // invocations that the starting and ready pods take at once, all busy
  std::uint32_t starting = 0;  // pods of these that have not said hello yet
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
};
std::string_view to_string(StartReason reason);

struct StartAnswer {
  bool start = false;
  StartReason reason = StartReason::kStartCostsMore;
  Duration expected_wait{};  // for a busy pod, as far as the policy could tell; 0 if it could not
  // When not to start: ask again after this long if somebody still waits. Always above zero.
  Duration ask_again_after{};
};

// What a policy may look at when a function has idle pods beyond its minimum.
struct Idle {
  TimePoint now{};
  Duration timeout{};  // what the function's limits say
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual StartAnswer on_waiting(const Demand& demand) = 0;
  // How long a pod may be idle, counted from its last completed invocation.
  virtual Duration keep_idle(const Idle& idle) = 0;
};

enum class PolicyKind : std::uint8_t { kInstant };
// Every kind, for whoever offers a choice: the simulator compares these.
inline constexpr std::array kPolicyKinds = {PolicyKind::kInstant};
std::string_view to_string(PolicyKind kind);
std::unique_ptr<Policy> make_policy(PolicyKind kind);

}  // namespace subito::autoscaler
