// What a function and a node may take: the numbers every decision of the scheduler is bound by.
// Plain values; the manifest reader and the control API check them with fault() before use.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "autoscaler/policy.h"
#include "runtime/base/time.h"

namespace subito::scheduler {

// One function's scaling. The defaults are what a spec without a scaling line gets.
struct FunctionLimits {
  // Asleep at zero: a start costs about a millisecond, a kept pod costs memory all day.
  std::uint32_t pods_min = 0;
  // Starting and ready pods; draining ones are leaving and count for the node alone, so that a new
  // revision never waits for the old one. Unset: pods_max_default() of the node.
  std::optional<std::uint32_t> pods_max{};
  // Invocations a pod works on at once. 1: a handler needs no thought about threads.
  std::uint32_t concurrency = 1;
  // Invocations waiting for a pod; the next is refused (429). At 1 ms a call on one pod the last of
  // a thousand waits a second: beyond that a client is better told to come back.
  std::uint32_t queue_limit = 1000;
  // Longest wait in the queue; an invocation's own deadline ends it sooner.
  Duration queue_timeout = std::chrono::seconds(10);
  // Idle pods beyond pods_min go after this long. Long enough for a person to see the pod.
  Duration idle_timeout = std::chrono::seconds(30);
  // From the request to start to the pod's hello; then it is killed and counts as a failed start.
  Duration start_timeout = std::chrono::seconds(10);
  // What a draining pod gets to end by itself once nothing runs in it. What still runs is never cut
  // short by it: that is bounded by its own deadline (or by this, if it has none).
  Duration drain_timeout = std::chrono::seconds(10);
  // What a cancelled handler gets to yield before its pod is killed.
  Duration cancel_grace = std::chrono::seconds(1);
  // The time to start a pod, until the first was measured.
  Duration start_prior = std::chrono::milliseconds(5);
  // What a pod may hold; what an idle one is worth on a full node is counted per MiB of it.
  std::uint64_t memory_bytes = 128 << 20;
  // And of the CPU, by its limit; 0: it has none.
  std::uint32_t cpu_millicores = 0;
  // Who it belongs to, by number: its pods count for that tenant's quota. It never changes.
  std::uint32_t tenant = 0;
  // Its share of starts, places and queue memory where functions compete: 2 gets twice what 1 gets.
  std::uint32_t weight = 1;
  // Invocations waiting and running; the next is refused (429). Unset: as many as queue and pods
  // take.
  std::optional<std::uint32_t> in_flight_max{};
  // The longest chain of calls that may start at it: 0 calls nobody, 1 calls only such, ... See
  // places.h for what it is good for.
  std::uint32_t height = 0;
  autoscaler::PolicyOptions policy{};
};

inline constexpr std::uint32_t kWeightMax = 1000;
inline constexpr std::uint32_t kHeightMax = 16;

// What all pods of a tenant may take together, as the limits of their functions say; 0: as much as
// the node has.
struct TenantQuota {
  std::uint32_t pods_max = 0;
  std::uint32_t cpu_millicores_max = 0;
  std::uint64_t memory_bytes_max = 0;
  bool limits() const { return pods_max != 0 || cpu_millicores_max != 0 || memory_bytes_max != 0; }
};
inline constexpr std::uint32_t kTenantsMax = 65'536;  // they are numbered below it

struct NodeLimits {
  std::uint32_t pods_max = 256;         // in any state: a pod holds memory until it is gone
  std::uint32_t starting_max = 8;       // more at once only make each start slower: about 4 a core
  std::uint32_t waiting_max = 100'000;  // invocations waiting, all functions together
  // Waiting and running. Calls between functions are not refused for it: they belong to invocations
  // that were let in, and would be lost work.
  std::uint32_t in_flight_max = 200'000;
  // Invocations given to one pod; then it drains and another takes its place. Its channel can
  // number 2^31 streams a side: enough for 128 calls and connections by each invocation. At 20,000
  // a second the busiest pod lives 14 minutes, and another start costs a millisecond.
  std::uint32_t pod_dispatches_max = 1U << 24;
  // That pods may run on. 0: as many as anybody wants, and no policy looks at them.
  std::uint32_t cores = 0;
};

// Three quarters of the node, at least 1: one flooded function leaves room for the others to start.
std::uint32_t pods_max_default(const NodeLimits& node);

// What is wrong, for a person ("pods_max is below pods_min"), or nothing. Limits given to the
// scheduler must be without fault.
std::optional<std::string_view> fault(const FunctionLimits& limits);
std::optional<std::string_view> fault(const NodeLimits& limits);

// An invocation whose pod died before taking it is given to another this many times in all; then
// it is refused: every pod it met died, one more is not likely to help.
inline constexpr std::uint32_t kDispatchesMax = 4;

// Crash loops. A pod that ends unasked before it completed anything or lived kHealthyAfter is a
// failure, unless it had said hello and was at work: that may be the request's fault. After the
// n-th in a row the function starts no pod for kBackoffFirst * kBackoffFactor^(n-1), at most
// kBackoffMax: 100 ms, 200 ms, 400 ms, ... 30 s. A completed invocation forgives all.
inline constexpr Duration kBackoffFirst = std::chrono::milliseconds(100);
inline constexpr int kBackoffFactor = 2;
inline constexpr Duration kBackoffMax = std::chrono::seconds(30);
inline constexpr Duration kHealthyAfter = std::chrono::seconds(10);
// From this many failures in a row on, and with no pod ready, arrivals are refused at once (503)
// while the back-off lasts, and whoever waits is refused too.
inline constexpr std::uint32_t kCrashLoopAfter = 5;

// A start that a plan wants, while the node starts as many as it may: looked at again after this.
inline constexpr Duration kPlannedRetry = std::chrono::milliseconds(50);

// Invocations beyond Plan::at_once wait for one to end. If none ended or began for this many times
// the mean service, or for kStallMin if that is longer, it is not the cores that those in pods wait
// for: one more runs, and the next after as long again.
inline constexpr int kStallServices = 8;
inline constexpr Duration kStallMin = std::chrono::milliseconds(100);

// Who would wait longer than is allowed, less this part of it, is refused at once: the expected
// wait is a mean, and who is let in and then refused has waited for nothing.
inline constexpr int kWaitMargin = 8;

// Bounds of what Refuse::retry_after tells a client.
inline constexpr Duration kRetryAfterMin = std::chrono::seconds(1);
inline constexpr Duration kRetryAfterMax = std::chrono::seconds(60);

}  // namespace subito::scheduler
