// Trigger: one trigger of a function, alive: its source, its feed, the deliveries under way.
//
//   source ──found, taken──▶ feed (pure) ──deliver──▶ Deliveries ──▶ engine ──▶ pod
//     ▲                        │   ▲                      │
//     └──take, acknowledge─────┘   └───────answered───────┘
//
// Owned by Triggers, on the loop's thread. Gone in the middle of a delivery: the function does it,
// and nobody acknowledges it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/api/control_plane.h"
#include "deploy/manifest/function.pb.h"
#include "runtime/gateway/request_id.h"
#include "runtime/loop/loop.h"
#include "runtime/node/triggers/deliveries.h"
#include "runtime/node/triggers/schedule_source.h"
#include "runtime/node/triggers/source.h"
#include "runtime/triggers/feed.h"

namespace subito::node {

struct TriggerSpec {
  FunctionId function;
  std::string function_name;
  manifest::Trigger manifest;
  SourceKeys keys;
  bool out_of_service = false;
  // Whether a trigger of the other spec can go on as this one, with what it has under way.
  bool continues(const TriggerSpec& other) const;
};

class Trigger final : private SourceEvents {
 public:
  // For people: it became a dead letter, and why.
  using OnDeadLetter = std::function<void(const TriggerSpec&, const std::string& message)>;
  struct Parts {
    Loop& loop;
    Deliveries& deliveries;
    gateway::RequestNames& names;
    bindings::RedisLink* link = nullptr;  // null: this node has no Redis
    OnDeadLetter on_dead_letter;
    ScheduleSource::UnixClock clock;
  };

  Trigger(const Parts& parts, TriggerSpec spec);
  ~Trigger() override;

  const TriggerSpec& spec() const { return spec_; }
  void set_spec(TriggerSpec spec);
  // Of a schedule that needs no Redis: at once.
  void connected();
  void disconnected();
  void changed();
  void recover();
  void stop() { feed_.stop(); }

  void replay(const DeadLetter& letter, Source::Replayed done);

  // `away`: why Redis is; empty: it is there.
  api::TriggerView view(const std::string& away, bool polls) const;

 private:
  template <typename Input>
  void feed(Input input);
  void act(triggers::Action& action);
  void deliver(const triggers::Action& action);
  void answered(const std::vector<std::string>& ids, const DeliveryResult& result);
  void arm();
  std::string state_words(const std::string& away) const;

  void on_recovered(const std::vector<std::string>& ids,
                    std::optional<std::uint64_t> dead_letters) override;
  void on_dead_letters(std::uint64_t count) override { dead_letters_ = count; }
  void on_found(const triggers::Found& found, std::vector<Occurrence> taken,
                std::optional<std::uint64_t> waiting) override;
  void on_taken(const std::string& id, std::uint32_t number, Occurrence occurrence) override;
  void on_gone(const std::string& id) override;
  void on_unfit(const std::string& id, std::string why) override;
  void on_settled(const std::vector<std::string>& ids,
                  std::optional<std::uint64_t> dead_letters) override;
  void on_source_error(const std::string& message) override;

  const Parts parts_;
  TriggerSpec spec_;
  triggers::Feed feed_;
  std::unique_ptr<Source> source_;
  ScheduleSource* schedule_ = nullptr;            // source_, if it is one
  std::map<std::string, Occurrence> loaded_;      // taken, not delivered yet
  std::map<std::string, CallerToken> under_way_;  // by the first of its entries
  Timer timer_;
  std::uint64_t delivered_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t dead_letters_ = 0;
  std::optional<std::uint64_t> waiting_;
  std::string last_failure_;
  std::string source_error_;  // empty: the last answer of Redis was none
};

}  // namespace subito::node
