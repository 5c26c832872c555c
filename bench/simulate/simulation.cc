#include "bench/simulate/simulation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/fetch_lines.h"

namespace subito::simulate {

using scheduler::ExitKind;
namespace {

scheduler::NodeLimits node_of(const Setup& setup) {
  scheduler::NodeLimits limits = setup.node;
  limits.cores = setup.cores;
  return limits;
}

}  // namespace

Simulation::Simulation(const Setup& setup, const Plan& plan)
    : setup_(setup),
      plan_(plan),
      end_(plan.duration),
      workload_(plan.begin(end_)),
      scheduler_(node_of(setup)),
      cpu_(setup.cores),
      tally_(plan.functions.size(), plan.named),
      books_(plan.duration) {}

Outcome Simulation::run(const GoOn& go_on) {
  constexpr std::uint32_t kStepsBetween = 1U << 14;
  add_functions();
  draw_ahead();
  for (std::uint32_t steps = 1; step(); ++steps) {
    if (steps % kStepsBetween != 0) continue;
    const double progress = std::chrono::duration<double>(now_ - TimePoint()) / plan_.duration;
    if (go_on(std::min(progress, 1.0))) continue;
    interrupted_ = true;
    break;
  }
  return outcome();
}

const scheduler::FunctionLimits& Simulation::limits_of(std::size_t function) const {
  return plan_.limits.empty() ? setup_.limits : plan_.limits[function];
}

Slot Simulation::find(InvocationId id) const {
  const Slot slot = slot_of(id);
  return id && slot < jobs_.end() && id_of(slot) == id ? slot : kNoSlot;
}

void Simulation::add_functions() {
  scheduler::CallGraph graph;
  for (const NamedFunction& function : plan_.named) {
    std::set<std::string> calls;
    for (const NestedCall& call : function.calls) calls.insert(plan_.named[call.function].name);
    graph.put(function.name, calls);
  }
  for (std::size_t i = 0; i < plan_.functions.size(); ++i) {
    scheduler::FunctionLimits limits = limits_of(i);
    limits.policy = setup_.limits.policy;
    limits.idle_timeout = setup_.idle.value_or(limits.idle_timeout);
    if (!plan_.named.empty()) limits.height = graph.height(plan_.named[i].name);
    scheduler_.add_function(now_, FunctionId(i + 1), RevisionId(1), limits, effects_);
    act();
  }
}

bool Simulation::step() {
  const TimePoint job = cpu_.next();
  const TimePoint event = events_.next();
  const TimePoint due = scheduler_.next_deadline();
  const TimePoint arrival = drawn_ahead_ > 0 ? next_arrival().at : TimePoint::max();
  const TimePoint first = std::min(std::min(job, event), std::min(due, arrival));
  if (first == TimePoint::max()) return false;
  if (drawn_ahead_ == 0 && living_ == 0 && first > end_) return false;
  now_ = std::max(now_, first);  // what was due earlier is due at once
  if (job == first) {
    end_work();
  } else if (event == first) {
    pod_event();
  } else if (due == first) {
    scheduler_.expire(now_, effects_);
    act();
  } else {
    arrive();
    draw_ahead();
  }
  look_ahead();
  return true;
}

// Draws arrivals until kAhead are to come, and has fetched what is known of their functions while
// others are dealt with, in two steps: their records, and when they are nearer what is behind.
void Simulation::draw_ahead() {
  while (more_ && drawn_ahead_ < kAhead) {
    Arrival& drawn = arrivals_[(first_arrival_ + drawn_ahead_) % kAhead];
    more_ = workload_->next(drawn);
    if (!more_) break;
    ++drawn_ahead_;
    scheduler_.fetch(FunctionId(drawn.function + 1));
  }
  if (drawn_ahead_ <= kNear) return;
  const Arrival& near = arrivals_[(first_arrival_ + kNear) % kAhead];
  scheduler_.fetch_more(FunctionId(near.function + 1));
}

// Has fetched, while other events are dealt with, what is known of the jobs that end next: with
// thousands that run it is in no cache.
void Simulation::look_ahead() {
  const Slot next = cpu_.next_job();
  if (next == ahead_ || next == kNoSlot || next % 2 == 1) return;
  ahead_ = next;
  const Slot after = cpu_.job_after();
  if (after != kNoSlot && after % 2 == 0) fetch_lines(&jobs_[after / 2], sizeof(Job));
  const Job& job = jobs_[next / 2];
  fetch_lines(&job, sizeof job);
  fetch_lines(&pods_[job.pod], sizeof(Pod));
  scheduler_.fetch(id_of(next / 2));
  tally_.fetch(job.function);
}

void Simulation::arrive() {
  const Arrival arrival = next_arrival();
  first_arrival_ = (first_arrival_ + 1) % kAhead;
  --drawn_ahead_;
  const Slot slot = jobs_.take();
  Job& job = jobs_[slot];
  job.service = arrival.service;
  job.function = arrival.function;
  job.draw = ++drawn_;
  if (setup_.timeout > Duration::zero()) job.deadline = now_ + setup_.timeout;
  enter(slot);
}

void Simulation::enter(Slot slot) {
  Job& job = jobs_[slot];
  job.arrived = now_;
  job.alone = job.service;
  job.number = ++arrived_;
  ++living_;
  CHECK(slot >> kSlotBits == 0);  // 16 million in flight
  if (const Slot caller = find(job.caller); caller != kNoSlot) jobs_[caller].called = id_of(slot);
  tally_.arrived(job.function);
  digest_.add(now_.time_since_epoch());
  digest_.add(job.function);
  digest_.add(job.service);
  scheduler_.arrive(now_,
                    {.invocation = id_of(slot),
                     .function = FunctionId(job.function + 1),
                     .deadline = job.deadline,
                     .nested = static_cast<bool>(job.caller)},
                    effects_);
  act();
}

// Of a call, all of it or up to the next call of its own; or of a start.
void Simulation::end_work() {
  const Slot job = cpu_.take_ended(now_);
  const Slot slot = job / 2;
  digest_.add(now_.time_since_epoch());
  digest_.add(slot);
  if (job % 2 == 1) {
    pods_[slot].starting_works = false;
    if (pods_[slot].start_passed) pod_ready(slot);
    return;
  }
  leave_core(slot);
  if (const NestedCall* next = next_call(jobs_[slot])) return call(slot, *next);
  complete(slot);
}

void Simulation::complete(Slot slot) {
  const Job& job = jobs_[slot];
  tally_.completed(job.function, job.begun - job.arrived, now_ - job.arrived, job.alone, job.cold);
  const InvocationId id = id_of(slot);
  const InvocationId caller = job.caller;
  const Duration alone = job.alone;
  const autoscaler::CpuUse use = cpu_use_of(job);
  end(slot);
  answer(caller, alone);
  scheduler_.completed(now_, id, effects_, use);
  act();
}

void Simulation::pod_event() {
  const Event event = events_.take();
  const Slot slot = pod_slots_.find(event.pod);
  if (slot == kNoSlot) return;  // it was killed before it was ready, or told to end twice
  digest_.add(now_.time_since_epoch());
  digest_.add(event.pod.value());
  if (event.exits) return pod_exits(slot, event.killed);
  pods_[slot].start_passed = true;
  if (!pods_[slot].starting_works) pod_ready(slot);
}

void Simulation::pod_ready(Slot slot) {
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
    if (jobs_[job].stage == Stage::kWaiting) again.push_back(id_of(job));
    leave_pod(job);
  }
  if (pod.starting_works) cpu_.remove(now_, 2 * slot + 1);
  if (setup_.cores_by_function) tell(shares_.remove(pod.id, now_));
  books_.gone(now_, pod.started, plan_.functions[pod.function].memory_bytes);
  const PodId id = pod.id;
  pod_slots_.erase(id);
  pods_.give_back(slot);
  scheduler_.pod_exited(now_, id, killed ? ExitKind::kKilled : ExitKind::kDrained, again, effects_);
  act();
}

