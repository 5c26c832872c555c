// FakeNode: a node for tests. It acts on effects by writing them down, in short sentences that
// said() hands out, and keeps a model of its own to check each of them against: what must never
// happen fails the test where it happens. Time is advanced by hand.
//
//   FakeNode node;
//   node.add("A");
//   node.call("A");                       // the first call is number 1
//   EXPECT_EQ(node.said(), "start A-1, 1 to A-1 cold");
//   node.ready("A-1").done(1).advance(30s);
//   EXPECT_EQ(node.said(), "drain A-1 idle");
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/check.h"
#include "scheduler/scheduler.h"

namespace subito::scheduler {

class FakeNode {
 public:
  explicit FakeNode(NodeLimits limits = {}) : limits_(limits), scheduler_(limits) {}

  // --- functions by name; a revision is counted up by update()
  FakeNode& add(const std::string& name, FunctionLimits limits = {});
  FakeNode& update(const std::string& name, FunctionLimits limits = {});
  FakeNode& set_limits(const std::string& name, FunctionLimits limits);  // same revision
  FakeNode& remove(const std::string& name);
  FakeNode& scale(const std::string& name, std::uint32_t min, std::optional<std::uint32_t> max);
  FakeNode& set_quota(std::uint32_t tenant, const TenantQuota& quota);
  FakeNode& close();

  // --- invocations by number, counted from 1
  std::uint64_t call(const std::string& name, Duration timeout = std::chrono::seconds(60),
                     bool nested = false);
  FakeNode& calls(const std::string& name, int count);
  FakeNode& done(std::uint64_t invocation, const autoscaler::CpuUse& use = {});
  FakeNode& give_back(std::uint64_t invocation);  // its pod has not begun it
  FakeNode& leave(std::uint64_t invocation);      // the client goes

  // --- pods by name: "A-1"
  FakeNode& ready(const std::string& pod, std::uint32_t ahead = 0);
  FakeNode& exit(const std::string& pod, ExitKind kind = ExitKind::kDrained,
                 const std::vector<std::uint64_t>& again = {});
  FakeNode& crash(const std::string& pod, const std::vector<std::uint64_t>& again = {}) {
    return exit(pod, ExitKind::kCrashed, again);
  }

  // Steps through every deadline on the way.
  FakeNode& advance(Duration by);
  TimePoint now() const { return now_; }

  // What was decided since the last time, joined by ", ".
  std::string said();
  FunctionView view(const std::string& name) const;
  PodView pod(const std::string& name) const;
  Scheduler& scheduler() { return scheduler_; }
  // The last effect of a kind; fails the test if there was none.
  template <typename T>
  T last() const;

  // --- the model, for generated tests
  enum class CallState { kWaiting, kRunning, kCancelled, kCompleted, kRefused, kGone };
  struct Call {
    std::string function;
    std::string pod;
    CallState state = CallState::kWaiting;
    TimePoint deadline;
  };
  struct Pod {
    PodId id;
    std::string function;
    std::uint64_t revision = 0;
    PodState state = PodState::kStarting;
    bool said_hello = false;
    std::uint32_t concurrency = 1;
    std::uint32_t ahead = 0;
    std::uint32_t height = 0;
    std::set<std::uint64_t> running;
  };
  struct Function {
    FunctionId id;
    std::uint64_t revision = 1;
    FunctionLimits limits;
    std::uint32_t pods_max = 1;
  };
  const std::map<std::uint64_t, Call>& all_calls() const { return calls_; }
  const std::map<std::string, Pod>& pods() const { return pods_; }
  const std::map<std::string, Function>& functions() const { return functions_; }
  std::uint64_t digest() const { return digest_; }
  std::uint64_t effects_seen() const { return effects_seen_; }
  void forget_ended_calls();

 private:
  void act();
  void on(const StartPod& effect);
  void on(const Dispatch& effect);
  void on(const Cancel& effect);
  void on(const Refuse& effect);
  void on(const DrainPod& effect);
  void on(const StopPod& effect);
  void check_places_are_left(const Function& started);
  void check_nothing_is_forgotten();
  void say(const std::string& text);
  const std::string& name_of(PodId id) const { return pod_names_.at(id.value()); }
  std::uint32_t serving(const std::string& function) const;

  NodeLimits limits_;
  Scheduler scheduler_;
  TimePoint now_{std::chrono::seconds(1)};
  Effects effects_;
  Effects acted_;
  std::string said_;
  std::map<std::string, Function> functions_;
  std::map<std::string, Pod> pods_;
  std::map<std::uint64_t, std::string> pod_names_;
  std::map<std::uint64_t, std::string> function_names_;
  std::map<std::uint64_t, Call> calls_;
  std::set<std::uint64_t> on_exited_pod_;  // being given back by the exit under way
  std::uint64_t next_call_ = 0;
  std::uint64_t next_function_ = 0;
  std::uint64_t digest_ = 14695981039346656037u;  // FNV-1a
  std::uint64_t effects_seen_ = 0;
};

template <typename T>
T FakeNode::last() const {
  for (auto at = acted_.rbegin(); at != acted_.rend(); ++at) {
    if (const T* found = std::get_if<T>(&*at)) return *found;
  }
  CHECK(false);
}

}  // namespace subito::scheduler
