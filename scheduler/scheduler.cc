#include "scheduler/scheduler.h"

#include "runtime/base/check.h"
#include "scheduler/core.h"

namespace subito::scheduler {

Scheduler::Scheduler(const NodeLimits& node) : core_(std::make_unique<Core>(node)) {
  CHECK(!fault(node));
}

Scheduler::~Scheduler() = default;

void Scheduler::add_function(TimePoint now, FunctionId function, RevisionId revision,
                             const FunctionLimits& limits, Effects& effects) {
  core_->add_function(core_->tick(now, effects), function, revision, limits);
}

void Scheduler::update_function(TimePoint now, FunctionId function, RevisionId revision,
                                const FunctionLimits& limits, Effects& effects) {
  core_->update_function(core_->tick(now, effects), function, revision, limits);
}

void Scheduler::remove_function(TimePoint now, FunctionId function, Effects& effects) {
  core_->remove_function(core_->tick(now, effects), function);
}

void Scheduler::scale(TimePoint now, FunctionId function, std::uint32_t pods_min,
                      std::optional<std::uint32_t> pods_max, Effects& effects) {
  core_->scale(core_->tick(now, effects), function, pods_min, pods_max);
}

void Scheduler::arrive(TimePoint now, const Arrival& arrival, Effects& effects) {
  core_->arrive(core_->tick(now, effects), arrival);
}

void Scheduler::completed(TimePoint now, InvocationId invocation, Effects& effects) {
  core_->completed(now, effects, invocation);
}

void Scheduler::cancelled(TimePoint now, InvocationId invocation, Effects& effects) {
  core_->cancelled(core_->tick(now, effects), invocation);
}

void Scheduler::pod_ready(TimePoint now, PodId pod, Effects& effects) {
  core_->pod_ready(core_->tick(now, effects), pod);
}

void Scheduler::pod_exited(TimePoint now, PodId pod, ExitKind kind,
                           std::span<const InvocationId> again, Effects& effects) {
  core_->pod_exited(now, effects, pod, kind, again);
}

void Scheduler::expire(TimePoint now, Effects& effects) {
  core_->tick(now, effects);
}

TimePoint Scheduler::next_deadline() const {
  return core_->next_deadline();
}

void Scheduler::close(TimePoint now, Effects& effects) {
  core_->close(core_->tick(now, effects));
}

bool Scheduler::empty() const {
  return core_->empty();
}

std::optional<FunctionView> Scheduler::function(FunctionId function) const {
  return core_->function(function);
}

std::optional<PodView> Scheduler::pod(PodId pod) const {
  return core_->pod(pod);
}

NodeView Scheduler::node() const {
  return core_->node();
}

}  // namespace subito::scheduler
