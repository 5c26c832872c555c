// Meters: what the engine counts of functions as it goes, for /metrics: plain integers, touched
// where the engine has the invocation or the pod in hand anyway. Nothing is allocated for a
// function after its first deploy; an invocation costs one look-up, at its end.
//
// At most kFunctionsMax functions have series of their own, in the order they came; those beyond
// share one record. What ends after its function was removed is counted in that too.
//
// Owned by the engine, on the loop's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "runtime/gateway/invoker.h"
#include "runtime/metrics/duration_buckets.h"
#include "runtime/pods/home.h"
#include "scheduler/effects.h"
#include "scheduler/rate_limits.h"
#include "scheduler/scheduler.h"

namespace subito::node {

// By enumerator.
template <typename Enum, Enum last>
class Counts {
 public:
  static constexpr std::size_t kSize = static_cast<std::size_t>(last) + 1;
  std::uint64_t& operator[](Enum which) { return counts_.at(static_cast<std::size_t>(which)); }
  std::uint64_t at(std::size_t which) const { return counts_.at(which); }
  void add(const Counts& other) {
    for (std::size_t i = 0; i < kSize; ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, kSize> counts_{};
};

// Classes of answers: 0 the caller left, 1 to 5 the hundreds of the status.
inline constexpr std::size_t kCodeClasses = 6;
inline constexpr std::size_t kStartModes = static_cast<std::size_t>(pods::StartMode::kProcess) + 1;

struct FunctionMeters {
  using StartReasons = Counts<scheduler::StartWhy, scheduler::StartWhy::kPlanned>;

  Counts<Origin, Origin::kOperator> invocations;
  std::array<std::uint64_t, kCodeClasses> ended{};
  metrics::DurationBuckets duration;
  metrics::DurationBuckets queue;
  std::uint64_t cold = 0;
  std::uint64_t repeats = 0;
  Duration cpu{};
  Counts<scheduler::RefuseReason, scheduler::RefuseReason::kNodeClosing> refused;
  Counts<scheduler::RateLimitKind, scheduler::RateLimitKind::kNamespace> rate_limited;
  std::array<StartReasons, kStartModes> starts;
  std::array<metrics::DurationBuckets, kStartModes> start_duration;
  Counts<scheduler::ExitKind, scheduler::ExitKind::kOutOfMemory> exits;

  void count_end(int status, Duration took, Duration queued) {
    ++ended[static_cast<unsigned>(status) < 600 ? static_cast<unsigned>(status) / 100 : 5];
    duration.observe(took);
    queue.observe(queued);
  }
};

class Meters {
 public:
  static constexpr std::size_t kFunctionsMax = 2000;

  void add(FunctionId function);
  void remove(FunctionId function);

  FunctionMeters& of(FunctionId function) {
    const auto at = own_.find(function);
    return at == own_.end() ? shared_ : at->second;
  }
  // Null: it has no series of its own.
  const FunctionMeters* own(FunctionId function) const;
  const FunctionMeters& shared() const { return shared_; }

  // Of the node: why pods were started, asked to end, and killed.
  Counts<autoscaler::StartReason, autoscaler::StartReason::kPlanDecides> starts_waiting;
  Counts<autoscaler::PlanReason, autoscaler::PlanReason::kToZero> starts_planned;
  std::uint64_t starts_minimum = 0;
  Counts<scheduler::DrainReason, scheduler::DrainReason::kClosing> drains;
  Counts<scheduler::StopReason, scheduler::StopReason::kUnresponsive> stops;

  void count_start(FunctionId function, const scheduler::StartPod& start, pods::StartMode mode);

 private:
  std::unordered_map<FunctionId, FunctionMeters> own_;
  FunctionMeters shared_;
};

}  // namespace subito::node
