// Rollouts: lanes that come and go, and the steps of a rollout that rolls.
#include <algorithm>
#include <utility>

#include "runtime/node/rollouts.h"
#include "runtime/node/views.h"
#include "scheduler/effects.h"
#include "scheduler/rolling.h"

namespace subito::node {
namespace {

using store::RolloutState;

std::uint32_t own_max(const Revision& revision) {
  return revision.scaling.pods_max.value_or(1);
}

scheduler::RollingLimits rolling_limits(const Revision& to, std::uint32_t pods) {
  const manifest::Rollout& rollout = to.manifest.spec().rollout();
  return {.pods = pods,
          .surge = scheduler::pods_of(rollout.max_surge(), pods, true),
          .unavailable = scheduler::pods_of(rollout.max_unavailable(), pods, false),
          .pods_max = own_max(to)};
}

}  // namespace

Rollouts::Function* Rollouts::find(std::string_view name) {
  const auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : &at->second;
}

const Rollouts::Function* Rollouts::find(std::string_view name) const {
  const auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : &at->second;
}

bool Rollouts::serves(const Function& function, const Revision& revision) {
  return std::any_of(function.lanes.begin(), function.lanes.end(),
                     [&](const Lane& lane) { return lane.revision->lane == revision.lane; });
}

RevisionPtr Rollouts::on_lane(const Revision& revision, FunctionId lane) {
  auto moved = std::make_shared<Revision>(revision);
  moved->lane = lane;
  return moved;
}

// For a lane of its own.
Result<RevisionPtr> Rollouts::load(std::string_view name, std::uint64_t number) {
  ASSIGN_OR_RETURN(const store::Revision stored, parts_.store.revision(name, number));
  const RevisionPtr revision = parts_.load(stored);
  if (!revision->out_of_service.empty())
    return subito::fail(ErrorCode::kFailedPrecondition, "serve revision " + std::to_string(number) +
                                                            " of " + std::string(name) + ": " +
                                                            revision->out_of_service);
  return on_lane(*revision, parts_.functions.next_lane());
}

Status Rollouts::save(Function& function, store::Serving next) {
  const std::string& name = function.lanes.front().revision->name;
  next.changed_unix_ns = wall_clock_nanoseconds();
  RETURN_IF_ERROR(parts_.store.set_serving(name, next, in_use(name)));
  function.record = std::move(next);
  return ok();
}

// On the lane that it has beside the current one, or else on that of the current one, whose queue
// it takes over.
void Rollouts::serve_alone(Function& function, const RevisionPtr& revision) {
  RevisionPtr serving = revision;
  if (!function.lanes.empty()) {
    const auto own =
        std::find_if(function.lanes.begin() + 1, function.lanes.end(),
                     [&](const Lane& lane) { return lane.revision->number == revision->number; });
    serving = own != function.lanes.end()
                  ? own->revision
                  : on_lane(*revision, function.lanes.front().revision->lane);
    if (serving->id != revision->id) parts_.engine.drop_template(*revision);
  }
  function.pods = 0;
  const std::vector<Lane> before = std::exchange(function.lanes, {{serving, 1}});
  make_current(function, serving);
  for (const Lane& lane : before) {
    if (!serves(function, *lane.revision)) leave(function, lane.revision);
  }
}

void Rollouts::make_current(Function& function, const RevisionPtr& revision) {
  const std::int64_t now = wall_clock_nanoseconds();
  parts_.engine.put_lane(revision);
  route(function);
  parts_.functions.put(revision, now, now);
  parts_.current_changed(*revision);
}

// Beside the current one, without pods at first: step() says how many.
void Rollouts::begin_rolling(Function& function, const RevisionPtr& revision) {
  const std::uint32_t pods = pods_of(function);
  drop_beside(function);
  function.pods = pods;
  function.ready = 0;
  function.got_on = parts_.loop.now();
  const RevisionPtr target = on_lane(*revision, parts_.functions.next_lane());
  auto asleep = std::make_shared<Revision>(*target);
  asleep->scaling.pods_min = 0;
  parts_.engine.put_lane(asleep);
  function.lanes.push_back({target, 0});
  wake(function);
}

void Rollouts::step(Function& function) {
  Lane& from = function.lanes.front();
  Lane& to = function.lanes.back();
  const auto old_seen = scheduled(*from.revision), new_seen = scheduled(*to.revision);
  const std::uint32_t old_pods = old_seen.starting + old_seen.ready;
  // Until something new is ready the old one serves alone, with as many pods as it needs.
  const bool alone = new_seen.ready == 0;
  if (alone && function.pods > 0) function.pods = std::max(function.pods, old_pods);
  const scheduler::RollingStep step = scheduler::roll(
      rolling_limits(*to.revision, function.pods), {old_pods, new_seen.ready, new_seen.failures});
  if (step.kind == scheduler::RollingStep::Kind::kDone) return complete(function);
  if (step.kind == scheduler::RollingStep::Kind::kFailed) {
    const std::string end = parts_.engine.last_end(to.revision->lane);
    return fail(function, "a pod of it " + (end.empty() ? "did not come up" : end));
  }
  const TimePoint now = parts_.loop.now();
  if (new_seen.ready > function.ready) function.got_on = now;
  function.ready = std::max(function.ready, new_seen.ready);
  if (now - function.got_on > kRolloutProgressMax) {
    return fail(function, "no further pod of it was ready within " +
                              scheduler::words(kRolloutProgressMax) + ", " +
                              std::to_string(new_seen.ready) + " of " +
                              std::to_string(function.pods) + " are");
  }
  limit(to.revision, step.new_min, step.new_max);
  const std::uint32_t old_max =
      alone ? std::max(step.old_max, own_max(*from.revision)) : step.old_max;
  limit(from.revision, std::min(from.revision->scaling.pods_min, old_max), old_max);
  if (from.weight == step.old_weight && to.weight == step.new_weight) return;
  from.weight = step.old_weight;
  to.weight = step.new_weight;
  route(function);
}

void Rollouts::complete(Function& function) {
  const RevisionPtr revision = function.lanes.back().revision;
  store::Serving next = function.record;
  next.state = RolloutState::kComplete;
  next.target = 0;
  if (next.current != revision->number)
    next.previous = std::exchange(next.current, revision->number);
  // Another function may have taken a route of it meanwhile.
  auto saved = parts_.may_serve(*revision);
  if (saved) saved = save(function, std::move(next));
  if (!saved) return fail(function, saved.error().message);
  serve_alone(function, revision);
  parts_.reporter.event(revision->name, "RolloutComplete",
                        "revision " + std::to_string(revision->number) + " serves");
}

// If even that cannot be kept, the next start of the node tries the rollout again.
void Rollouts::fail(Function& function, const std::string& reason) {
  const std::string name = function.lanes.front().revision->name;
  store::Serving next = function.record;
  next.state = RolloutState::kFailed;
  next.reason = reason;
  next.shares.clear();
  if (!save(function, next)) function.record = std::move(next);
  drop_beside(function);
  parts_.reporter.event(name, "RolloutFailed", view(name).words);
}

// The current revision serves alone, as its own limits say. It starts pods for those that go, which
// stay as long as they have something to do.
void Rollouts::drop_beside(Function& function) {
  const std::uint32_t pods = pods_of(function);
  function.pods = 0;
  const std::vector<Lane> before(function.lanes.begin() + 1, function.lanes.end());
  function.lanes.resize(1);
  function.lanes.front().weight = 1;
  const RevisionPtr& current = function.lanes.front().revision;
  limit(current, std::max(pods, current->scaling.pods_min), own_max(*current));
  limit(current, current->scaling.pods_min, own_max(*current));
  route(function);
  for (const Lane& lane : before) leave(function, lane.revision);
}

void Rollouts::leave(Function& function, const RevisionPtr& revision) {
  auto empty = std::make_shared<Revision>(*revision);
  empty->scaling.pods_min = 0;
  parts_.engine.put_lane(empty);
  function.leaving.push_back(revision);
  wake(function);
}

// That the current revision needs to serve alone what its lanes serve now; the surge of a rollout
// does not count.
std::uint32_t Rollouts::pods_of(const Function& function) const {
  const Revision& current = *function.lanes.front().revision;
  const auto living = [this](const Revision& revision) {
    const auto seen = scheduled(revision);
    return seen.starting + seen.ready;
  };
  std::uint32_t pods = 0;
  for (const Lane& lane : function.lanes) pods += living(*lane.revision);
  if (function.pods > 0) pods = std::min(pods, std::max(function.pods, living(current)));
  return std::min(pods, own_max(current));
}

void Rollouts::let_go(Function& function) {
  std::erase_if(function.leaving, [&](const RevisionPtr& revision) {
    const auto seen = scheduled(*revision);
    if (seen.waiting + seen.running > 0) return false;
    function.completed_before += seen.completed;
    parts_.engine.remove_lane(revision->lane);
    return true;
  });
}

// Those that run go on serving until the others are there.
void Rollouts::begin_renewal(Function& function, const RevisionPtr& next, std::uint32_t pods) {
  const RevisionPtr revision = on_lane(*next, parts_.functions.next_lane());
  auto starting = std::make_shared<Revision>(*revision);
  starting->scaling.pods_min = std::min(pods, own_max(*revision));
  parts_.engine.put_lane(starting);
  function.renewal = Function::Renewal{revision, starting->scaling.pods_min, parts_.loop.now()};
  wake(function);
}

void Rollouts::step_renewal(Function& function) {
  const auto seen = scheduled(*function.renewal->revision);
  const bool late = parts_.loop.now() - function.renewal->begun > kRenewalMax;
  if (seen.ready >= function.renewal->pods || seen.failures > 0 || late) finish_renewal(function);
}

// The lane of the renewal takes over, with the limits that the function has by now.
void Rollouts::finish_renewal(Function& function) {
  if (!function.renewal) return;
  const Revision& renewed = *function.renewal->revision;
  const Lane before = function.lanes.front();
  auto revision = std::make_shared<Revision>(*before.revision);
  revision->lane = renewed.lane;
  revision->id = renewed.id;
  set_grants(*revision, renewed.grants, renewed.grants_fault);
  function.renewal.reset();
  replace(function, function.lanes.front(), revision);
  leave(function, before.revision);
}

// The same revision in another make: what is told of the function is as it was.
void Rollouts::replace(Function& function, Lane& lane, const RevisionPtr& revision) {
  const bool current = &lane == &function.lanes.front();
  lane.revision = revision;
  parts_.engine.put_lane(revision);
  route(function);
  if (!current) return;
  const DeployedFunction& known = *parts_.functions.find(revision->name);
  parts_.functions.put(revision, known.created_unix_ns, known.deployed_unix_ns);
  parts_.current_changed(*revision);
}

void Rollouts::renew(std::string_view name) {
  Function* function = find(name);
  if (function == nullptr) return;
  finish_renewal(*function);  // one that is under way has old values already
  const RevisionPtr next = parts_.renewed(*function->lanes.front().revision);
  const auto seen = scheduled(*function->lanes.front().revision);
  const std::uint32_t pods = seen.starting + seen.ready;
  if (function->lanes.size() == 1 && pods > 0 && next->out_of_service.empty())
    return begin_renewal(*function, next, pods);
  replace(*function, function->lanes.front(), next);
  for (std::size_t i = 1; i < function->lanes.size(); ++i)
    replace(*function, function->lanes[i], parts_.renewed(*function->lanes[i].revision));
}

std::vector<RevisionPtr> Rollouts::serving(std::string_view name) const {
  std::vector<RevisionPtr> revisions;
  const Function* function = find(name);
  if (function == nullptr) return revisions;
  for (const Lane& lane : function->lanes) revisions.push_back(lane.revision);
  return revisions;
}

void Rollouts::route(Function& function) {
  std::vector<Engine::Share> shares;
  for (const Lane& lane : function.lanes) shares.push_back({lane.revision, lane.weight});
  parts_.engine.route(function.lanes.front().revision, shares);
}

void Rollouts::limit(const RevisionPtr& revision, std::uint32_t pods_min, std::uint32_t pods_max) {
  const auto seen = scheduled(*revision);
  if (seen.limits.pods_min == pods_min && seen.pods_max == pods_max) return;
  parts_.engine.scale(revision->lane, pods_min, pods_max);
}

scheduler::FunctionView Rollouts::scheduled(const Revision& revision) const {
  return parts_.engine.scheduler().function(revision.lane).value_or(scheduler::FunctionView());
}

void Rollouts::wake(const Function& function) {
  active_.insert(function.lanes.front().revision->name);
  if (pace_ == kRolloutTick) return;
  pace_ = kRolloutTick;
  timer_.start(pace_);
}

void Rollouts::tick() {
  const Duration pace = std::exchange(pace_, Duration::zero());
  bool rolls = false;
  for (auto name = active_.begin(); name != active_.end();) {
    Function& function = functions_.at(*name);
    let_go(function);
    if (function.renewal) step_renewal(function);
    if (function.rolls()) step(function);
    const bool steps = function.rolls() || function.renewal;
    rolls = rolls || steps;
    const bool over = !steps && function.leaving.empty();
    name = over ? active_.erase(name) : std::next(name);
  }
  if (active_.empty() || pace_ != Duration::zero()) return;
  pace_ = rolls ? kRolloutTick : std::min(pace * 2, kLeavingTickMax);
  timer_.start(pace_);
}

}  // namespace subito::node
