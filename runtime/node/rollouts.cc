#include "runtime/node/rollouts.h"

#include <algorithm>
#include <utility>

#include "runtime/base/time.h"
#include "runtime/node/views.h"

namespace subito::node {
namespace {

using store::RolloutState;

std::string revision_words(std::uint64_t revision) {
  return "revision " + std::to_string(revision);
}

bool is_rolling(const Revision& revision) {
  return revision.manifest.spec().rollout().strategy() == manifest::ROLLING;
}

// The same, with neither a rollout nor a split under way.
store::Serving at_rest(store::Serving serving) {
  serving.state = RolloutState::kComplete;
  serving.target = 0;
  serving.reason.clear();
  serving.shares.clear();
  return serving;
}

}  // namespace

Rollouts::Rollouts(const Parts& parts) : parts_(parts), timer_(parts.loop, [this] { tick(); }) {}

Status Rollouts::restore(const store::FunctionRecord& record) {
  const std::string& name = record.revision.function;
  ASSIGN_OR_RETURN(const store::Serving serving, parts_.store.serving(name));
  Function& function = functions_[name];
  function.record = serving;
  const RevisionPtr current = parts_.load(record.revision);
  function.lanes = {{current, serving.shares.empty() ? 1U : 0U}};
  parts_.engine.put_lane(current);
  for (const store::Share& share : serving.shares) {
    if (share.number == current->number) {
      function.lanes.front().weight = share.weight;
    } else if (auto beside = load(name, share.number); beside) {
      function.lanes.push_back({*beside, share.weight});
      parts_.engine.put_lane(*beside);
    } else {
      parts_.reporter.event(name, "OutOfService", beside.error().message);
    }
  }
  const auto weighs = [](const Lane& lane) { return lane.weight > 0; };
  if (std::none_of(function.lanes.begin(), function.lanes.end(), weighs))
    function.lanes.front().weight = 1;
  parts_.functions.put(current, record.created_unix_ns, record.revision.created_unix_ns);
  route(function);
  if (!function.rolls()) return ok();
  auto target = load(name, serving.target);
  if (!target) {
    fail(function, target.error().message);
    return ok();
  }
  begin_rolling(function, *target);
  function.pods = std::max(function.pods, 1U);  // one has to come up, also of a function asleep
  return ok();
}

Result<bool> Rollouts::deploy(const RevisionPtr& revision, const store::Candidate& candidate,
                              How how) {
  const Function* function = find(revision->name);
  if (how == How::kByManifest || function == nullptr) return take_over(revision, &candidate);
  RETURN_IF_ERROR(parts_.store.commit(candidate, function->record, in_use(revision->name)));
  parts_.engine.drop_template(*revision);  // that of the check; what serves gets its own
  return false;
}

Result<bool> Rollouts::go_back_to(const RevisionPtr& revision) {
  return take_over(revision, nullptr);
}

Result<bool> Rollouts::take_over(const RevisionPtr& revision, const store::Candidate* candidate) {
  RETURN_IF_ERROR(parts_.may_serve(*revision));
  if (Function* under_way = find(revision->name)) finish_renewal(*under_way);
  const std::string& name = revision->name;
  const Function* known = find(name);
  store::Serving next = known == nullptr ? store::Serving() : known->record;
  const bool rolls = known != nullptr && is_rolling(*revision);
  next.shares.clear();
  next.reason.clear();
  next.state = rolls ? RolloutState::kProgressing : RolloutState::kComplete;
  next.target = rolls ? revision->number : 0;
  if (!rolls && next.current != revision->number)
    next.previous = std::exchange(next.current, revision->number);
  next.changed_unix_ns = wall_clock_nanoseconds();
  RETURN_IF_ERROR(candidate != nullptr ? parts_.store.commit(*candidate, next, in_use(name))
                                       : parts_.store.set_serving(name, next, in_use(name)));
  Function& function = functions_[name];
  function.record = next;
  if (!rolls) {
    serve_alone(function, revision);
    return false;
  }
  parts_.reporter.event(
      name, "RolloutStarted",
      revision_words(revision->number) + " takes the place of " + revision_words(next.current));
  begin_rolling(function, revision);
  step(function);
  return function.rolls();
}

Result<bool> Rollouts::abandon(std::string_view name) {
  Function* function = find(name);
  if (function == nullptr) return unknown_function(name).error();
  if (!under_way(name) && function->record.state != RolloutState::kFailed) return false;
  const std::uint64_t target = function->record.target;
  RETURN_IF_ERROR(save(*function, at_rest(function->record)));
  drop_beside(*function);
  parts_.reporter.event(name, "RolledBack",
                        (target != 0 ? "the rollout of " + revision_words(target) : "the split") +
                            " is taken back; " + revision_words(function->record.current) +
                            " serves");
  return true;
}

Result<std::uint64_t> Rollouts::previous(std::string_view name) const {
  const Function* function = find(name);
  if (function == nullptr) return unknown_function(name).error();
  if (function->record.previous != 0) return function->record.previous;
  return subito::fail(
      ErrorCode::kFailedPrecondition,
      "undo " + std::string(name) + ": " + revision_words(function->record.current) +
          " is the first that served; `subito rollout history` lists what is there");
}

Status Rollouts::pause(std::string_view name) {
  Function* function = find(name);
  if (function == nullptr) return unknown_function(name);
  if (!function->rolls())
    return subito::fail(ErrorCode::kFailedPrecondition,
                        "pause rollout of " + std::string(name) + ": none is in progress");
  store::Serving next = function->record;
  next.state = RolloutState::kPaused;
  for (const Lane& lane : function->lanes)
    next.shares.push_back({lane.revision->number, lane.weight});
  RETURN_IF_ERROR(save(*function, std::move(next)));
  for (const Lane& lane : function->lanes) {
    const auto seen = scheduled(*lane.revision);
    limit(lane.revision, std::min(lane.revision->scaling.pods_min, seen.starting + seen.ready),
          lane.revision->scaling.pods_max.value_or(seen.pods_max));
  }
  function->pods = 0;
  parts_.reporter.event(name, "RolloutPaused", view(name).words);
  return ok();
}

Status Rollouts::resume(std::string_view name) {
  Function* function = find(name);
  if (function == nullptr) return unknown_function(name);
  if (function->record.state != RolloutState::kPaused)
    return subito::fail(ErrorCode::kFailedPrecondition,
                        "resume rollout of " + std::string(name) + ": none is paused");
  if (function->lanes.size() < 2)
    return subito::fail(ErrorCode::kFailedPrecondition,
                        "resume rollout of " + std::string(name) + ": " +
                            revision_words(function->record.target) +
                            " cannot run; deploy it again");
  store::Serving next = function->record;
  next.state = RolloutState::kProgressing;
  next.shares.clear();
  RETURN_IF_ERROR(save(*function, std::move(next)));
  function->pods = 0;
  for (const Lane& lane : function->lanes) {
    const auto seen = scheduled(*lane.revision);
    function->pods += seen.starting + seen.ready;
    function->ready = seen.ready;
  }
  function->got_on = parts_.loop.now();
  parts_.reporter.event(name, "RolloutResumed",
                        "goes on to " + revision_words(function->record.target));
  wake(*function);
  step(*function);
  return ok();
}

Status Rollouts::set_traffic(std::string_view name, const std::vector<api::TrafficShare>& shares) {
  Function* function = find(name);
  if (function == nullptr) return unknown_function(name);
  if (function->rolls())
    return subito::fail(ErrorCode::kFailedPrecondition,
                        "set traffic of " + std::string(name) +
                            ": a rollout is in progress; wait for it, or pause or undo it");
  finish_renewal(*function);
  std::vector<Lane> lanes;
  store::Serving next = at_rest(function->record);
  for (const api::TrafficShare& share : shares) {
    const auto has =
        std::find_if(function->lanes.begin(), function->lanes.end(),
                     [&](const Lane& lane) { return lane.revision->number == share.revision; });
    RevisionPtr revision;
    if (has != function->lanes.end()) {
      revision = has->revision;
    } else {
      ASSIGN_OR_RETURN(revision, load(name, share.revision));
    }
    lanes.push_back({std::move(revision), share.percent});
    next.shares.push_back({share.revision, share.percent});
  }
  // The current one stays it as long as it has a share; then the one with the largest is.
  const auto first =
      std::max_element(lanes.begin(), lanes.end(), [&](const Lane& a, const Lane& b) {
        const auto rank = [&](const Lane& lane) {
          return std::pair(lane.revision->number == next.current, lane.weight);
        };
        return rank(a) < rank(b);
      });
  std::iter_swap(lanes.begin(), first);
  const RevisionPtr current = lanes.front().revision;
  if (next.current != current->number) {
    RETURN_IF_ERROR(parts_.may_serve(*current));
    next.previous = std::exchange(next.current, current->number);
  }
  if (lanes.size() == 1) next.shares.clear();
  RETURN_IF_ERROR(save(*function, std::move(next)));
  if (lanes.size() == 1) {
    serve_alone(*function, current);
  } else {
    for (const Lane& lane : lanes) parts_.engine.put_lane(lane.revision);
    const std::vector<Lane> before = std::exchange(function->lanes, lanes);
    if (parts_.functions.find(name)->revision->number == current->number)
      route(*function);
    else
      make_current(*function, current);
    for (const Lane& lane : before) {
      if (!serves(*function, *lane.revision)) leave(*function, lane.revision);
    }
  }
  parts_.reporter.event(name, "TrafficSet", view(name).words);
  return ok();
}

void Rollouts::scaled(const RevisionPtr& current) {
  Function* function = find(current->name);
  if (function == nullptr) return;
  function->lanes.front().revision = current;
  parts_.engine.put_lane(current);  // a rollout that rolls limits it again with its next step
  route(*function);
}

void Rollouts::remove(std::string_view name) {
  active_.erase(std::string(name));
  if (const auto at = functions_.find(name); at != functions_.end()) functions_.erase(at);
}

bool Rollouts::under_way(std::string_view name) const {
  const Function* function = find(name);
  // A paused one whose target cannot run has one lane.
  return function != nullptr &&
         (function->lanes.size() > 1 || function->record.state == RolloutState::kPaused);
}

store::Store::Numbers Rollouts::in_use(std::string_view name) const {
  store::Store::Numbers numbers;
  if (const Function* function = find(name)) {
    for (const Lane& lane : function->lanes) numbers.insert(lane.revision->number);
    for (const RevisionPtr& revision : function->leaving) numbers.insert(revision->number);
  }
  for (const Pod* pod : parts_.engine.pods().all()) {
    if (pod->revision->name == name) numbers.insert(pod->revision->number);
  }
  return numbers;
}

api::RolloutView Rollouts::view(std::string_view name) const {
  api::RolloutView view;
  view.function = name;
  const Function* function = find(name);
  if (function == nullptr) return view;
  const store::Serving& record = function->record;
  view.state = static_cast<api::RolloutState>(record.state);
  view.strategy = is_rolling(*function->lanes.back().revision) ? "rolling" : "at-once";
  view.revision = record.current;
  view.target = record.target;
  view.previous = record.previous;
  view.changed_unix_ns = record.changed_unix_ns;
  std::uint32_t total = 0;
  for (const Lane& lane : function->lanes) total += lane.weight;
  std::string split;
  for (const Lane& lane : function->lanes) {
    const auto seen = scheduled(*lane.revision);
    const std::uint32_t percent = (lane.weight * 100 + total / 2) / total;
    view.serving.push_back(
        {lane.revision->number, percent, seen.starting + seen.ready, seen.ready});
    split += (split.empty() ? "" : ", ") + revision_words(lane.revision->number) + " serves " +
             std::to_string(percent) + " %";
  }
  view.words = function->lanes.size() > 1 ? split : revision_words(record.current) + " serves";
  if (record.state == RolloutState::kProgressing && view.serving.size() > 1) {
    view.words = std::to_string(view.serving[1].ready) + " of " + std::to_string(function->pods) +
                 " pods of " + revision_words(record.target) + " ready, " +
                 std::to_string(view.serving[0].pods) + " of " + revision_words(record.current) +
                 " left";
  } else if (record.state == RolloutState::kPaused) {
    view.words = "paused: " + split;
  } else if (record.state == RolloutState::kFailed) {
    view.words = "the rollout of " + revision_words(record.target) + " failed: " + record.reason +
                 "; " + revision_words(record.current) + " serves on";
  }
  return view;
}

}  // namespace subito::node
