// Everything the scheduler says to people.
#include <array>
#include <charconv>

#include "runtime/base/check.h"
#include "scheduler/effects.h"
#include "scheduler/scheduler.h"
#include "scheduler/view.h"

namespace subito::scheduler {
namespace {

std::string requests(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " request" : " requests");
}

std::string_view words(Decision::Kind kind) {
  switch (kind) {
    case Decision::Kind::kNone:
      return "nothing was decided yet";
    case Decision::Kind::kStarted:
      return "started a pod";
    case Decision::Kind::kCoresBusy:
      return "waits for a core";
    case Decision::Kind::kWaitForPod:
      return "waits for a busy pod";
    case Decision::Kind::kAtMaximum:
      return "no pod started, scaling.max is reached";
    case Decision::Kind::kStartsFull:
      return "start waits its turn";
    case Decision::Kind::kQuotaReached:
      return "start waits for quota";
    case Decision::Kind::kNodeFull:
      return "start waits, the node is full";
    case Decision::Kind::kBackingOff:
      return "start put off";
    case Decision::Kind::kDrained:
      return "drained a pod";
    case Decision::Kind::kStopped:
      return "killed a pod";
  }
  CHECK(false);
}

}  // namespace

int http_status(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kQueueFull:
    case RefuseReason::kQueueTooLong:
    case RefuseReason::kInFlightLimit:
    case RefuseReason::kQuota:
      return 429;
    case RefuseReason::kFunctionGone:
      return 404;
    case RefuseReason::kPodDied:
      return 502;
    case RefuseReason::kDeadline:
      return 504;
    case RefuseReason::kQueueTimeout:
    case RefuseReason::kCrashLoop:
    case RefuseReason::kNodeFull:
    case RefuseReason::kStartFailed:
    case RefuseReason::kNodeClosing:
      return 503;
  }
  CHECK(false);
}

std::string_view to_string(StartWhy why) {
  switch (why) {
    case StartWhy::kWaiting:
      return "somebody waits";
    case StartWhy::kMinimum:
      return "fewer pods than scaling.min";
    case StartWhy::kPlanned:
      return "started ahead";
  }
  CHECK(false);
}

std::string_view to_string(CancelReason reason) {
  switch (reason) {
    case CancelReason::kDeadline:
      return "deadline passed";
    case CancelReason::kClientLeft:
      return "client left";
  }
  CHECK(false);
}

std::string_view to_string(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kQueueFull:
      return "the function's queue is full";
    case RefuseReason::kQueueTooLong:
      return "the queue ahead takes longer than the invocation may wait";
    case RefuseReason::kInFlightLimit:
      return "as many invocations of the function are in flight as may";
    case RefuseReason::kQueueTimeout:
      return "no pod was free in time";
    case RefuseReason::kDeadline:
      return "the deadline passed before a pod was free";
    case RefuseReason::kCrashLoop:
      return "the function's pods end as soon as they start";
    case RefuseReason::kFunctionGone:
      return "no such function";
    case RefuseReason::kQuota:
      return "the quota of its namespace is reached";
    case RefuseReason::kNodeFull:
      return "the node is full";
    case RefuseReason::kPodDied:
      return "the pod died";
    case RefuseReason::kStartFailed:
      return "pods died before they took it";
    case RefuseReason::kNodeClosing:
      return "the node is shutting down";
  }
  CHECK(false);
}

std::string_view to_string(DrainReason reason) {
  switch (reason) {
    case DrainReason::kIdle:
      return "idle";
    case DrainReason::kEvicted:
      return "made room for another function";
    case DrainReason::kYielded:
      return "gave its place to a function that had less than its share";
    case DrainReason::kQuota:
      return "made room in the quota of its namespace";
    case DrainReason::kScaledDown:
      return "scaled down";
    case DrainReason::kOldRevision:
      return "replaced by a new revision";
    case DrainReason::kRemoved:
      return "function removed";
    case DrainReason::kUnresponsive:
      return "a cancelled handler goes on";
    case DrainReason::kWornOut:
      return "served as many as one pod may";
    case DrainReason::kClosing:
      return "the node is shutting down";
  }
  CHECK(false);
}

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::kStartTimeout:
      return "no hello within start_timeout";
    case StopReason::kDrainTimeout:
      return "did not end within drain_timeout";
    case StopReason::kUnresponsive:
      return "a cancelled handler went on";
  }
  CHECK(false);
}

std::string_view to_string(PodState state) {
  switch (state) {
    case PodState::kStarting:
      return "starting";
    case PodState::kReady:
      return "ready";
    case PodState::kDraining:
      return "draining";
    case PodState::kStopping:
      return "stopping";
  }
  CHECK(false);
}

std::string_view to_string(ExitKind kind) {
  switch (kind) {
    case ExitKind::kDrained:
      return "ended";
    case ExitKind::kCrashed:
      return "crashed";
    case ExitKind::kStartFailed:
      return "start failed";
    case ExitKind::kKilled:
      return "killed";
    case ExitKind::kOutOfMemory:
      return "out of memory";
  }
  CHECK(false);
}

std::string words(Duration duration) {
  struct Unit {
    double nanoseconds;
    double below;  // of this unit, from where the next one takes over
    const char* name;
  };
  // The limits lie where rounding would reach the next unit: 999.6 µs is "1 ms".
  constexpr std::array<Unit, 5> kUnits = {{{1, 999.5, "ns"},
                                           {1e3, 999.5, "µs"},
                                           {1e6, 999.5, "ms"},
                                           {1e9, 119.5, "s"},
                                           {60e9, 1e300, "min"}}};
  const double count = static_cast<double>(duration.count());
  for (const Unit& unit : kUnits) {
    const double value = count / unit.nanoseconds;
    if (value >= unit.below) continue;
    char text[40];
    const int decimals = value < 9.95 ? 1 : 0;
    const auto end =
        std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals);
    std::string out(&text[0], end.ptr);
    if (out.ends_with(".0")) out.resize(out.size() - 2);
    return out + " " + unit.name;
  }
  CHECK(false);
}

std::string words(const StartPod& start) {
  if (start.why == StartWhy::kMinimum) return std::string(to_string(start.why));
  if (start.why == StartWhy::kPlanned) {
    return std::string(to_string(start.why)) + ": " + std::string(to_string(start.plan));
  }
  return std::to_string(start.waiting) + " waiting: " + std::string(to_string(start.policy));
}

std::string words(const DrainPod& drain) {
  const std::string use = drain.unused ? "started ahead and never used" : requests(drain.served);
  if (drain.reason == DrainReason::kIdle) {
    return "asleep after " + words(drain.idle) + " idle, " + use;
  }
  return std::string(to_string(drain.reason)) + ", " + use;
}

std::string words(const StopPod& stop) {
  return "killed: " + std::string(to_string(stop.reason));
}

std::string words(const Decision& decision) {
  std::string out(words(decision.kind));
  if (decision.kind == Decision::Kind::kNone) return out;
  out.append(": ").append(decision.reason);
  std::string numbers;
  const auto add = [&](const std::string& number) {
    numbers += (numbers.empty() ? "" : ", ") + number;
  };
  if (decision.waiting > 0) add(std::to_string(decision.waiting) + " waiting");
  if (decision.waiting > 0 && decision.expected_wait > Duration::zero()) {
    add(words(decision.expected_wait) + " expected");
  }
  if (decision.pods_wanted > 0) add(std::to_string(decision.pods_wanted) + " wanted");
  if (decision.waiting > 0) add("a start takes " + words(decision.start_cost));
  return numbers.empty() ? out : out + " (" + numbers + ")";
}

}  // namespace subito::scheduler
