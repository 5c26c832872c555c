// Of the Simulation: calls between functions, and who runs on a core with which share.
#include <algorithm>

#include "bench/simulate/simulation.h"
#include "scheduler/call_chain.h"

namespace subito::simulate {
namespace {

// How much of it is done after so many thousandths.
Duration part_of(Duration service, std::uint32_t thousandths) {
  constexpr std::uint32_t kWhole = 1000;
  return service / kWhole * thousandths + service % kWhole * thousandths / kWhole;
}

}  // namespace

// The one it has yet to make, or null.
const NestedCall* Simulation::next_call(const Job& job) const {
  if (plan_.named.empty()) return nullptr;
  const std::vector<NestedCall>& calls = plan_.named[job.function].calls;
  return job.calls < calls.size() ? &calls[job.calls] : nullptr;
}

// The called one has what its caller has left of its time, and a service drawn by what the caller
// was drawn by, so that it is the same for every policy.
void Simulation::call(Slot caller_slot, const NestedCall& call) {
  Job& caller = jobs_[caller_slot];
  caller.stage = Stage::kCalling;
  ++caller.calls;
  if (refused_by_chain(caller, call)) {
    fail(id_of(caller_slot));
    return act();
  }
  const Slot slot = jobs_.take();
  Job& job = jobs_[slot];
  std::uint64_t state = caller.draw ^ std::uint64_t{caller.calls} << 48;
  job.draw = split_mix(state);
  Random random(setup_.seed ^ job.draw, call.function);
  job.service = plan_.named[call.function].called.draw(random);
  job.function = call.function;
  job.deadline = caller.deadline;
  job.caller = id_of(caller_slot);
  enter(slot);
}

bool Simulation::refused_by_chain(const Job& caller, const NestedCall& call) {
  chain_.clear();
  for (Slot at = find(caller.caller); at != kNoSlot; at = find(jobs_[at].caller)) {
    chain_.emplace_back(jobs_[at].function + 1);
  }
  std::reverse(chain_.begin(), chain_.end());
  if (!scheduler::fault_of_chain(chain_, FunctionId(caller.function + 1),
                                 FunctionId(call.function + 1))) {
    return false;
  }
  ++arrived_;
  tally_.arrived(call.function);
  tally_.looped(call.function);
  return true;
}

// What `caller` waited for is there, and took `alone`: it goes on.
void Simulation::answer(InvocationId caller, Duration alone) {
  const Slot slot = find(caller);
  if (slot == kNoSlot) return;
  Job& job = jobs_[slot];
  job.called = {};
  job.alone += alone;
  run(slot);
}

// What `caller` waited for was refused: it fails, and so do those who wait for it. Its pod is free.
void Simulation::fail(InvocationId caller) {
  for (Slot slot = find(caller); slot != kNoSlot; slot = find(caller)) {
    Job& job = jobs_[slot];
    tally_.failed(job.function);
    yielded_.push_back(caller);
    caller = job.caller;
    job.called = {};
    end(slot);
  }
}

// The scheduler was told that nobody waits for it. In a pod it was cancelled by an effect; else it
// is forgotten without a word.
void Simulation::orphaned(InvocationId id) {
  const Slot slot = find(id);
  if (slot == kNoSlot) return;
  tally_.failed(jobs_[slot].function);
  end(slot);
}

// Up to its next call, or its end.
Duration Simulation::work_of(const Job& job) const {
  if (plan_.named.empty()) return job.service;
  const std::vector<NestedCall>& calls = plan_.named[job.function].calls;
  const Duration done =
      job.calls == 0 ? Duration() : part_of(job.service, calls[job.calls - 1].thousandths);
  const NestedCall* next = next_call(job);
  return (next == nullptr ? job.service : part_of(job.service, next->thousandths)) - done;
}

void Simulation::run(Slot slot) {
  Job& job = jobs_[slot];
  Pod& pod = pods_[job.pod];
  job.stage = Stage::kRunning;
  job.on_core_since = now_;
  ++pod.running;
  cpu_.begin(now_, 2 * slot, work_of(job), share_of(pod));
  if (pod.running > 1) share_out(pod);
}

// It is off its core already.
void Simulation::leave_core(Slot slot) {
  Job& job = jobs_[slot];
  Pod& pod = pods_[job.pod];
  job.stage = Stage::kCalling;
  job.on_core += now_ - job.on_core_since;
  if (--pod.running > 0) share_out(pod);
}

// With cores to be short of, a call works as long as it is on one.
autoscaler::CpuUse Simulation::cpu_use_of(const Job& job) const {
  if (setup_.cores == 0) return {};
  return {.cpu = job.service, .waited = std::max(job.on_core - job.service, Duration::zero())};
}

// Of each call that runs in the pod, which share what it has.
std::uint32_t Simulation::share_of(const Pod& pod) const {
  constexpr std::uint32_t kParts = 256;  // so that a third of a small share is still about a third
  if (!setup_.cores_by_function) return 1;
  return std::max(1U, pod.share * kParts / std::max(1U, pod.running));
}

void Simulation::share_out(const Pod& pod) {
  if (!setup_.cores_by_function) return;
  for (Slot at = pod.jobs.front(); at != kNoSlot; at = jobs_[at].link.after) {
    if (jobs_[at].stage == Stage::kRunning) cpu_.set_share(now_, 2 * at, share_of(pod));
  }
}

void Simulation::tell(scheduler::CpuShares::Tell tell) {
  for (const scheduler::CpuShares::Told& told : tell) {
    const Slot slot = pod_slots_.find(told.pod);
    Pod& pod = pods_[slot];
    pod.share = told.share;
    share_out(pod);
    if (pod.starting_works) cpu_.set_share(now_, 2 * slot + 1, share_of(pod));
  }
}

}  // namespace subito::simulate
