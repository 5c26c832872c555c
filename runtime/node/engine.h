// Engine: the live shell round the scheduler. It reports to the scheduler what happens, carries out
// what the scheduler decides, and moves requests and answers between callers and pods. It decides
// nothing about pods itself.
//
//   caller ──invoke──▶ record ──arrive──▶ scheduler ──Dispatch──▶ INVOKE on the pod's channel
//   caller ◀──answer── record ◀──RESULT, BODY── channel
//
// Owned by the node, on the loop's thread. Decisions are carried out at the end of the loop turn in
// which they were made, so that nothing re-enters and what one turn sends to a pod leaves at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/gateway/invoker.h"
#include "runtime/loop/loop.h"
#include "runtime/node/invocation_record.h"
#include "runtime/node/meters.h"
#include "runtime/node/pod_table.h"
#include "runtime/node/rate_gate.h"
#include "runtime/node/start_watch.h"
#include "runtime/pods/core_placement.h"
#include "scheduler/call_graph.h"
#include "scheduler/cpu_shares.h"
#include "scheduler/inputs.h"
#include "scheduler/scheduler.h"
#include "scheduler/traffic_split.h"

namespace subito::node {

// What a pod works on, in words: "GET /items/7", "POST /orders and 2 more"; and the request id and
// W3C trace id of that one. Empty: on nothing, or nobody knows. For a line of a pod's log there are
// words only if it is of a crash.
struct AtWork {
  std::string words;
  std::string request_id;
  std::string trace_id = {};
};

// Who is told what happens, for events, logs and people. Must not call the engine back.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  virtual void on_started(const Pod& pod) = 0;  // it said hello
  virtual void on_start_failed(const Pod& pod, const Error& error) = 0;
  virtual void on_draining(const Pod& pod, const scheduler::DrainPod& drain) = 0;
  virtual void on_gone(const Pod& pod, const PodGone& gone, std::uint64_t served,
                       const AtWork& at_work) = 0;
  virtual void on_probe_gone(const Pod& pod) = 0;  // a probe's; whoever asked for it was told
  // `at_work`: what it was printed for, where that is certain.
  virtual void on_output(const Pod& pod, std::string_view line, const AtWork& at_work) = 0;
  virtual void on_template(const Revision& revision, const pods::TemplateView& view) = 0;
  virtual void on_log(const Pod& pod, const protocol::Log& log, const AtWork& at_work) = 0;
  virtual void on_exception(const Pod& pod, const protocol::Failure& failure,
                            const AtWork& at_work) = 0;
  // The node gave an answer instead of the function.
  virtual void on_refused(const Revision& revision, const Failure& failure,
                          const AtWork& at_work) = 0;
};

// Who looks at every invocation that ends. Must not call the engine back.
class RequestWatcher {
 public:
  virtual ~RequestWatcher() = default;
  // `pod`: null when it reached none or that is gone; `status` 0: its caller left.
  virtual void on_request_ended(const InvocationRecord& record, const Pod* pod, int status,
                                const Timing& timing) = 0;
};

// What a pod asks of the node: calls to other functions and connections. Implemented by
// PodRequests.
class PodRequestHandler {
 public:
  virtual ~PodRequestHandler() = default;
  virtual Status on_request_frame(Pod& pod, const protocol::Frame& frame) = 0;
  virtual void on_request_window(Pod& pod, std::uint32_t stream) = 0;
  virtual void on_requester_gone(PodId pod) = 0;
};

class Tracer;

class Engine final : public Invoker, private PodEvents {
 public:
  Engine(Loop& loop, const scheduler::NodeLimits& limits, EngineObserver& observer);
  ~Engine() override;

  void set_request_handler(PodRequestHandler& handler) { requests_ = &handler; }
  // Who is told of every input of the scheduler, from here on. It must outlive the engine.
  void record(scheduler::InputObserver& observer) { scheduler_.observe(&observer); }
  // Null: nobody looks, and the way of a request pays for one comparison.
  void set_request_watcher(RequestWatcher* watcher) { request_watcher_ = watcher; }
  // Null: nothing is traced. It must outlive the engine.
  void set_tracer(Tracer* tracer) { tracer_ = tracer; }
  Tracer* tracer() { return tracer_; }
  // Null: pods run where the kernel puts them. It must outlive the engine.
  void set_placement(pods::CorePlacement* placement) { placement_ = placement; }
  // Called when the home of the pods is lost: the node cannot go on.
  void set_on_home_lost(std::function<void(const Error&)> callback);
  // Called after each pod's end, with the name of its function. It must not call the engine to
  // change anything.
  void set_on_pod_gone(std::function<void(const std::string& function)> callback);
  // Whose quota the pods of a revision count for, by number; before the first revision is put.
  // Without it all are one tenant's.
  void set_tenant_of(std::function<std::uint32_t(const Revision&)> tenant_of) {
    tenant_of_ = std::move(tenant_of);
  }
  void set_quota(std::uint32_t tenant, const scheduler::TenantQuota& quota);
  PodTable& pods() { return pods_; }
  const scheduler::Scheduler& scheduler() const { return scheduler_; }
  const Meters& meters() const { return meters_; }
  void stop_counting() { counting_ = false; }  // invocations, for good
  TimePoint now() const { return loop_.now(); }

