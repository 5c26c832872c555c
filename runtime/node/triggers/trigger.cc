#include "runtime/node/triggers/trigger.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/node/triggers/due_source.h"
#include "runtime/node/triggers/stream_source.h"
#include "scheduler/effects.h"

namespace subito::node {
namespace {

using triggers::Action;
using triggers::Outcome;

triggers::FeedLimits limits_of(const manifest::Trigger& trigger) {
  triggers::FeedLimits limits;
  limits.deliveries_max = static_cast<std::uint32_t>(trigger.deliveries());
  if (trigger.has_stream()) {
    limits.in_flight = static_cast<std::uint32_t>(trigger.stream().in_flight());
    // 0: deployed before there were batches.
    limits.batch = std::max(static_cast<std::uint32_t>(trigger.stream().batch()), 1U);
    // One entry that fails would make dead letters of all that came with it.
    if (limits.deliveries_max == 1) limits.batch = 1;
  }
  if (trigger.has_due()) limits.in_flight = static_cast<std::uint32_t>(trigger.due().in_flight());
  limits.ordered = !trigger.has_due() && limits.in_flight == 1;
  return limits;
}

triggers::Cron cron_of(const manifest::Trigger& trigger) {
  auto cron = triggers::Cron::parse(trigger.schedule().cron());
  CHECK(cron.has_value());  // the manifest was checked
  return *cron;
}

}  // namespace

bool TriggerSpec::continues(const TriggerSpec& other) const {
  return function == other.function && keys == other.keys &&
         manifest.kind_case() == other.manifest.kind_case() &&
         manifest.schedule().cron() == other.manifest.schedule().cron();
}

Trigger::Trigger(const Parts& parts, TriggerSpec spec)
    : parts_(parts),
      spec_(std::move(spec)),
      feed_(limits_of(spec_.manifest)),
      timer_(parts.loop,
             [this] { feed([&](auto& actions) { feed_.tick(parts_.loop.now(), actions); }); }) {
  SourceEvents& events = *this;
  if (spec_.manifest.has_schedule()) {
    auto schedule = std::make_unique<ScheduleSource>(
        parts_.loop, parts_.link, events, spec_.keys, cron_of(spec_.manifest),
        "/schedules/" + spec_.function_name + "/" + spec_.manifest.name(), parts_.clock);
    schedule_ = schedule.get();
    source_ = std::move(schedule);
  } else if (spec_.manifest.has_stream()) {
    source_ = std::make_unique<StreamSource>(*parts_.link, events, spec_.keys);
  } else {
    source_ = std::make_unique<DueSource>(*parts_.link, events, spec_.keys);
  }
  feed([&](auto& actions) {
    feed_.pause(spec_.out_of_service, parts_.loop.now(), actions);
    if (schedule_ != nullptr) feed_.connected(parts_.loop.now(), actions);
  });
}

Trigger::~Trigger() {
  for (const auto& [id, token] : under_way_) parts_.deliveries.forget(token);
}

void Trigger::set_spec(TriggerSpec spec) {
  spec_ = std::move(spec);
  feed_.set_limits(limits_of(spec_.manifest));
  feed([&](auto& actions) { feed_.pause(spec_.out_of_service, parts_.loop.now(), actions); });
}

template <typename Input>
void Trigger::feed(Input input) {
  triggers::Actions actions;
  input(actions);
  std::vector<std::string> accepted;
  for (Action& action : actions) {
    if (action.kind == Action::Kind::kAcknowledge)
      accepted.push_back(std::move(action.id));
    else
      act(action);
  }
  if (!accepted.empty()) source_->acknowledge(accepted);
  arm();
}

void Trigger::act(Action& action) {
  switch (action.kind) {
    case Action::Kind::kRecover:
      return source_->recover();
    case Action::Kind::kLook:
      return source_->look(action.room, action.known);
    case Action::Kind::kTake:
      return source_->take(action.id);
    case Action::Kind::kDeliver:
      return deliver(action);
    case Action::Kind::kUntake:
      return source_->untake(action.id, action.number);
    case Action::Kind::kAcknowledge:
      return;  // all at once, by feed()
    case Action::Kind::kDeadLetter:
      parts_.on_dead_letter(spec_, action.id + " after " + std::to_string(action.number) +
                                       (action.number == 1 ? " delivery: " : " deliveries: ") +
                                       action.why);
      return source_->dead_letter(action.id, action.number, action.why);
  }
}

void Trigger::arm() {
  const TimePoint wake = feed_.wake_at();
  if (wake == TimePoint::max()) return timer_.stop();
  timer_.start(std::max(wake - parts_.loop.now(), Duration::zero()));
}

void Trigger::deliver(const Action& action) {
  std::vector<std::string> ids{action.id};
  ids.insert(ids.end(), action.others.begin(), action.others.end());
  std::vector<Occurrence> occurrences;
  for (const std::string& id : ids) {
    auto loaded = loaded_.extract(id);
    CHECK(!loaded.empty());
    occurrences.push_back(std::move(loaded.mapped()));
  }
  const std::string traceparent = traceparent_of(occurrences);
  auto [invocation, body] =
      request_of(std::move(occurrences), spec_.manifest.path(), action.number);
  invocation.function = spec_.function;
  invocation.origin = Origin::kTrigger;
  invocation.request_id = parts_.names.request_id();
  invocation.trace_is_new = traceparent.empty();
  invocation.traceparent = traceparent.empty() ? parts_.names.traceparent() : traceparent;
  under_way_[action.id] = parts_.deliveries.begin(
      std::move(invocation), std::move(body),
      [this, ids = std::move(ids)](const DeliveryResult& result) { answered(ids, result); });
}

// In order an entry that failed holds up those behind it, also those of its batch.
void Trigger::answered(const std::vector<std::string>& ids, const DeliveryResult& result) {
  under_way_.erase(ids.front());
  const auto& named = result.failed;
  Outcome outcome = result.outcome;
  std::string why = result.why;
  feed([&](auto& actions) {
    for (const std::string& id : ids) {
      const bool fails = std::find(named.begin(), named.end(), id) != named.end();
      const bool held_up = result.outcome != outcome && limits_of(spec_.manifest).ordered;
      if (fails)
        why = "its handler named it in " + std::string(kFailedField);
      else if (held_up)
        why = "an entry before it in its batch failed";
      if (!held_up) outcome = fails ? Outcome::kFailed : result.outcome;
      if (outcome == Outcome::kAccepted) ++delivered_;
      if (outcome == Outcome::kFailed) ++failed_;
      if (outcome != Outcome::kAccepted) last_failure_ = why;
      feed_.answered(parts_.loop.now(), id, outcome, outcome == Outcome::kAccepted ? "" : why,
                     result.after, actions);
    }
  });
}

void Trigger::connected() {
  if (schedule_ != nullptr) return;
  feed([&](auto& actions) { feed_.connected(parts_.loop.now(), actions); });
}

void Trigger::disconnected() {
  if (schedule_ != nullptr) return;
  feed([&](auto&) { feed_.disconnected(parts_.loop.now()); });
}

void Trigger::changed() {
  feed([&](auto& actions) { feed_.changed(parts_.loop.now(), actions); });
}

void Trigger::recover() {
  feed([&](auto& actions) { feed_.recover(parts_.loop.now(), actions); });
}

void Trigger::on_recovered(const std::vector<std::string>& ids,
                           std::optional<std::uint64_t> dead_letters) {
  source_error_.clear();
  if (dead_letters) dead_letters_ = *dead_letters;
  feed([&](auto& actions) { feed_.recovered(parts_.loop.now(), ids, actions); });
}

void Trigger::on_found(const triggers::Found& found, std::vector<Occurrence> taken,
                       std::optional<std::uint64_t> waiting) {
  waiting_ = waiting;
  for (Occurrence& one : taken) {
    std::string id = one.id;
    loaded_.insert_or_assign(std::move(id), std::move(one));
  }
  feed([&](auto& actions) { feed_.found(parts_.loop.now(), found, actions); });
}

void Trigger::on_taken(const std::string& id, std::uint32_t number, Occurrence occurrence) {
  loaded_.insert_or_assign(id, std::move(occurrence));
  feed([&](auto& actions) { feed_.taken(parts_.loop.now(), id, number, actions); });
}

void Trigger::on_gone(const std::string& id) {
  feed([&](auto& actions) { feed_.gone(parts_.loop.now(), id, actions); });
}

void Trigger::on_unfit(const std::string& id, std::string why) {
  last_failure_ = why;
  feed([&](auto& actions) { feed_.unfit(parts_.loop.now(), id, std::move(why), actions); });
}

void Trigger::on_settled(const std::vector<std::string>& ids,
                         std::optional<std::uint64_t> dead_letters) {
  if (dead_letters) dead_letters_ = *dead_letters;
  feed([&](auto& actions) {
    for (const std::string& id : ids) feed_.settled(parts_.loop.now(), id, actions);
  });
}

void Trigger::on_source_error(const std::string& message) {
  source_error_ = message;
  feed([&](auto&) { feed_.source_failed(parts_.loop.now()); });
}

void Trigger::replay(const DeadLetter& letter, Source::Replayed done) {
  source_->replay(letter, std::move(done));
}

std::string Trigger::state_words(const std::string& away) const {
  const TimePoint now = parts_.loop.now();
  if (!away.empty() && schedule_ == nullptr) return "waits for Redis: " + away;
  if (!source_error_.empty()) return "tries again: Redis says " + source_error_;
  if (spec_.out_of_service) return "waits: the function is out of service";
  std::string words;
  const auto add = [&](const std::string& more) { words += (words.empty() ? "" : ", ") + more; };
  if (feed_.delivering() > 0) add("delivering " + std::to_string(feed_.delivering()));
  if (feed_.backing_off() > 0) {
    const Duration left = std::max(feed_.next_try() - now, Duration::zero());
    add("backing off with " + std::to_string(feed_.backing_off()) + ", next try in " +
        scheduler::words(left));
  }
  return words.empty() ? "waiting" : words;
}

api::TriggerView Trigger::view(const std::string& away, bool polls) const {
  api::TriggerView view;
  const manifest::Trigger& manifest = spec_.manifest;
  view.name = manifest.name();
  view.kind = manifest.has_stream() ? "stream" : manifest.has_due() ? "due" : "schedule";
  view.what = schedule_ != nullptr ? manifest.schedule().cron() : spec_.keys.items;
  view.path = manifest.path();
  view.state = state_words(away);
  view.polls = polls && schedule_ == nullptr;
  view.delivered = delivered_;
  view.failed = failed_;
  view.dead_letters = dead_letters_;
  view.waiting = waiting_;
  view.last_failure = last_failure_;
  if (schedule_ != nullptr) {
    view.next_unix_ns = schedule_->next() * 1'000'000;
  } else if (manifest.has_due() && feed_.next_look() != TimePoint::max()) {
    view.next_unix_ns = wall_clock_nanoseconds() + (feed_.next_look() - parts_.loop.now()).count();
  }
  return view;
}

}  // namespace subito::node
