// Rollouts: which revisions of each function serve, and how one takes the place of another: at
// once, pod by pod, or by shares of the traffic. The store is asked first: what a client is told
// survives kill -9.
//
//   lanes     revisions that serve, each with pods and queue of its own; the current one is first
//   leaving   lanes that get nothing any more; each goes once what waits and runs there is over, so
//             that no request is lost
//
// at once   the lane of the current revision gets the new one: the scheduler hands its queue over
// rolling   the new one comes beside, and scheduler/rolling.h says what next, each kRolloutTick
//
// renewal   the same revision with other config or secrets: pods with them come up beside those
// that
//           run, on a lane of their own, which then takes over; one asleep just has them next time
//
// The current revision is the one whose routes, triggers and breakers hold: while a rollout rolls
// it is the old one. Owned by Control, on the loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"
#include "deploy/store/store.h"
#include "runtime/loop/loop.h"
#include "runtime/node/engine.h"
#include "runtime/node/functions.h"
#include "runtime/node/reporter.h"

namespace subito::node {

// A pod starts in milliseconds; looking costs some microseconds, and only while something rolls.
inline constexpr Duration kRolloutTick = std::chrono::milliseconds(10);
// While lanes only leave each look is twice as late as the one before, up to this.
inline constexpr Duration kLeavingTickMax = std::chrono::seconds(1);
// A rollout that got no further pod for so long has failed: the node is full, or pods hang.
inline constexpr Duration kRolloutProgressMax = std::chrono::seconds(60);

// Pods of a renewal that are not up after so long are waited for no longer.
inline constexpr Duration kRenewalMax = std::chrono::seconds(10);

class Rollouts {
 public:
  struct Parts {
    Loop& loop;
    store::Store& store;
    Engine& engine;
    Functions& functions;
    Reporter& reporter;
    std::function<RevisionPtr(const store::Revision&)> load;
    // Whether it could be the current one: no other function has its routes.
    std::function<Status(const Revision&)> may_serve;
    // `functions` has another current revision: routes, breakers and triggers follow.
    std::function<void(const Revision&)> current_changed;
    // The same with what its config objects and secrets are now.
    std::function<RevisionPtr(const Revision&)> renewed;
  };
  explicit Rollouts(const Parts& parts);

  // At start: what the store says serves, a rollout that rolled goes on.
  Status restore(const store::FunctionRecord& record);

  enum class How : std::uint8_t { kByManifest, kAside };  // aside: it gets no traffic yet
  // A candidate that came up, or another revision of the function that is to be current again.
  // True: it rolls, and is not current yet.
  Result<bool> deploy(const RevisionPtr& revision, const store::Candidate& candidate, How how);
  Result<bool> go_back_to(const RevisionPtr& revision);
  // Takes the rollout back that is under way, or a split of the traffic: the current revision
  // serves alone. False: there is neither.
  Result<bool> abandon(std::string_view name);
  // What go_back_to() an earlier one means; kFailedPrecondition: there is none.
  Result<std::uint64_t> previous(std::string_view name) const;

  Status pause(std::string_view name);
  Status resume(std::string_view name);
  Status set_traffic(std::string_view name, const std::vector<api::TrafficShare>& shares);
  // Its current revision has other limits.
  void scaled(const RevisionPtr& current);
  void remove(std::string_view name);
  // Config objects or secrets that it lists have changed.
  void renew(std::string_view name);
  std::vector<RevisionPtr> serving(std::string_view name) const;

  api::RolloutView view(std::string_view name) const;
  bool under_way(std::string_view name) const;  // a rollout, also a paused one, or a split
  // Invocations completed in lanes that are gone.
  std::uint64_t completed_before(std::string_view name) const {
    const Function* function = find(name);
    return function == nullptr ? 0 : function->completed_before;
  }
  store::Store::Numbers in_use(std::string_view name) const;  // revisions that lanes or pods have

 private:
  struct Lane {
    RevisionPtr revision;
    std::uint32_t weight = 0;
  };
  struct Function {
    store::Serving record;
    std::vector<Lane> lanes;
    std::vector<RevisionPtr> leaving;
    // Of a rollout that rolls: pods that served when it began, those of the new revision that were
    // ready when it last got on.
    std::uint32_t pods = 0;
    std::uint32_t ready = 0;
    TimePoint got_on;
    std::uint64_t completed_before = 0;
    struct Renewal {
      RevisionPtr revision;  // on its own lane
      std::uint32_t pods = 0;
      TimePoint begun;
    };
    std::optional<Renewal> renewal;

    bool rolls() const { return record.state == store::RolloutState::kProgressing; }
  };

  Function* find(std::string_view name);
  const Function* find(std::string_view name) const;
  static bool serves(const Function& function, const Revision& revision);
  static RevisionPtr on_lane(const Revision& revision, FunctionId lane);
  Result<RevisionPtr> load(std::string_view name, std::uint64_t number);
  Status save(Function& function, store::Serving next);

  Result<bool> take_over(const RevisionPtr& revision, const store::Candidate* candidate);
  void serve_alone(Function& function, const RevisionPtr& revision);
  void make_current(Function& function, const RevisionPtr& revision);
  void begin_rolling(Function& function, const RevisionPtr& revision);
  void begin_renewal(Function& function, const RevisionPtr& next, std::uint32_t pods);
  void step_renewal(Function& function);
  void finish_renewal(Function& function);
  void replace(Function& function, Lane& lane, const RevisionPtr& revision);
  void step(Function& function);
  void complete(Function& function);
  void fail(Function& function, const std::string& reason);
  void drop_beside(Function& function);
  void leave(Function& function, const RevisionPtr& revision);
  void let_go(Function& function);
  void route(Function& function);
  void limit(const RevisionPtr& revision, std::uint32_t pods_min, std::uint32_t pods_max);
  scheduler::FunctionView scheduled(const Revision& revision) const;
  std::uint32_t pods_of(const Function& function) const;
  void tick();
  void wake(const Function& function);

  Parts parts_;
  std::map<std::string, Function, std::less<>> functions_;
  std::set<std::string> active_;  // those that roll or have leaving lanes
  Timer timer_;
  Duration pace_ = Duration::zero();  // the timer's; zero: it does not run
};

}  // namespace subito::node