// Carries out what was decided, and what comes of that.
void Simulation::act() {
  for (InvocationId orphan;;) {
    digest_.add(effects_);
    for (const scheduler::Effect& effect : effects_) on(effect);
    effects_.clear();
    if (orphan) orphaned(std::exchange(orphan, {}));
    if (!yielded_.empty()) {
      reported_.swap(yielded_);
      for (const InvocationId id : reported_) scheduler_.completed(now_, id, effects_);
      reported_.clear();
    } else if (!orphans_.empty()) {
      orphan = orphans_.back();
      orphans_.pop_back();
      if (find(orphan) != kNoSlot) scheduler_.cancelled(now_, orphan, effects_);
    } else {
      return;
    }
  }
}

// The most frequent first: a jump by a table is harder to foretell.
void Simulation::on(const scheduler::Effect& effect) {
  if (const auto* dispatch = std::get_if<scheduler::Dispatch>(&effect)) return on(*dispatch);
  if (const auto* start = std::get_if<scheduler::StartPod>(&effect)) return on(*start);
  if (const auto* drain = std::get_if<scheduler::DrainPod>(&effect)) return on(*drain);
  std::visit([this](const auto& it) { on(it); }, effect);
}

void Simulation::on(const scheduler::StartPod& start) {
  const Slot slot = pods_.take();
  Pod& pod = pods_[slot];
  pod.id = start.pod;
  pod.function = static_cast<std::uint32_t>(start.function.value() - 1);
  pod.started = now_;
  pod_slots_.insert(pod.id, slot);
  books_.started(now_);
  const Duration takes = setup_.cold_start.draw_from(
      [&] { return Random(setup_.seed ^ start.number, start.function.value() << 20); });
  events_.push({now_ + takes, ++sequence_, pod.id});
  if (setup_.cores_by_function) {
    shares_.add(pod.id, start.function, limits_of(pod.function).weight);
  }
  if (setup_.start_cpu > Duration::zero()) {
    pod.starting_works = true;
    cpu_.begin(now_, 2 * slot + 1, setup_.start_cpu, share_of(pod));
  }
}

