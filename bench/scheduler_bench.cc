// What a decision costs: the scheduler with 100,000 functions and 1,000 pods, per policy. Google
// Benchmark gives the mean; p50 and p99 are of single decisions, with the clock's own cost (what
// two readings in a row differ by) taken off. `allocations` counts those of the timed part, a
// decision. `preempted_ppm`: of a million decisions, how many at most hold the time of another
// process, which the kernel ran in place of this one; what those leave of the caches is in many
// more.
//
//   scheduler_bench --benchmark_filter=Warm
//
// Warm: a call arrives at a function with an idle pod, is given to it, and completes: two
// decisions, each timed. Cold: a call arrives at a function without a pod: one start decided.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "scheduler/allocations.h"
#include "scheduler/scheduler.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using autoscaler::PolicyKind;
using WallClock = std::chrono::steady_clock;

constexpr std::uint64_t kFunctions = 100'000;
constexpr std::uint64_t kWarm = 1'000;  // of them, those with a pod

Duration clock_cost() {
  Duration least = 1s;
  for (int i = 0; i < 10'000; ++i) {
    const auto begin = WallClock::now();
    least = std::min<Duration>(least, WallClock::now() - begin);
  }
  return least;
}

// A node in the state that is measured, and simulated time.
class Node {
 public:
  explicit Node(PolicyKind kind) : scheduler_({.pods_max = 2'000, .starting_max = 2'000}) {
    effects_.reserve(64);
    FunctionLimits limits;
    limits.policy.kind = kind;
    limits.policy.concurrency.utilization_percent = 100;
    limits.idle_timeout = 1h;
    for (std::uint64_t id = 1; id <= kFunctions; ++id) {
      scheduler_.add_function(now_, FunctionId(id), RevisionId(1), limits, effects_);
    }
    for (int round = 0; round < 4; ++round) {
      for (std::uint64_t id = 1; id <= kWarm; ++id) {
        arrive(id);
        complete();
      }
    }
  }

  // The pods that it starts say hello at once.
  void arrive(std::uint64_t function) {
    begin();
    scheduler_.arrive(now_, {InvocationId(++call_), FunctionId(function), now_ + 60s}, effects_);
    for (std::size_t i = 0; i < effects_.size(); ++i) {
      if (const auto* start = std::get_if<StartPod>(&effects_[i])) {
        scheduler_.pod_ready(now_ += 1ms, PodId(start->pod), effects_);
      }
    }
  }
  void complete() {
    begin();
    scheduler_.completed(now_, InvocationId(call_), effects_);
  }
  // Only the decision; then, untimed, what takes the node back to where it was.
  Duration time_cold_arrival(std::uint64_t function) {
    begin();
    const auto start = WallClock::now();
    scheduler_.arrive(now_, {InvocationId(++call_), FunctionId(function), now_ + 60s}, effects_);
    const Duration took = WallClock::now() - start;
    started_.clear();
    for (const Effect& effect : effects_) {
      if (const auto* pod = std::get_if<StartPod>(&effect)) started_.push_back(pod->pod);
    }
    scheduler_.cancelled(now_, InvocationId(call_), effects_);
    for (const PodId pod : started_) {
      scheduler_.pod_exited(now_, pod, ExitKind::kDrained, {}, effects_);
    }
    return took;
  }
  Duration time_arrive(std::uint64_t function) {
    begin();
    const auto start = WallClock::now();
    scheduler_.arrive(now_, {InvocationId(++call_), FunctionId(function), now_ + 60s}, effects_);
    return WallClock::now() - start;
  }
  Duration time_complete() {
    begin();
    const auto start = WallClock::now();
    scheduler_.completed(now_, InvocationId(call_), effects_);
    return WallClock::now() - start;
  }

 private:
  void begin() {
    effects_.clear();
    now_ += 1us;
  }

  Scheduler scheduler_;
  Effects effects_;
  std::vector<PodId> started_;
  TimePoint now_{1s};
  std::uint64_t call_ = 0;
};

class Times {
 public:
  void add(Duration took) {
    const Duration net = std::max<Duration>(took - clock_, Duration::zero());
    nanos_.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(net.count(), 1 << 30)));
  }
  void tell(benchmark::State& state, const std::string& what) {
    std::sort(nanos_.begin(), nanos_.end());
    state.counters[what + "_p50_ns"] = at(50);
    state.counters[what + "_p99_ns"] = at(99);
  }

 private:
  double at(std::size_t percent) const {
    return nanos_.empty() ? 0 : nanos_[(nanos_.size() - 1) * percent / 100];
  }

  Duration clock_ = clock_cost();
  std::vector<std::uint32_t> nanos_;
};

// Which function is next: all of them in an order that no cache can guess.
std::uint64_t next_of(std::uint64_t& at, std::uint64_t count) {
  at = at * 6364136223846793005u + 1442695040888963407u;
  return 1 + (at >> 33) % count;
}

// How often the kernel has taken the processor away from this thread, getrusage(2).
long preemptions() {
  rusage use{};
  ::getrusage(RUSAGE_THREAD, &use);
  return use.ru_nivcsw;
}

void tell_preempted(benchmark::State& state, long before) {
  state.counters["preempted_ppm"] = benchmark::Counter(
      static_cast<double>(preemptions() - before) * 1e6, benchmark::Counter::kAvgIterations);
}

void warm(benchmark::State& state, PolicyKind kind) {
  Node node(kind);
  Times arrive, complete;
  std::uint64_t seed = 1;
  long allocated = 0;
  const long taken_before = preemptions();
  for (auto _ : state) {
    const std::uint64_t function = next_of(seed, kWarm);
    const long before = allocations();
    const Duration first = node.time_arrive(function);
    const Duration second = node.time_complete();
    allocated += allocations() - before;
    arrive.add(first);
    complete.add(second);
  }
  arrive.tell(state, "arrive");
  complete.tell(state, "complete");
  tell_preempted(state, taken_before);
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocated), benchmark::Counter::kAvgIterations);
}

void cold(benchmark::State& state, PolicyKind kind) {
  Node node(kind);
  Times arrive;
  std::uint64_t seed = 1;
  const long taken_before = preemptions();
  for (auto _ : state) {
    arrive.add(node.time_cold_arrival(kWarm + next_of(seed, kFunctions - kWarm)));
  }
  tell_preempted(state, taken_before);
  arrive.tell(state, "arrive");
}

BENCHMARK_CAPTURE(warm, instant, PolicyKind::kInstant);
BENCHMARK_CAPTURE(warm, concurrency, PolicyKind::kConcurrency);
BENCHMARK_CAPTURE(warm, fixed, PolicyKind::kFixed);
BENCHMARK_CAPTURE(warm, histogram, PolicyKind::kHistogram);
BENCHMARK_CAPTURE(cold, instant, PolicyKind::kInstant);
BENCHMARK_CAPTURE(cold, concurrency, PolicyKind::kConcurrency);
BENCHMARK_CAPTURE(cold, fixed, PolicyKind::kFixed);
BENCHMARK_CAPTURE(cold, histogram, PolicyKind::kHistogram);

}  // namespace
}  // namespace subito::scheduler

BENCHMARK_MAIN();