  // Adds the function or puts a new revision in place of the old: it serves alone on its lane.
  void put_function(const RevisionPtr& revision);
  void remove_function(FunctionId function);        // with all its lanes
  RevisionPtr revision(FunctionId function) const;  // the current one

  // Several revisions that serve at once, each on its lane. A lane is added, or gets another
  // revision: then its queue is the new one's and pods of the old one drain.
  void put_lane(const RevisionPtr& revision);
  // Who waits there is refused: nobody does any more, and nothing comes (route()).
  void remove_lane(FunctionId lane);
  std::vector<FunctionId> lanes(const std::string& function) const;  // that were put
  // How often the functions of a namespace may be called together; nothing: no limit of its own.
  void set_namespace_rate(const std::string& name_space, std::optional<scheduler::Rate> rate);
  const RateGate& rates() const { return rates_; }
  void scale(FunctionId lane, std::uint32_t pods_min, std::uint32_t pods_max);
  struct Share {
    RevisionPtr revision;  // on a lane that was put
    std::uint32_t weight = 0;
  };
  // From now on invocations of `current`'s function go to these by their weights, at least one of
  // which is above 0.
  void route(const RevisionPtr& current, const std::vector<Share>& shares);

  // Starts one pod of a revision beside the scheduler, to see whether it comes up; drains it then.
  using ProbeCallback = std::function<void(Result<Duration> start_time, pods::StartMode mode)>;
  PodId probe(RevisionPtr revision, std::string pod_name, ProbeCallback callback);

  // Has the template of a revision that is not put yet made: `told` hears when it is ready, and
  // each time that it failed. False: its pods start otherwise, or the home has none.
  bool make_template(const Revision& revision, pods::TemplateCallback told);
  void drop_template(const Revision& revision);

  // Refuses what comes, lets run what runs; `done` is called once no pod is left.
  void close(std::function<void()> done);

  InvocationId invoke(Caller& caller, CallerToken token, Invocation&& invocation) override;
  void body(InvocationId id, std::string_view bytes, bool end) override;
  void resume(InvocationId id) override;
  void abort(InvocationId id) override;

  // How a pod of the lane last ended unasked: "exited with status 1"; empty: none did.
  std::string last_end(FunctionId lane) const {
    const auto at = last_ends_.find(lane);
    return at == last_ends_.end() ? "" : at->second;
  }
  // Those not over yet, with those a pod has not let go of.
  std::size_t invocations() const { return records_.size(); }
  // Invocations of it that were answered 5xx, by itself or by the node, since it was added.
  std::uint64_t failed(FunctionId function) const {
    const auto at = failed_.find(function);
    return at == failed_.end() ? 0 : at->second;
  }
  // The invocation that a pod runs on that stream; null: none.
  const InvocationRecord* running_on(PodId pod, std::uint32_t stream) {
    return record_on(pod, stream);
  }

 private:
  // Pods of a probe are not the scheduler's: their ids have a bit that the scheduler's never have.
  static constexpr std::uint64_t kProbeBit = 1ULL << 63;
  static bool is_probe(PodId pod) { return (pod.value() & kProbeBit) != 0; }

  // Clients read it; the reason, which may name what is the host's own, is an event.
  static constexpr const char* kDidNotStart = "did not start";

  struct Probe {
    ProbeCallback callback;           // empty once it was called
    std::unique_ptr<Timer> deadline;  // of its hello, then of its end
  };
  // A pod's invocations by stream: at most its concurrency.
  using Running = std::unordered_map<std::uint32_t, InvocationId>;

  // Who serves a function. Those with one revision pay for one comparison.
  struct Serving {
    RevisionPtr current;
    struct Split {
      scheduler::TrafficSplit split;
      std::vector<RevisionPtr> revisions;
    };
    std::unique_ptr<Split> split;  // null: all goes to the current one
    bool rate_limited = false;     // see RateGate::limits()

    const RevisionPtr& next() { return split ? split->revisions[split->split.pick()] : current; }
  };

  // engine.cc: functions and decisions
  scheduler::FunctionLimits limits_of(const Revision& revision) const;
  std::vector<std::string> update_calls(const std::string& function);
  void update_heights(const std::vector<std::string>& functions);
  void decided();
  void run_effects();
  void act(const scheduler::StartPod& start);
  void act(const scheduler::Dispatch& dispatch);
  void act(const scheduler::Cancel& cancel);
  void act(const scheduler::Refuse& refuse);
  void act(const scheduler::DrainPod& drain);
  void act(const scheduler::StopPod& stop);
  std::vector<InvocationId> take_unsent(PodId pod);
  void arm_timer();
  void keep_template(const RevisionPtr& revision, const RevisionPtr& before);
  void share_cpu(scheduler::CpuShares::Tell tell);
  void pod_is_busy(PodId pod, Duration waited);
  void pod_is_idle(PodId pod);

