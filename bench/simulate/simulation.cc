#include "bench/simulate/simulation.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace subito::simulate {

using scheduler::ExitKind;

Simulation::Simulation(const Setup& setup, const Plan& plan)
    : setup_(setup),
      plan_(plan),
      end_(plan.duration),
      workload_(plan.begin(end_)),
      scheduler_(setup.node),
      cpu_(setup.cores),
      tally_(plan.functions.size()),
      books_(plan.duration) {}

Outcome Simulation::run(const GoOn& go_on) {
  constexpr std::uint32_t kStepsBetween = 1U << 14;
  add_functions();
  more_ = workload_->next(arrival_);
  for (std::uint32_t steps = 1; step(); ++steps) {
    if (steps % kStepsBetween != 0) continue;
    const double progress = std::chrono::duration<double>(now_ - TimePoint()) / plan_.duration;
    if (go_on(std::min(progress, 1.0))) continue;
    interrupted_ = true;
    break;
  }
  return outcome();
}

void Simulation::add_functions() {
  for (std::size_t i = 0; i < plan_.functions.size(); ++i) {
    scheduler::FunctionLimits limits = plan_.limits.empty() ? setup_.limits : plan_.limits[i];
    limits.policy = setup_.limits.policy;
    limits.idle_timeout = setup_.idle.value_or(limits.idle_timeout);
    scheduler_.add_function(now_, FunctionId(i + 1), RevisionId(1), limits, effects_);
    act();
  }
}

bool Simulation::step() {
  const TimePoint job = cpu_.next();
  const TimePoint event = events_.empty() ? TimePoint::max() : events_.top().at;
  const TimePoint due = scheduler_.next_deadline();
  const TimePoint arrival = more_ ? arrival_.at : TimePoint::max();
  const TimePoint first = std::min({job, event, due, arrival});
  if (first == TimePoint::max()) return false;
  if (!more_ && living_ == 0 && first > end_) return false;
  now_ = first;
  if (job == first) {
    end_job();
  } else if (event == first) {
    pod_event();
  } else if (due == first) {
    scheduler_.expire(now_, effects_);
    act();
  } else {
    arrive();
    more_ = workload_->next(arrival_);
  }
  return true;
}

void Simulation::arrive() {
  const Slot slot = jobs_.take();
  Job& job = jobs_[slot];
  job.arrived = now_;
  job.service = arrival_.service;
  job.function = arrival_.function;
  job.number = ++arrived_;
  ++living_;
  CHECK(slot >> kSlotBits == 0);  // 16 million in flight
  digest_.add(now_.time_since_epoch());
  digest_.add(arrival_.function);
  digest_.add(arrival_.service);
  const bool timed = setup_.timeout > Duration::zero();
  scheduler_.arrive(now_,
                    {.invocation = id_of(slot),
                     .function = FunctionId(arrival_.function + 1),
                     .deadline = timed ? now_ + setup_.timeout : TimePoint::max()},
                    effects_);
  act();
}

void Simulation::end_job() {
  const Slot slot = cpu_.take_ended(now_);
  const Job& job = jobs_[slot];
  digest_.add(now_.time_since_epoch());
  digest_.add(slot);
  tally_.completed(job.function, job.begun - job.arrived, now_ - job.arrived, job.service,
                   job.cold);
  const InvocationId id = id_of(slot);
  leave_pod(slot);
  jobs_.give_back(slot);
  --living_;
  scheduler_.completed(now_, id, effects_);
  act();
}

void Simulation::pod_event() {
  const Event event = events_.top();
  events_.pop();
  const Slot slot = pod_slots_.find(event.pod);
  if (slot == kNoSlot) return;  // it was killed before it was ready, or told to end twice
  digest_.add(now_.time_since_epoch());
  digest_.add(event.pod.value());
  if (event.exits) return pod_exits(slot, event.killed);
  Pod& pod = pods_[slot];
  pod.ready = true;
  for (Slot at = pod.jobs.front(); at != kNoSlot; at = jobs_[at].link.after) begin(at);
  if (!pod.jobs.empty()) pod.busy_since = now_;
  scheduler_.pod_ready(now_, pod.id, effects_);
  act();
  if (pod.going && pod.jobs.empty()) end_pod_later(pod, false);
}

// What ran in it is lost, what it never took is given back.
void Simulation::pod_exits(Slot slot, bool killed) {
  Pod& pod = pods_[slot];
  std::vector<InvocationId> again;
  while (!pod.jobs.empty()) {
    const Slot job = pod.jobs.front();
    if (!jobs_[job].running) again.push_back(id_of(job));
    leave_pod(job);
  }
  books_.gone(now_, pod.started, plan_.functions[pod.function].memory_bytes);
  const PodId id = pod.id;
  pod_slots_.erase(id);
  pods_.give_back(slot);
  scheduler_.pod_exited(now_, id, killed ? ExitKind::kKilled : ExitKind::kDrained, again, effects_);
  act();
}

