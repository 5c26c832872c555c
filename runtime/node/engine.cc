#include "runtime/node/engine.h"

#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/refusals.h"

namespace subito::node {
Engine::Engine(Loop& loop, const scheduler::NodeLimits& limits, EngineObserver& observer)
    : loop_(loop),
      observer_(observer),
      scheduler_(limits),
      timer_(loop,
             [this] {
               scheduler_.expire(loop_.now(), effects_);
               decided();
             }),
      start_watch_(loop, has_several_cores()),
      pods_(loop, *this) {}

Engine::~Engine() = default;

void Engine::set_on_home_lost(std::function<void(const Error&)> callback) {
  home_lost_ = std::move(callback);
}

void Engine::set_on_pod_gone(std::function<void(const std::string&)> callback) {
  pod_gone_ = std::move(callback);
}

void Engine::put_function(const RevisionPtr& revision) {
  put_lane(revision);
  route(revision, {{revision, 1}});
}

void Engine::put_lane(const RevisionPtr& revision) {
  const FunctionId id = revision->lane;
  const auto [lane, added] = lanes_.try_emplace(id);
  const RevisionPtr before = std::exchange(lane->second, revision);
  if (added) names_[revision->name].lanes.push_back(id);
  const auto moved = update_calls(revision->name);
  const scheduler::FunctionLimits limits = limits_of(*revision);
  if (added) {
    scheduler_.add_function(loop_.now(), id, revision->id, limits, effects_);
  } else {
    if (before->id != revision->id) last_ends_.erase(id);
    scheduler_.update_function(loop_.now(), id, revision->id, limits, effects_);
  }
  meters_.add(revision->function);
  share_cpu(cpu_shares_.set_weight(id, limits.weight));
  keep_template(revision, before);
  update_heights(moved);
  decided();
}

void Engine::route(const RevisionPtr& current, const std::vector<Share>& shares) {
  Serving& serving = functions_[current->function];
  serving.current = current;
  serving.split.reset();
  rates_.put(*current, loop_.now());
  serving.rate_limited = rates_.limits(current->function);
  std::vector<std::uint32_t> weights;
  std::vector<RevisionPtr> revisions;
  for (const Share& share : shares) {
    CHECK(lanes_.contains(share.revision->lane));
    if (share.weight == 0) continue;
    weights.push_back(share.weight);
    revisions.push_back(share.revision);
  }
  CHECK(!revisions.empty());
  if (revisions.size() == 1 && revisions.front() == current) return;
  serving.split = std::make_unique<Serving::Split>(
      Serving::Split{scheduler::TrafficSplit(weights), std::move(revisions)});
}

void Engine::set_namespace_rate(const std::string& name_space,
                                std::optional<scheduler::Rate> rate) {
  rates_.set_namespace_rate(name_space, rate, loop_.now());
  for (auto& [function, serving] : functions_) serving.rate_limited = rates_.limits(function);
}

void Engine::remove_lane(FunctionId id) {
  const auto lane = lanes_.find(id);
  if (lane == lanes_.end()) return;
  const RevisionPtr revision = lane->second;
  lanes_.erase(lane);
  drop_template(*revision);
  last_ends_.erase(id);
  std::erase(names_.at(revision->name).lanes, id);
  scheduler_.remove_function(loop_.now(), id, effects_);
  update_heights(update_calls(revision->name));
  decided();
}

void Engine::remove_function(FunctionId function) {
  const auto found = functions_.find(function);
  if (found == functions_.end()) return;
  const std::string name = found->second.current->name;
  for (const FunctionId lane : std::vector(names_.at(name).lanes)) remove_lane(lane);
  names_.erase(name);
  functions_.erase(function);
  rates_.remove(function);
  failed_.erase(function);
  meters_.remove(function);
}

bool Engine::make_template(const Revision& revision, pods::TemplateCallback told) {
  if (revision.start_mode != pods::StartMode::kTemplate || !revision.out_of_service.empty()) {
    return false;
  }
  return pods_.home().keep_template(revision.id.value(), pod_spec(revision), std::move(told));
}

void Engine::drop_template(const Revision& revision) {
  if (revision.start_mode != pods::StartMode::kTemplate) return;
  pods_.home().drop_template(revision.id.value());
}

// `before`: what it takes the place of; null: nothing.
void Engine::keep_template(const RevisionPtr& revision, const RevisionPtr& before) {
  if (before != nullptr && before->id == revision->id) return;
  if (before != nullptr) drop_template(*before);
  make_template(*revision, [this, revision](const pods::TemplateView& view) {
    observer_.on_template(*revision, view);
  });
}

// How high a function stands is no matter of its own revision.
scheduler::FunctionLimits Engine::limits_of(const Revision& revision) const {
  scheduler::FunctionLimits limits = revision.scaling;
  limits.height = call_graph_.height(revision.name);
  if (tenant_of_) limits.tenant = tenant_of_(revision);
  return limits;
}

// A function stands above all that any revision of it calls. Returns it and the others that moved.
std::vector<std::string> Engine::update_calls(const std::string& function) {
  std::set<std::string> calls;
  for (const FunctionId lane : names_.at(function).lanes) {
    const Revision& revision = *lanes_.at(lane);
    for (const std::string& name : revision.calls) calls.insert(neighbour(revision, name));
  }
  std::vector<std::string> moved = call_graph_.put(function, calls);
  moved.push_back(function);
  return moved;
}

// They stand higher or lower than before.
void Engine::update_heights(const std::vector<std::string>& functions) {
  for (const std::string& name : functions) {
    const auto named = names_.find(name);
    if (named == names_.end()) continue;
    const auto height = call_graph_.height(name);
    for (const FunctionId lane : named->second.lanes) {
      // The others may be a rollout's, not the revision's own.
      scheduler::FunctionLimits limits = scheduler_.function(lane)->limits;
      if (limits.height == height) continue;
      limits.height = height;
      scheduler_.update_function(loop_.now(), lane, lanes_.at(lane)->id, limits, effects_);
    }
  }
}

void Engine::set_quota(std::uint32_t tenant, const scheduler::TenantQuota& quota) {
  scheduler_.set_quota(loop_.now(), tenant, quota, effects_);
  decided();
}

void Engine::scale(FunctionId lane, std::uint32_t pods_min, std::uint32_t pods_max) {
  scheduler_.scale(loop_.now(), lane, pods_min, pods_max, effects_);
  decided();
}

std::vector<FunctionId> Engine::lanes(const std::string& function) const {
  const auto named = names_.find(function);
  return named == names_.end() ? std::vector<FunctionId>() : named->second.lanes;
}

RevisionPtr Engine::revision(FunctionId function) const {
  const auto it = functions_.find(function);
  return it == functions_.end() ? nullptr : it->second.current;
}

PodId Engine::probe(RevisionPtr revision, std::string pod_name, ProbeCallback callback) {
  const PodId id(kProbeBit | probe_ids_.next().value());
  const Duration limit = revision->scaling.start_timeout;
  const PodTable::Order order{id, 0, std::move(pod_name), std::move(revision), loop_.now(), {}};
  Probe& probe = probes_[id];
  probe.callback = std::move(callback);
  probe.deadline = std::make_unique<Timer>(loop_, [this, id] {
    Pod* pod = pods_.find(id);
    if (pod == nullptr) return;
    pods_.kill(*pod,
               pod->hello ? "it did not end after its check" : "it did not say hello in time");
  });
  probe.deadline->start(limit);
  auto started = pods_.start(order);
  if (!started) {
    loop_.defer([this, id, error = std::move(started).error()] {
      finish_probe(id, error, pods::StartMode::kFresh);
      probes_.erase(id);
    });
  }
  return id;
}

void Engine::close(std::function<void()> done) {
  closed_ = std::move(done);
  scheduler_.close(loop_.now(), effects_);
  decided();
}

// Carries out what was decided at the end of this loop turn.
void Engine::decided() {
  if (std::exchange(effects_scheduled_, true)) return;
  loop_.defer([this] { run_effects(); });
}

void Engine::run_effects() {
  // What an effect causes at once (a start that fails) is decided in the next round of the loop.
  while (!effects_.empty()) {
    const scheduler::Effects effects = std::exchange(effects_, {});
    for (const scheduler::Effect& effect : effects) {
      std::visit([this](const auto& action) { act(action); }, effect);
    }
    for (const PodId pod : std::exchange(failed_starts_, {})) {
      scheduler_.pod_exited(loop_.now(), pod, scheduler::ExitKind::kStartFailed, take_unsent(pod),
                            effects_);
    }
  }
  effects_scheduled_ = false;
  arm_timer();
  if (closed_ && scheduler_.empty() && pods_.size() == 0) std::exchange(closed_, nullptr)();
}

// Invocations that the scheduler gave to a pod and that were never sent to it: another pod may have
// them, whatever they are.
std::vector<InvocationId> Engine::take_unsent(PodId pod) {
  std::vector<InvocationId> unsent;
  if (const auto it = unsent_.find(pod); it != unsent_.end()) {
    unsent = std::move(it->second);
    unsent_.erase(it);
  }
  std::erase_if(effects_, [&](const scheduler::Effect& effect) {
    const auto* dispatch = std::get_if<scheduler::Dispatch>(&effect);
    if (dispatch == nullptr || dispatch->pod != pod) return false;
    unsent.push_back(dispatch->invocation);
    return true;
  });
  return unsent;
}

void Engine::share_cpu(scheduler::CpuShares::Tell tell) {
  for (const scheduler::CpuShares::Told& told : tell) pods_.home().share_cpu(told.pod, told.share);
}

void Engine::pod_is_busy(PodId pod, Duration waited) {
  share_cpu(cpu_shares_.on_busy(pod, loop_.now(), waited));
  if (placement_ != nullptr) placement_->on_busy(pod, loop_.now());
}

void Engine::pod_is_idle(PodId pod) {
  share_cpu(cpu_shares_.on_idle(pod, loop_.now()));
  if (placement_ != nullptr) placement_->on_idle(pod);
}

void Engine::arm_timer() {
  const TimePoint next = scheduler_.next_deadline();
  if (next == TimePoint::max()) {
    timer_.stop();
  } else {
    timer_.start(std::max(next - loop_.now(), Duration::zero()));
  }
}

void Engine::act(const scheduler::StartPod& start) {
  const auto lane = lanes_.find(start.function);
  if (lane == lanes_.end()) {  // removed in this very turn
    failed_starts_.push_back(start.pod);
    return;
  }
  const RevisionPtr current = lane->second;
  // Over all lanes: the scheduler numbers those of each.
  const std::uint64_t number = ++names_.at(current->name).pods_started;
  PodTable::Order order{start.pod, number,      current->name + "-" + std::to_string(number),
                        current,   loop_.now(), scheduler::words(start)};
  auto started = pods_.start(order);
  if (!started) {
    Pod never;
    never.id = start.pod;
    never.name = order.name;
    never.revision = current;
    observer_.on_start_failed(never, started.error());
    last_ends_[start.function] = kDidNotStart;
    failed_starts_.push_back(start.pod);  // what was dispatched to it comes behind in this turn
    ++meters_.of(current->function).exits[scheduler::ExitKind::kStartFailed];
    return;
  }
  meters_.count_start(current->function, start, (*started)->mode);
  cpu_shares_.add(start.pod, start.function, current->scaling.weight);
}

void Engine::act(const scheduler::Dispatch& dispatch) {
  InvocationRecord* record = find(dispatch.invocation);
  const Pod* pod = pods_.find(dispatch.pod);
  // Its caller left in the same turn: the scheduler takes the pod for busy with it.
  if (record == nullptr) {
    scheduler_.completed(loop_.now(), dispatch.invocation, effects_);
    return;
  }
  // Its start failed in this turn, or its channel is closed and its exit will follow.
  if (pod == nullptr || pods_.channels().streams(pod->id) == nullptr) {
    unsent_[dispatch.pod].push_back(dispatch.invocation);
    return;
  }
  record->cold = dispatch.cold;
  record->queued = record->waited = dispatch.queued;
  if (dispatch.cold && !pod->hello) {
    start_watch_.on_start(pod->id, pod->mode != pods::StartMode::kFresh, loop_.now());
  }
  send_invoke(*record, *pod);
}

void Engine::act(const scheduler::Cancel& cancel) {
  InvocationRecord* record = find(cancel.invocation);
  if (record == nullptr || record->state == InvocationState::kAbandoned) return;
  const bool deadline = cancel.reason == scheduler::CancelReason::kDeadline;
  if (deadline) fail_at_deadline(*record);
  // Its Dispatch was in vain, see above, or its pod died in this very turn: nobody has it.
  if (record->state == InvocationState::kWaiting) return forget(*record);
  give_up(*record, deadline ? protocol::Cancel::DEADLINE : protocol::Cancel::CLIENT_LEFT);
  if (pods_.find(record->pod) == nullptr) forget(*record);
}

void Engine::act(const scheduler::Refuse& refuse) {
  InvocationRecord* record = find(refuse.invocation);
  if (record == nullptr) return;
  ++meters_.of(record->request.function).refused[refuse.reason];
  if (record->caller != nullptr) fail_caller(*record, refusal(*record, refuse));
  forget(*record);
}

void Engine::act(const scheduler::DrainPod& drain) {
  Pod* pod = pods_.find(drain.pod);
  if (pod == nullptr) return;
  ++meters_.drains[drain.reason];
  observer_.on_draining(*pod, drain);
  pods_.drain(*pod);
}

void Engine::act(const scheduler::StopPod& stop) {
  Pod* pod = pods_.find(stop.pod);
  if (pod == nullptr) return;
  ++meters_.stops[stop.reason];
  if (stop.reason != scheduler::StopReason::kUnresponsive) {
    return pods_.kill(*pod, std::string(scheduler::to_string(stop.reason)));
  }
  const auto running = running_in(pod->id);
  const bool late = !running.empty() && running.front()->deadline <= loop_.now();
  std::string reason = late ? "its handler went on past its deadline"
                            : "its handler went on after its client had left";
  std::string advice = late ? "raise spec.timeout, or look at context.cancelled() in loops"
                            : "look at context.cancelled() in loops";
  // Of more threads than one nobody knows here which is the handler's.
  if (pod->revision->scaling.concurrency > 1) return pods_.kill(*pod, std::move(reason));
  pods_.kill_after_report(*pod, std::move(reason), std::move(advice));
}

}  // namespace subito::node
