#include "runtime/node/triggers/triggers.h"

#include <set>
#include <utility>

#include "deploy/manifest/qualified_name.h"
#include "runtime/base/time.h"

namespace subito::node {

Triggers::Triggers(Loop& loop, bindings::Dialer& dialer, Invoker& invoker,
                   const Functions& functions, OnDeadLetter on_dead_letter)
    : loop_(loop),
      dialer_(dialer),
      functions_(functions),
      on_dead_letter_(std::move(on_dead_letter)),
      deliveries_(invoker),
      claim_timer_(loop, [this] { claim(); }) {}

Triggers::~Triggers() = default;

void Triggers::use_redis(const bindings::RedisEndpoint& redis, std::string consumer,
                         std::function<void()> changed) {
  consumer_ = std::move(consumer);
  redis_changed_ = std::move(changed);
  link_ = std::make_unique<bindings::RedisLink>(
      loop_, dialer_, redis,
      bindings::RedisLink::Events{
          [this] { on_up(); }, [this](const std::string&) { on_down(); }, {}, {}});
  watch_ = std::make_unique<bindings::KeyWatch>(
      loop_, dialer_, redis, [this](const std::string& key) { on_changed(key); });
  claim_timer_.start(kClaimInterval);
}

// The prefix of a function that is not there yet is what it has unless its manifest says otherwise.
std::string Triggers::prefix_of(const std::string& function) const {
  if (const DeployedFunction* deployed = functions_.find(function)) {
    const Revision& revision = *deployed->revision;
    for (const manifest::Binding& binding : revision.manifest.spec().bindings()) {
      if (binding.has_redis()) return redis_key_prefix(revision, binding);
    }
  }
  const manifest::QualifiedName name = manifest::split_qualified(function);
  return redis_key_prefix(name.name + ":", name.name_space);
}

TriggerSpec Triggers::spec_of(const Revision& revision, const manifest::Trigger& trigger) const {
  TriggerSpec spec;
  spec.function = revision.function;
  spec.function_name = revision.name;
  spec.manifest = trigger;
  spec.out_of_service = !revision.out_of_service.empty();
  const manifest::Binding* binding = find_binding(revision, trigger.binding());
  if (binding != nullptr) {
    const std::string prefix = redis_key_prefix(revision, *binding);
    spec.keys.dead = prefix + trigger.name() + ":dead";
    spec.keys.tries = prefix + trigger.name() + ":tries";
    if (trigger.has_due()) spec.keys.items = prefix + trigger.due().key();
    if (trigger.has_stream()) {
      const std::string& owner = trigger.stream().of();
      const bool own = owner.empty() || neighbour(revision, owner) == revision.name;
      spec.keys.items =
          (own ? prefix : prefix_of(neighbour(revision, owner))) + trigger.stream().key();
    }
  }
  spec.keys.group = revision.name + ":" + trigger.name();
  spec.keys.consumer = consumer_;
  spec.keys.idle = revision.timeout + kClaimMargin;
  return spec;
}

std::map<Triggers::Key, TriggerSpec> Triggers::specs() const {
  std::map<Key, TriggerSpec> all;
  for (const auto& [name, function] : functions_.all()) {
    for (const manifest::Trigger& trigger : function.revision->manifest.spec().triggers()) {
      if (link_ == nullptr && !trigger.has_schedule()) continue;
      all.emplace(Key{name, trigger.name()}, spec_of(*function.revision, trigger));
    }
  }
  return all;
}

void Triggers::sync() {
  std::map<Key, TriggerSpec> wanted = specs();
  std::erase_if(triggers_, [&](const auto& entry) {
    const auto spec = wanted.find(entry.first);
    return spec == wanted.end() || !spec->second.continues(entry.second->spec());
  });
  std::set<std::string> keys;
  for (auto& [key, spec] : wanted) {
    if (!spec.keys.items.empty()) keys.insert(spec.keys.items);
    if (const auto there = triggers_.find(key); there != triggers_.end()) {
      there->second->set_spec(std::move(spec));
      continue;
    }
    Trigger::Parts parts{loop_, deliveries_, names_, link_.get(), {}, {}};
    parts.on_dead_letter = [this](const TriggerSpec& of, const std::string& message) {
      on_dead_letter_(of.function_name, of.manifest.name() + " gave up " + message);
    };
    parts.clock = [] { return wall_clock_nanoseconds() / 1'000'000; };
    auto& trigger = triggers_[key];
    trigger = std::make_unique<Trigger>(parts, std::move(spec));
    if (stopped_) trigger->stop();
    if (link_ != nullptr && link_->up()) trigger->connected();
  }
  if (watch_ != nullptr) watch_->set_keys(std::move(keys));
}

void Triggers::stop() {
  stopped_ = true;
  claim_timer_.stop();
  for (const auto& [key, trigger] : triggers_) trigger->stop();
}

void Triggers::on_up() {
  for (const auto& [key, trigger] : triggers_) trigger->connected();
  if (redis_changed_) redis_changed_();
}

void Triggers::on_down() {
  for (const auto& [key, trigger] : triggers_) trigger->disconnected();
  if (redis_changed_) redis_changed_();
}

void Triggers::on_changed(const std::string& key) {
  for (const auto& [name, trigger] : triggers_) {
    if (trigger->spec().keys.items == key) trigger->changed();
  }
}

void Triggers::claim() {
  claim_timer_.start(kClaimInterval);
  for (const auto& [key, trigger] : triggers_) {
    if (trigger->spec().manifest.has_stream()) trigger->recover();
  }
}

std::string Triggers::away() const {
  if (link_ == nullptr) return "this node runs without Redis";
  return link_->up() ? "" : link_->last_failure();
}

std::vector<api::TriggerView> Triggers::views(const std::string& function) const {
  std::vector<api::TriggerView> views;
  const bool polls = watch_ != nullptr && watch_->polls();
  for (auto it = triggers_.lower_bound({function, ""});
       it != triggers_.end() && it->first.first == function; ++it) {
    views.push_back(it->second->view(away(), polls));
  }
  return views;
}

}  // namespace subito::node
