#include "bench/simulate/recorded.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "bench/simulate/pod_books.h"
#include "bench/simulate/replay.h"
#include "bench/simulate/tally.h"
#include "bench/simulate/text.h"
#include "scheduler/recording.h"

namespace subito::simulate {
namespace {

constexpr std::uint64_t kPodMemory = FunctionFacts().memory_bytes;  // a recording does not tell it

struct LiveCall {
  Arrival arrival;
  PodId pod;
  TimePoint begun;
  TimePoint ended = TimePoint::max();  // not completed
  bool cold = false;
  bool cancelled = false;
};
struct LivePod {
  TimePoint started;
  TimePoint ready = TimePoint::max();
  TimePoint gone = TimePoint::max();
  TimePoint busy_since;
  TimePoint last_end{};
  bool takes_ahead = false;
  std::uint32_t running = 0;
  std::vector<std::pair<TimePoint, TimePoint>> busy;
};

// Follows a recording, input by input, with times from its beginning.
class Life {
 public:
  explicit Life(const scheduler::NodeLimits& limits) : scheduler_(limits) {}

  void step(const scheduler::Input& input) {
    if (first_ == TimePoint::max()) first_ = time_of(input);
    now_ = TimePoint(time_of(input) - first_);
    before(input);
    effects_.clear();
    apply(input, scheduler_, effects_);
    for (const scheduler::Effect& effect : effects_) after(effect);
  }
  Result<Recorded> recorded();

 private:
  void before(const scheduler::Input& input);
  void after(const scheduler::Effect& effect);
  void ended(InvocationId id, bool completed);
  void leaves(LivePod& pod);
  void count_pods(PodBooks& books, std::vector<Duration>& starts) const;

  scheduler::Scheduler scheduler_;
  scheduler::Effects effects_;
  TimePoint first_ = TimePoint::max();
  TimePoint now_{};
  std::vector<scheduler::FunctionLimits> limits_;
  std::unordered_map<std::uint64_t, std::uint32_t> functions_;
  std::unordered_map<std::uint64_t, std::size_t> living_;  // invocations, in calls_
  std::vector<LiveCall> calls_;
  std::unordered_map<std::uint64_t, std::size_t> pod_index_;
  std::vector<LivePod> pods_;
};

void Life::before(const scheduler::Input& input) {
  if (const auto* add = std::get_if<scheduler::AddFunction>(&input)) {
    functions_[add->function.value()] = static_cast<std::uint32_t>(limits_.size());
    limits_.push_back(add->limits);
  } else if (const auto* update = std::get_if<scheduler::UpdateFunction>(&input)) {
    limits_[functions_.at(update->function.value())] = update->limits;
  } else if (const auto* arrive = std::get_if<scheduler::Arrive>(&input)) {
    const auto function = functions_.find(arrive->arrival.function.value());
    if (function == functions_.end()) return;
    living_[arrive->arrival.invocation.value()] = calls_.size();
    calls_.push_back({{now_, function->second, {}}, {}, {}});
  } else if (const auto* completed = std::get_if<scheduler::Completed>(&input)) {
    ended(completed->invocation, true);
  } else if (const auto* back = std::get_if<scheduler::GivenBack>(&input)) {
    const auto call = living_.find(back->invocation.value());
    if (call != living_.end()) leaves(pods_[pod_index_.at(calls_[call->second].pod.value())]);
  } else if (const auto* ready = std::get_if<scheduler::PodReady>(&input)) {
    if (const auto pod = pod_index_.find(ready->pod.value()); pod != pod_index_.end()) {
      pods_[pod->second].ready = now_;
      pods_[pod->second].busy_since = now_;
      pods_[pod->second].takes_ahead = ready->ahead > 0;
    }
  } else if (const auto* exited = std::get_if<scheduler::PodExited>(&input)) {
    if (const auto pod = pod_index_.find(exited->pod.value()); pod != pod_index_.end()) {
      LivePod& gone = pods_[pod->second];
      gone.gone = now_;
      if (std::exchange(gone.running, 0) > 0) gone.busy.emplace_back(gone.busy_since, now_);
    }
  }
}

void Life::after(const scheduler::Effect& effect) {
  if (const auto* start = std::get_if<scheduler::StartPod>(&effect)) {
    pod_index_[start->pod.value()] = pods_.size();
    pods_.push_back({.started = now_, .busy_since = now_, .busy = {}});
  } else if (const auto* dispatch = std::get_if<scheduler::Dispatch>(&effect)) {
    const auto call = living_.find(dispatch->invocation.value());
    if (call == living_.end()) return;
    calls_[call->second].pod = dispatch->pod;
    calls_[call->second].begun = now_;
    calls_[call->second].cold |= dispatch->cold;
    LivePod& pod = pods_[pod_index_.at(dispatch->pod.value())];
    if (pod.running++ == 0) pod.busy_since = now_;
  } else if (const auto* cancel = std::get_if<scheduler::Cancel>(&effect)) {
    if (const auto call = living_.find(cancel->invocation.value()); call != living_.end()) {
      calls_[call->second].cancelled = true;
    }
  } else if (const auto* refuse = std::get_if<scheduler::Refuse>(&effect)) {
    ended(refuse->invocation, false);
  }
}

void Life::ended(InvocationId id, bool completed) {
  const auto found = living_.find(id.value());
  if (found == living_.end()) return;
  LiveCall& call = calls_[found->second];
  living_.erase(found);
  if (!completed || !call.pod) return;
  LivePod& pod = pods_[pod_index_.at(call.pod.value())];
  leaves(pod);
  const TimePoint last_end = std::exchange(pod.last_end, now_);
  if (pod.ready == TimePoint::max()) return;
  call.begun = std::max(call.begun, pod.ready);
  if (pod.takes_ahead) call.begun = std::max(call.begun, last_end);
  call.ended = now_;
  call.arrival.service = now_ - call.begun;
}

void Life::leaves(LivePod& pod) {
  if (pod.running > 0 && --pod.running == 0) pod.busy.emplace_back(pod.busy_since, now_);
}

// The calls, as a workload.
class RecordedCalls final : public Workload {
 public:
  explicit RecordedCalls(std::shared_ptr<const std::vector<Arrival>> calls)
      : calls_(std::move(calls)) {}
  bool next(Arrival& arrival) override {
    if (at_ == calls_->size()) return false;
    arrival = (*calls_)[at_++];
    return true;
  }

