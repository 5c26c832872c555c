#include <algorithm>

#include "runtime/base/check.h"
#include "scheduler/core.h"

namespace subito::scheduler {

void Core::add_function(Turn turn, FunctionId id, RevisionId revision,
                        const FunctionLimits& limits) {
  const Slot slot = ledger_.add_function(id);
  Function& function = ledger_.function(slot);
  function.revision = revision;
  function.policy = autoscaler::PolicyBox(limits.policy);
  function.start = autoscaler::Estimate(limits.start_prior);
  apply(slot, limits);
  settle(turn, slot);
  grant(turn);
}

void Core::update_function(Turn turn, FunctionId id, RevisionId revision,
                           const FunctionLimits& limits) {
  const Slot slot = ledger_.find(id);
  CHECK(slot != kNoSlot);
  Function& function = ledger_.function(slot);
  if (function.limits.policy != limits.policy) {
    function.policy = autoscaler::PolicyBox(limits.policy);
  }
  apply(slot, limits);
  if (function.revision != revision) {
    function.revision = revision;
    function.backoff.forgive();
    function.ahead = {};
    for (Slot at = function.pods.front(); at != kNoSlot; at = ledger_.next_pod(at)) {
      if (ledger_.pod(at).serving()) drain(turn, at, DrainReason::kOldRevision);
    }
  }
  trim(turn, slot);
  settle(turn, slot);
  grant(turn);
}

void Core::remove_function(Turn turn, FunctionId id) {
  const Slot slot = ledger_.find(id);
  CHECK(slot != kNoSlot);
  refuse_all_waiting(turn, slot, RefuseReason::kFunctionGone);
  ledger_.retire_function(slot);
  Function& function = ledger_.function(slot);
  ledger_.timers().clear(function.wake_timer);
  ledger_.timers().clear(function.plan_timer);
  leave_lines(slot);
  for (Slot at = function.pods.front(); at != kNoSlot; at = ledger_.next_pod(at)) {
    if (ledger_.pod(at).serving()) drain(turn, at, DrainReason::kRemoved);
  }
  refresh_idle(slot);
  if (function.pods.empty()) ledger_.release_function(slot);
  grant(turn);
}

void Core::scale(Turn turn, FunctionId id, std::uint32_t pods_min,
                 std::optional<std::uint32_t> pods_max) {
  const Slot slot = ledger_.find(id);
  CHECK(slot != kNoSlot);
  FunctionLimits limits = ledger_.function(slot).limits;
  limits.pods_min = pods_min;
  limits.pods_max = pods_max;
  apply(slot, limits);
  trim(turn, slot);
  settle(turn, slot);
  grant(turn);
}

void Core::apply(Slot slot, const FunctionLimits& limits) {
  CHECK(!fault(limits));
  Function& function = ledger_.function(slot);
  function.limits = limits;
  ledger_.set_height(slot, limits.height);
  ledger_.place_in_line(slot);
  function.pods_max =
      limits.pods_max.value_or(std::max(pods_max_default(limits_), limits.pods_min));
}

void Core::close(Turn turn) {
  closing_ = true;
  for (Slot slot = 0; slot < ledger_.functions_end(); ++slot) {
    const Function& function = ledger_.function(slot);
    if (!function.id || function.removed) continue;
    settle(turn, slot);
    idle_due(turn, slot);
  }
  grant(turn);
}

std::optional<FunctionView> Core::function(FunctionId id) const {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot) return std::nullopt;
  const Function& function = ledger_.function(slot);
  FunctionView out{.function = function.id,
                   .revision = function.revision,
                   .limits = function.limits,
                   .pods_max = function.pods_max,
                   .starting = function.in(PodState::kStarting),
                   .ready = function.in(PodState::kReady),
                   .draining = function.in(PodState::kDraining),
                   .stopping = function.in(PodState::kStopping),
                   .idle = function.idle.size(),
                   .waiting = function.queue.size(),
                   .running = function.running,
                   .completed = function.completed,
                   .plan = function.plan,
                   .pods_planned = function.pods_planned,
                   .pods_unused = function.pods_unused,
                   .service = function.service.mean(),
                   .start = function.start.mean(),
                   .cpu = function.cpu.cpu(),
                   .failures = function.backoff.failures(),
                   .backoff_until = function.backoff.until(),
                   .last = function.last,
                   .pods = {}};
  for (Slot at = function.pods.front(); at != kNoSlot; at = ledger_.next_pod(at)) {
    out.pods.push_back(view(ledger_.pod(at)));
  }
  return out;
}

std::optional<PodView> Core::pod(PodId id) const {
  const Slot slot = ledger_.find(id);
  if (slot == kNoSlot) return std::nullopt;
  return view(ledger_.pod(slot));
}

PodView Core::view(const Pod& pod) const {
  return {.pod = pod.id,
          .function = ledger_.function(pod.function).id,
          .revision = pod.revision,
          .number = pod.number,
          .state = pod.state,
          .state_since = pod.state_since,
          .running = pod.running.size(),
          .served = pod.served,
          .idle = pod.idle,
          .idle_for = pod.idle ? latest_ - pod.idle_since : Duration::zero(),
          .start = pod.said_hello ? pod.hello_at - pod.requested : Duration::zero()};
}

NodeView Core::node() const {
  return {.limits = limits_,
          .pods = ledger_.pods(),
          .starting = ledger_.starting(),
          .waiting = ledger_.waiting(),
          .running = ledger_.running(),
          .functions = ledger_.functions(),
          .closing = closing_};
}

}  // namespace subito::scheduler
