// Core: what the Scheduler decides; scheduler.h says what each input means and its owner's duties.
// Owned by the Scheduler, same thread. The Ledger keeps the books, the Policy of each function says
// whether a start is worth its cost, and this applies the limits and says what to do.
//
// Every input: tick() does what is due, the event is booked, settle() puts the function right
// again, grant() gives places that came free to those who stand in line.
//   core.cc             time, and the lives of invocations
//   core_pods.cc        hello, exit, drain, stop
//   core_scale.cc       who gets which pod, when pods start, idle ones, the full node
//   core_tenants.cc     quotas of namespaces
//   core_plan.cc        what the policy is told, and pods it wants ahead
//   core_functions.cc   functions come, change and go; views
#pragma once

#include <optional>
#include <span>

#include "scheduler/effects.h"
#include "scheduler/ledger.h"
#include "scheduler/scheduler.h"
#include "scheduler/tenants.h"
#include "scheduler/view.h"

namespace subito::scheduler {

// One call from outside: its time, and where its effects go.
struct Turn {
  TimePoint now;
  Effects& effects;

  // One more effect, made where it stays: to be filled in.
  template <typename T>
  T& add() const {
    return *std::get_if<T>(&effects.emplace_back(std::in_place_type<T>));
  }
};

class Core {
 public:
  explicit Core(const NodeLimits& limits) : limits_(limits), ledger_(limits) {}

  // Makes time monotonic and does what has come due.
  Turn tick(TimePoint now, Effects& effects);
  TimePoint next_deadline() const { return ledger_.timers().next(); }

  // Hints, see scheduler.h.
  void fetch(FunctionId id) const {
    if (const Slot slot = ledger_.find(id); slot != kNoSlot) ledger_.fetch(slot);
  }
  void fetch_more(FunctionId id) const {
    if (const Slot slot = ledger_.find(id); slot != kNoSlot) ledger_.fetch_more(slot);
  }
  void fetch(InvocationId id) const {
    if (const Slot slot = ledger_.find(id); slot != kNoSlot) ledger_.fetch_invocation(slot);
  }

  void add_function(Turn turn, FunctionId id, RevisionId revision, const FunctionLimits& limits);
  void update_function(Turn turn, FunctionId id, RevisionId revision, const FunctionLimits& limits);
  void remove_function(Turn turn, FunctionId id);
  void set_quota(Turn turn, std::uint32_t tenant, const TenantQuota& quota);
  void scale(Turn turn, FunctionId id, std::uint32_t pods_min,
             std::optional<std::uint32_t> pods_max);
  void close(Turn turn);
  bool empty() const { return ledger_.pods() == 0 && ledger_.waiting() == 0; }

  void arrive(Turn turn, const Arrival& arrival);
  // Ticks by itself, once the answer is safe from its deadline.
  void completed(TimePoint now, Effects& effects, InvocationId id, const autoscaler::CpuUse& use);
  void given_back(Turn turn, InvocationId id);
  void cancelled(Turn turn, InvocationId id);

  void pod_ready(Turn turn, PodId id, std::uint32_t ahead);
  // Ticks by itself, once the pod is marked as gone.
  void pod_exited(TimePoint now, Effects& effects, PodId id, ExitKind kind,
                  std::span<const InvocationId> again);

  std::optional<FunctionView> function(FunctionId id) const;
  std::optional<PodView> pod(PodId id) const;
  NodeView node() const;

 private:
  // --- invocations
  std::optional<RefuseReason> refused_on_arrival(const Turn& turn, const Arrival& arrival,
                                                 Slot function) const;
  std::optional<RefuseReason> refused_to_wait(const Turn& turn, const Arrival& arrival,
                                              Slot invocation) const;
  void invocation_due(Turn& turn, Slot invocation);
  void refuse(Turn& turn, Slot invocation, RefuseReason reason);
  void refuse_all_waiting(Turn& turn, Slot function, RefuseReason reason);
  void cancel(Turn& turn, Slot invocation, CancelReason reason);
  void give_grace(Turn& turn, Slot invocation);
  void wait(Turn& turn, Slot invocation);
  RefuseReason why_waited(const Turn& turn, Slot function) const;
  Duration retry_after(const Turn& turn, Slot function, RefuseReason reason) const;

  // --- pods
  void pod_due(Turn& turn, Slot pod);
  void released(Turn& turn, Slot pod);
  void unresponsive(Turn& turn, Slot pod);
  void drain(Turn& turn, Slot pod, DrainReason reason);
  void let_go(Turn& turn, Slot pod, DrainReason reason);
  void stop(Turn& turn, Slot pod, StopReason reason);
  void judge_exit(Turn& turn, Slot pod, ExitKind kind);
  void give_back_running(Turn& turn, Slot pod, std::span<const InvocationId> again);

  // --- scale
  void settle(Turn& turn, Slot function);
  bool is_settled(const Turn& turn, const Function& function) const;
  void serve(Turn& turn, Slot function);
  bool cores_are_busy(Turn& turn, Slot function);
  void none_ahead(Turn& turn, Slot function);
  void next_begins(Turn& turn, const Pod& pod);
  Duration wait_expected(const Function& function) const;
  Duration wait_of_queue(const Function& function) const;
  Duration wait_for_cores(const Function& function) const;
  void dispatch(Turn& turn, Slot invocation, Slot pod);
  void keep_minimum(Turn& turn, Slot function);
  bool start_for_waiting(Turn& turn, Slot function);
  bool start_pod(Turn& turn, Slot function, StartWhy why, const autoscaler::StartAnswer& answer);
  bool held_back(Turn& turn, Slot function);
  bool room_on_node(Turn& turn, Slot function);
  void wake(Slot function, TimePoint at);
  void grant(Turn& turn);
  void evict(Turn& turn);
  bool yields(const Function& function) const;
  void refresh_idle(Slot function);
  void idle_due(Turn& turn, Slot function);
  void trim(Turn& turn, Slot function);
  std::uint32_t pods_min(const Function& function) const;
  bool evictable(const Function& function) const;
  bool has_surplus(const Function& function) const;

  // --- quotas of tenants
  PodShare share_of(const Function& function) const;
  bool quota_is_reached(const Function& function) const;
  bool room_in_quota(Turn& turn, Slot function);
  void leave_lines(Slot function);
  void grant_quotas(Turn& turn);
  void evict_of(Turn& turn, std::uint32_t tenant);
  void leave_for_quota(Slot pod);
  bool yields_quota(const Function& function) const;

  // --- the policy's plan
  autoscaler::Load load_of(const Turn& turn, const Function& function) const;
  void observe(Turn& turn, Slot function);
  bool plan_holds(const Turn& turn, const Function& function) const;
  void replan(Turn& turn, Slot function, const autoscaler::Load& load);
  void keep_planned(Turn& turn, Slot function);
  std::uint32_t pods_planned(const Function& function) const;

  // --- functions
  void apply(Slot function, const FunctionLimits& limits);
  PodView view(const Pod& pod) const;

  void note(const Turn& turn, Function& function, Decision::Kind kind, std::string_view reason,
            Duration expected_wait = {}) const;

  NodeLimits limits_;
  Ledger ledger_;
  Tenants tenants_;
  TimePoint latest_{};
  Slot granted_ = kNoSlot;        // whose turn it is, before those in line
  Slot quota_granted_ = kNoSlot;  // the same, in the line of its tenant
  bool closing_ = false;
};

}  // namespace subito::scheduler