// Carries out what was decided, and what comes of that.
void Simulation::act() {
  for (;;) {
    digest_.add(effects_);
    for (const scheduler::Effect& effect : effects_) {
      std::visit([this](const auto& it) { on(it); }, effect);
    }
    effects_.clear();
    if (yielded_.empty()) return;
    for (const InvocationId id : std::exchange(yielded_, {})) {
      scheduler_.completed(now_, id, effects_);
    }
  }
}

void Simulation::on(const scheduler::StartPod& start) {
  const Slot slot = pods_.take();
  Pod& pod = pods_[slot];
  pod.id = start.pod;
  pod.function = static_cast<std::uint32_t>(start.function.value() - 1);
  pod.started = now_;
  pod_slots_.insert(pod.id, slot);
  books_.started(now_);
  Random random(setup_.seed ^ start.number, start.function.value() << 20);
  const Duration takes = setup_.cold_start.draw(random);
  events_.push({now_ + takes, ++sequence_, pod.id});
}

void Simulation::on(const scheduler::Dispatch& dispatch) {
  const auto slot = slot_of(dispatch.invocation);
  const Slot pod_slot = pod_slots_.find(dispatch.pod);
  Pod& pod = pods_[pod_slot];
  Job& job = jobs_[slot];
  job.pod = pod_slot;
  job.cold = job.cold || dispatch.cold;
  if (pod.ready && pod.jobs.empty()) pod.busy_since = now_;
  pod.jobs.push_back(jobs_, slot);
  if (pod.ready) begin(slot);
}

// The pod yields at once, and the caller has its 504.
void Simulation::on(const scheduler::Cancel& cancel) {
  const auto slot = slot_of(cancel.invocation);
  tally_.cancelled();
  leave_pod(slot);
  jobs_.give_back(slot);
  --living_;
  yielded_.push_back(cancel.invocation);
}

void Simulation::on(const scheduler::Refuse& refuse) {
  tally_.refused(refuse.reason);
  jobs_.give_back(slot_of(refuse.invocation));
  --living_;
}

void Simulation::on(const scheduler::DrainPod& drain) {
  Pod& pod = pods_[pod_slots_.find(drain.pod)];
  pod.going = true;
  if (pod.ready && pod.jobs.empty()) end_pod_later(pod, false);
}

void Simulation::on(const scheduler::StopPod& stop) {
  end_pod_later(pods_[pod_slots_.find(stop.pod)], true);
}

void Simulation::begin(Slot slot) {
  Job& job = jobs_[slot];
  job.running = true;
  job.begun = now_;
  cpu_.begin(now_, slot, job.service);
}

// Off its core, if it has not ended by itself, and out of its pod.
void Simulation::leave_pod(Slot slot) {
  Job& job = jobs_[slot];
  Pod& pod = pods_[job.pod];
  pod.jobs.erase(jobs_, slot);
  job.pod = kNoSlot;
  if (std::exchange(job.running, false)) cpu_.remove(now_, slot);
  if (!pod.jobs.empty() || !pod.ready) return;
  books_.was_busy(pod.busy_since, now_, plan_.functions[pod.function].memory_bytes);
  if (pod.going) end_pod_later(pod, false);
}

void Simulation::end_pod_later(Pod& pod, bool killed) {
  pod.going = true;
  events_.push({now_ + kPodEnd, ++sequence_, pod.id, true, killed});
}

Outcome Simulation::outcome() {
  const TimePoint until = interrupted_ ? std::min(now_, end_) : end_;
  for (Slot slot = 0; slot < pods_.end(); ++slot) {
    const Pod& pod = pods_[slot];
    if (!pod.id) continue;
    const std::uint64_t memory = plan_.functions[pod.function].memory_bytes;
    if (pod.ready && !pod.jobs.empty()) books_.was_busy(pod.busy_since, until, memory);
    books_.gone(until, pod.started, memory);
  }
  Outcome out;
  out.policy = setup_.policy;
  out.cold_start = setup_.cold_start.words();
  out.duration = plan_.duration;
  out.covered = until - TimePoint();
  out.interrupted = interrupted_;
  out.arrived = arrived_;
  tally_.fill(out);
  books_.fill(until, out);
  digest_.add(out.arrived);
  digest_.add(out.completed);
  out.digest = digest_.value();
  return out;
}

}  // namespace subito::simulate
