// Triggers: all triggers of a node: made, kept and ended as functions are deployed and deleted;
// their connections to Redis; their dead letters.
//
// Owned by the node, on the loop's thread. Two connections serve all of them: one is told what
// changed (bindings/key_watch.h), one carries commands.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deploy/api/control_plane.h"
#include "runtime/bindings/key_watch.h"
#include "runtime/bindings/redis_link.h"
#include "runtime/node/functions.h"
#include "runtime/node/triggers/trigger.h"

namespace subito::node {

// Entries that another node took and left are looked for so often; and how much longer than the
// function's timeout they must have lain.
inline constexpr Duration kClaimInterval = std::chrono::seconds(60);
inline constexpr Duration kClaimMargin = std::chrono::seconds(30);

class Triggers {
 public:
  using OnDeadLetter = std::function<void(const std::string& function, const std::string& message)>;

  Triggers(Loop& loop, bindings::Dialer& dialer, Invoker& invoker, const Functions& functions,
           OnDeadLetter on_dead_letter);
  ~Triggers();

  // Without it streams and due work are refused to nobody, but wait. `consumer`: this node's name
  // in consumer groups, the same after each start.
  // `changed`: it is reached, or no more.
  void use_redis(const bindings::RedisEndpoint& redis, std::string consumer,
                 std::function<void()> changed = {});
  // Why Redis is not reached; empty: it is.
  std::string away() const;
  // Which deliveries are traced, but for those of an event that belongs to a trace.
  void sample(const traces::Sampler& sampler) { names_.sample(sampler); }
  // After functions were deployed, deleted or loaded.
  void sync();
  // No new deliveries; those under way are acknowledged as they end.
  void stop();

  std::vector<api::TriggerView> views(const std::string& function) const;

  using Listed = std::function<void(Result<std::vector<api::DeadLetterView>>)>;
  using Settled = std::function<void(Result<std::size_t>)>;
  // `trigger` empty: of all. At most api::kDeadLettersMax, the oldest first.
  void list_dead_letters(const std::string& function, const std::string& trigger, Listed done);
  // "TRIGGER/ID" or, when that is empty, all of `trigger`.
  void settle_dead_letters(const std::string& function, const api::DeadLetterChoice& choice,
                           Settled done);

 private:
  using Key = std::pair<std::string, std::string>;  // function, trigger
  class Settling;

  std::map<Key, TriggerSpec> specs() const;
  TriggerSpec spec_of(const Revision& revision, const manifest::Trigger& trigger) const;
  std::string prefix_of(const std::string& function) const;
  void on_up();
  void on_down();
  void on_changed(const std::string& key);
  void claim();
  Result<std::vector<Trigger*>> chosen(const std::string& function, const std::string& trigger);

  Loop& loop_;
  bindings::Dialer& dialer_;
  const Functions& functions_;
  const OnDeadLetter on_dead_letter_;
  gateway::RequestNames names_;
  Deliveries deliveries_;
  std::string consumer_;
  std::function<void()> redis_changed_;
  bool stopped_ = false;
  std::unique_ptr<bindings::RedisLink> link_;
  std::unique_ptr<bindings::KeyWatch> watch_;
  std::map<Key, std::unique_ptr<Trigger>> triggers_;
  Timer claim_timer_;
};

}  // namespace subito::node