void Simulation::on(const scheduler::Dispatch& dispatch) {
  const auto slot = slot_of(dispatch.invocation);
  const Slot pod_slot = pod_slots_.find(dispatch.pod);
  Pod& pod = pods_[pod_slot];
  Job& job = jobs_[slot];
  job.pod = pod_slot;
  job.cold = job.cold || dispatch.cold;
  if (pod.ready && pod.jobs.empty()) pod.busy_since = now_;
  if (setup_.cores_by_function && pod.jobs.empty()) {
    tell(shares_.on_busy(pod.id, now_, dispatch.queued));
  }
  pod.jobs.push_back(jobs_, slot);
  if (pod.ready) begin(slot);
}

// The pod yields at once, and the caller has its 504.
void Simulation::on(const scheduler::Cancel& cancel) {
  const Slot slot = find(cancel.invocation);
  if (slot == kNoSlot) return;  // it failed a moment ago, and that is to be reported
  const Job& job = jobs_[slot];
  if (cancel.reason == scheduler::CancelReason::kDeadline) {
    tally_.cancelled(job.function);
  } else {
    tally_.failed(job.function);
  }
  const InvocationId caller = job.caller;
  end(slot);
  yielded_.push_back(cancel.invocation);
  fail(caller);
}

void Simulation::on(const scheduler::Refuse& refuse) {
  const Slot slot = find(refuse.invocation);
  CHECK(slot != kNoSlot);
  const Job& job = jobs_[slot];
  tally_.refused(job.function, refuse.reason);
  const InvocationId caller = job.caller;
  end(slot);
  fail(caller);
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
  jobs_[slot].begun = now_;
  run(slot);
}

// However it ended: whom it called, nobody waits for any more.
void Simulation::end(Slot slot) {
  const Job& job = jobs_[slot];
  if (job.called) orphans_.push_back(job.called);
  if (job.pod != kNoSlot) leave_pod(slot);
  jobs_.give_back(slot);
  --living_;
}

// Off its core, if it has not ended by itself, and out of its pod.
void Simulation::leave_pod(Slot slot) {
  Job& job = jobs_[slot];
  Pod& pod = pods_[job.pod];
  if (job.stage == Stage::kRunning) {
    cpu_.remove(now_, 2 * slot);
    leave_core(slot);
  }
  job.stage = Stage::kWaiting;
  pod.jobs.erase(jobs_, slot);
  job.pod = kNoSlot;
  if (!pod.jobs.empty()) return;
  if (setup_.cores_by_function) tell(shares_.on_idle(pod.id, now_));
  if (!pod.ready) return;
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