 private:
  std::shared_ptr<const std::vector<Arrival>> calls_;
  std::size_t at_ = 0;
};

// In order of time, as the books want it.
void Life::count_pods(PodBooks& books, std::vector<Duration>& starts) const {
  std::vector<std::pair<TimePoint, const LivePod*>> events;
  for (const LivePod& pod : pods_) {
    events.emplace_back(pod.started, &pod);
    events.emplace_back(std::min(pod.gone, now_ + Duration(1)), &pod);
    if (pod.ready != TimePoint::max()) starts.push_back(pod.ready - pod.started);
    for (const auto& [from, to] : pod.busy) {
      books.was_busy(std::max(from, std::min(pod.ready, to)), to, kPodMemory);
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::unordered_map<const LivePod*, bool> there;
  for (const auto& [at, pod] : events) {
    if (std::exchange(there[pod], true)) {
      books.gone(at, pod->started, kPodMemory);
    } else {
      books.started(at);
    }
  }
}

Result<Recorded> Life::recorded() {
  Recorded out;
  const Duration duration = now_.time_since_epoch() + Duration(1);
  auto arrivals = std::make_shared<std::vector<Arrival>>();
  Tally tally(limits_.size());
  for (const LiveCall& call : calls_) {
    if (call.ended == TimePoint::max() || call.cancelled) continue;
    arrivals->push_back(call.arrival);
    tally.completed(call.arrival.function, call.begun - call.arrival.at,
                    call.ended - call.arrival.at, call.arrival.service, call.cold);
  }
  std::vector<Duration> starts;
  PodBooks books(duration);
  count_pods(books, starts);
  if (starts.empty() || arrivals->empty()) {
    return fail(ErrorCode::kProtocol, "there is no completed call in it");
  }
  out.cold_start = Distribution::samples(std::move(starts), "as recorded");
  out.plan.words = "recorded, " + grouped(limits_.size()) + " functions, " +
                   grouped(arrivals->size()) + " calls in " + words(duration);
  out.plan.functions.assign(limits_.size(), FunctionFacts());
  out.plan.limits = limits_;
  out.plan.duration = duration;
  out.live.policy = "live";
  out.live.cold_start = out.cold_start.words();
  out.live.duration = out.live.covered = duration;
  out.live.arrived = arrivals->size();
  tally.fill(out.live);
  books.fill(TimePoint(duration), out.live);
  out.plan.begin = [arrivals](TimePoint) { return std::make_unique<RecordedCalls>(arrivals); };
  return out;
}

}  // namespace

Result<Recorded> read_recorded(std::string_view recording) {
  ASSIGN_OR_RETURN(const ReplayOutcome replayed, replay(recording));
  if (!replayed.difference.empty()) {
    return fail(ErrorCode::kFailedPrecondition,
                "this scheduler decides otherwise than the recorded "
                "one at " +
                    replayed.difference);
  }
  ASSIGN_OR_RETURN(auto reader, scheduler::RecordingReader::open(recording));
  Life life(reader.limits());
  for (;;) {
    ASSIGN_OR_RETURN(const auto next, reader.next());
    if (!next) return life.recorded();
    life.step(next->input);
  }
}

}  // namespace subito::simulate