  // engine_invocations.cc: invocations
  InvocationRecord* find(InvocationId id);
  InvocationRecord* record_on(PodId pod, std::uint32_t stream);
  // Those that a pod has, the ones that nobody waits for any more first.
  std::vector<const InvocationRecord*> running_in(PodId pod) const;
  AtWork at_work(PodId pod) const;
  static AtWork asked_by(const Invocation& request);
  Failure refusal(const InvocationRecord& record, const scheduler::Refuse& refuse) const;
  std::optional<Failure> rate_fault_of(InvocationRecord& record);
  void count_failed(const InvocationRecord& record, int status);
  void count_end(const InvocationRecord& record, int status);
  void tell_ended(const InvocationRecord& record, int status);
  void fail_caller(InvocationRecord& record, Failure failure);
  void refuse_later(InvocationRecord& record, Failure failure);
  void send_invoke(InvocationRecord& record, const Pod& pod);
  void send_body(InvocationRecord& record);
  void body_sent(InvocationRecord& record, std::size_t size);
  void consumed(InvocationRecord& record, std::size_t bytes);
  void fail_at_deadline(InvocationRecord& record);
  void give_up(InvocationRecord& record, protocol::Cancel::Reason reason);
  void forget(InvocationRecord& record);
  void release(InvocationRecord& record);

  // engine_pods.cc: what pods say
  void pod_gone(Pod& pod, const PodGone& gone);
  Status on_result(Pod& pod, InvocationRecord& record, const protocol::Frame& frame);
  Status on_body(InvocationRecord& record, const protocol::Frame& frame);
  void end_if_late(InvocationRecord& record);
  void on_unwanted(InvocationRecord& record, const protocol::Frame& frame);
  void on_answer_end(InvocationRecord& record);
  void on_cancelled_by_pod(const Pod& pod, InvocationRecord& record);
  Status on_log(Pod& pod, const protocol::Frame& frame);
  Timing timing(const InvocationRecord& record, const Pod& pod) const;
  Timing timing_so_far(const InvocationRecord& record);
  bool has_not_begun(const Pod& pod, std::uint32_t stream) const;
  bool take_back(InvocationRecord& record, bool untaken);
  void finish_probe(PodId pod, Result<Duration> result, pods::StartMode mode);

  void on_pod_hello(Pod& pod) override;
  Status on_pod_frame(Pod& pod, const protocol::Frame& frame) override;
  void on_pod_late_end(Pod& pod, std::uint32_t stream) override;
  void on_pod_window(Pod& pod, std::uint32_t stream) override;
  void on_pod_output(Pod& pod, std::string_view line, bool current) override;
  void on_pod_gone(Pod& pod, const PodGone& gone) override;
  void on_home_lost(const Error& error) override;

  Loop& loop_;
  EngineObserver& observer_;
  PodRequestHandler* requests_ = nullptr;
  RequestWatcher* request_watcher_ = nullptr;
  Tracer* tracer_ = nullptr;
  pods::CorePlacement* placement_ = nullptr;
  std::function<void(const Error&)> home_lost_;
  std::function<void(const std::string&)> pod_gone_;
  std::function<void()> closed_;
  scheduler::Scheduler scheduler_;
  scheduler::Effects effects_;
  Meters meters_;
  bool counting_ = true;
  RateGate rates_;
  bool effects_scheduled_ = false;
  Timer timer_;
  StartWatch start_watch_;
  PodTable pods_;
  std::unordered_map<FunctionId, Serving> functions_;
  std::unordered_map<FunctionId, RevisionPtr> lanes_;  // the scheduler's functions
  struct Named {
    std::vector<FunctionId> lanes;
    std::uint64_t pods_started = 0;  // the 7 of "catalogue-7"
  };
  std::unordered_map<std::string, Named> names_;  // of functions, with their lanes
  std::function<std::uint32_t(const Revision&)> tenant_of_;
  scheduler::CallGraph call_graph_;  // of all lanes
  std::unordered_map<InvocationId, InvocationRecord> records_;
  std::unordered_map<PodId, Running> running_;
  scheduler::CpuShares cpu_shares_;
  std::unordered_map<PodId, std::vector<InvocationId>> unsent_;  // by pods that are nearly gone
  std::vector<PodId> failed_starts_;                             // of this turn
  std::unordered_map<FunctionId, std::string> last_ends_;        // of pods, unasked, by lane
  std::unordered_map<FunctionId, std::uint64_t> failed_;         // see failed(); absent: none
  std::unordered_map<PodId, Probe> probes_;
  IdSource<InvocationId> invocation_ids_;
  IdSource<PodId> probe_ids_;
};

}  // namespace subito::node
