#include "scheduler/scheduler.h"

#include "runtime/base/check.h"
#include "scheduler/core.h"
#include "scheduler/inputs.h"

namespace subito::scheduler {

Scheduler::Scheduler(const NodeLimits& node) : core_(std::make_unique<Core>(node)) {
  CHECK(!fault(node));
}

Scheduler::~Scheduler() = default;

// The input's effects are those from `before` on.
template <typename In>
void Scheduler::tell(const In& input, const Effects& effects, std::size_t before) const {
  if (observer_ == nullptr) return;
  observer_->on_input(input, std::span(effects).subspan(before));
}

void Scheduler::add_function(TimePoint now, FunctionId function, RevisionId revision,
                             const FunctionLimits& limits, Effects& effects) {
  const std::size_t before = effects.size();
  core_->add_function(core_->tick(now, effects), function, revision, limits);
  tell(AddFunction{now, function, revision, limits}, effects, before);
}

void Scheduler::update_function(TimePoint now, FunctionId function, RevisionId revision,
                                const FunctionLimits& limits, Effects& effects) {
  const std::size_t before = effects.size();
  core_->update_function(core_->tick(now, effects), function, revision, limits);
  tell(UpdateFunction{now, function, revision, limits}, effects, before);
}

void Scheduler::remove_function(TimePoint now, FunctionId function, Effects& effects) {
  const std::size_t before = effects.size();
  core_->remove_function(core_->tick(now, effects), function);
  tell(RemoveFunction{now, function}, effects, before);
}

void Scheduler::scale(TimePoint now, FunctionId function, std::uint32_t pods_min,
                      std::optional<std::uint32_t> pods_max, Effects& effects) {
  const std::size_t before = effects.size();
  core_->scale(core_->tick(now, effects), function, pods_min, pods_max);
  tell(Scale{now, function, pods_min, pods_max}, effects, before);
}

void Scheduler::set_quota(TimePoint now, std::uint32_t tenant, const TenantQuota& quota,
                          Effects& effects) {
  const std::size_t before = effects.size();
  core_->set_quota(core_->tick(now, effects), tenant, quota);
  tell(SetQuota{now, tenant, quota}, effects, before);
}

void Scheduler::arrive(TimePoint now, const Arrival& arrival, Effects& effects) {
  const std::size_t before = effects.size();
  core_->arrive(core_->tick(now, effects), arrival);
  tell(Arrive{now, arrival}, effects, before);
}

void Scheduler::completed(TimePoint now, InvocationId invocation, Effects& effects,
                          const autoscaler::CpuUse& use) {
  const std::size_t before = effects.size();
  core_->completed(now, effects, invocation, use);
  tell(Completed{now, invocation, use}, effects, before);
}

void Scheduler::given_back(TimePoint now, InvocationId invocation, Effects& effects) {
  const std::size_t before = effects.size();
  core_->given_back(core_->tick(now, effects), invocation);
  tell(GivenBack{now, invocation}, effects, before);
}

void Scheduler::cancelled(TimePoint now, InvocationId invocation, Effects& effects) {
  const std::size_t before = effects.size();
  core_->cancelled(core_->tick(now, effects), invocation);
  tell(Cancelled{now, invocation}, effects, before);
}

void Scheduler::pod_ready(TimePoint now, PodId pod, Effects& effects, std::uint32_t ahead) {
  const std::size_t before = effects.size();
  core_->pod_ready(core_->tick(now, effects), pod, ahead);
  tell(PodReady{now, pod, ahead}, effects, before);
}

void Scheduler::pod_exited(TimePoint now, PodId pod, ExitKind kind,
                           std::span<const InvocationId> again, Effects& effects) {
  const std::size_t before = effects.size();
  core_->pod_exited(now, effects, pod, kind, again);
  if (observer_ == nullptr) return;  // the copy is for it alone
  tell(PodExited{now, pod, kind, {again.begin(), again.end()}}, effects, before);
}

void Scheduler::expire(TimePoint now, Effects& effects) {
  const std::size_t before = effects.size();
  core_->tick(now, effects);
  tell(Expire{now}, effects, before);
}

TimePoint Scheduler::next_deadline() const {
  return core_->next_deadline();
}

void Scheduler::close(TimePoint now, Effects& effects) {
  const std::size_t before = effects.size();
  core_->close(core_->tick(now, effects));
  tell(Close{now}, effects, before);
}

bool Scheduler::empty() const {
  return core_->empty();
}

void Scheduler::fetch(FunctionId function) const {
  core_->fetch(function);
}

void Scheduler::fetch_more(FunctionId function) const {
  core_->fetch_more(function);
}

void Scheduler::fetch(InvocationId invocation) const {
  core_->fetch(invocation);
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
