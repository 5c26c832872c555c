#include "scheduler/fake_node.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace subito::scheduler {
namespace {

const char* short_name(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kQueueFull:
      return "queue-full";
    case RefuseReason::kQueueTooLong:
      return "queue-too-long";
    case RefuseReason::kInFlightLimit:
      return "in-flight";
    case RefuseReason::kQueueTimeout:
      return "queue-timeout";
    case RefuseReason::kDeadline:
      return "deadline";
    case RefuseReason::kCrashLoop:
      return "crash-loop";
    case RefuseReason::kFunctionGone:
      return "gone";
    case RefuseReason::kQuota:
      return "quota";
    case RefuseReason::kNodeFull:
      return "node-full";
    case RefuseReason::kPodDied:
      return "pod-died";
    case RefuseReason::kStartFailed:
      return "start-failed";
    case RefuseReason::kNodeClosing:
      return "closing";
  }
  return "?";
}

const char* short_name(DrainReason reason) {
  switch (reason) {
    case DrainReason::kIdle:
      return "idle";
    case DrainReason::kEvicted:
      return "evicted";
    case DrainReason::kQuota:
      return "quota";
    case DrainReason::kYielded:
      return "yielded";
    case DrainReason::kScaledDown:
      return "scaled-down";
    case DrainReason::kOldRevision:
      return "old-revision";
    case DrainReason::kRemoved:
      return "removed";
    case DrainReason::kUnresponsive:
      return "unresponsive";
    case DrainReason::kWornOut:
      return "worn-out";
    case DrainReason::kClosing:
      return "closing";
  }
  return "?";
}

const char* short_name(StopReason reason) {
  switch (reason) {
    case StopReason::kStartTimeout:
      return "start-timeout";
    case StopReason::kDrainTimeout:
      return "drain-timeout";
    case StopReason::kUnresponsive:
      return "unresponsive";
  }
  return "?";
}

}  // namespace

FakeNode& FakeNode::add(const std::string& name, FunctionLimits limits) {
  Function& function = functions_[name];
  function = {.id = FunctionId(++next_function_), .revision = 1, .limits = limits, .pods_max = 1};
  function.pods_max = limits.pods_max.value_or(pods_max_default(limits_));
  function_names_[next_function_] = name;
  scheduler_.add_function(now_, function.id, RevisionId(1), limits, effects_);
  act();
  return *this;
}

FakeNode& FakeNode::update(const std::string& name, FunctionLimits limits) {
  advance(Duration::zero());  // what is due is decided by the limits until now
  ++functions_.at(name).revision;
  return set_limits(name, limits);
}

FakeNode& FakeNode::set_limits(const std::string& name, FunctionLimits limits) {
  advance(Duration::zero());
  Function& function = functions_.at(name);
  for (auto& [pod_name, pod] : pods_) {
    const auto seen = scheduler_.pod(pod.id);
    if (seen && seen->function == function.id) pod.height = limits.height;
  }
  function.limits = limits;
  function.pods_max = limits.pods_max.value_or(pods_max_default(limits_));
  scheduler_.update_function(now_, function.id, RevisionId(function.revision), limits, effects_);
  act();
  return *this;
}

FakeNode& FakeNode::remove(const std::string& name) {
  advance(Duration::zero());
  const FunctionId id = functions_.at(name).id;
  functions_.erase(name);  // from here on it gets nothing
  scheduler_.remove_function(now_, id, effects_);
  act();
  return *this;
}

FakeNode& FakeNode::scale(const std::string& name, std::uint32_t min,
                          std::optional<std::uint32_t> max) {
  advance(Duration::zero());
  Function& function = functions_.at(name);
  function.limits.pods_min = min;
  function.limits.pods_max = max;
  function.pods_max = max.value_or(std::max(min, pods_max_default(limits_)));
  scheduler_.scale(now_, function.id, min, max, effects_);
  act();
  return *this;
}

FakeNode& FakeNode::set_quota(std::uint32_t tenant, const TenantQuota& quota) {
  advance(Duration::zero());
  scheduler_.set_quota(now_, tenant, quota, effects_);
  act();
  return *this;
}

FakeNode& FakeNode::close() {
  advance(Duration::zero());
  scheduler_.close(now_, effects_);
  act();
  return *this;
}

std::uint64_t FakeNode::call(const std::string& name, Duration timeout, bool nested) {
  const auto function = functions_.find(name);
  const FunctionId id = function == functions_.end() ? FunctionId(999) : function->second.id;
  const std::uint64_t number = ++next_call_;
  const TimePoint deadline = timeout == Duration::max() ? TimePoint::max() : now_ + timeout;
  calls_[number] = {
      .function = name, .pod = "", .state = CallState::kWaiting, .deadline = deadline};
  scheduler_.arrive(now_, {InvocationId(number), id, deadline, nested}, effects_);
  act();
  return number;
}

FakeNode& FakeNode::calls(const std::string& name, int count) {
  for (int i = 0; i < count; ++i) call(name);
  return *this;
}

FakeNode& FakeNode::done(std::uint64_t number, const autoscaler::CpuUse& use) {
  Call& call = calls_.at(number);
  EXPECT_TRUE(call.state == CallState::kRunning || call.state == CallState::kCancelled);
  call.state = call.state == CallState::kRunning ? CallState::kCompleted : CallState::kGone;
  pods_.at(call.pod).running.erase(number);
  scheduler_.completed(now_, InvocationId(number), effects_, use);
  act();
  return *this;
}

FakeNode& FakeNode::leave(std::uint64_t number) {
  Call& call = calls_.at(number);
  if (call.state == CallState::kWaiting) call.state = CallState::kGone;
  scheduler_.cancelled(now_, InvocationId(number), effects_);
  act();
  return *this;
}

FakeNode& FakeNode::give_back(std::uint64_t number) {
  Call& call = calls_.at(number);
  EXPECT_TRUE(call.state == CallState::kRunning || call.state == CallState::kCancelled);
  call.state = call.state == CallState::kRunning ? CallState::kWaiting : CallState::kGone;
  pods_.at(call.pod).running.erase(number);
  scheduler_.given_back(now_, InvocationId(number), effects_);
  act();
  return *this;
}

FakeNode& FakeNode::ready(const std::string& pod, std::uint32_t ahead) {
  Pod& found = pods_.at(pod);
  found.said_hello = true;
  found.ahead = ahead;
  if (found.state == PodState::kStarting) found.state = PodState::kReady;
  scheduler_.pod_ready(now_, found.id, effects_, ahead);
  act();
  return *this;
}

FakeNode& FakeNode::exit(const std::string& name, ExitKind kind,
                         const std::vector<std::uint64_t>& again) {
  const Pod gone = pods_.at(name);
  pods_.erase(name);
  std::vector<InvocationId> ids;
  for (const std::uint64_t number : gone.running) {
    Call& call = calls_.at(number);
    const bool returns = std::find(again.begin(), again.end(), number) != again.end();
    if (returns) ids.push_back(InvocationId(number));
    if (call.state == CallState::kCancelled) {
      call.state = CallState::kGone;
    } else {
      call.state = CallState::kWaiting;
      if (!returns) on_exited_pod_.insert(number);
    }
  }
  scheduler_.pod_exited(now_, gone.id, kind, ids, effects_);
  act();
  EXPECT_TRUE(on_exited_pod_.empty()) << "taken by a pod that died, and not refused";
  on_exited_pod_.clear();
  return *this;
}

FakeNode& FakeNode::advance(Duration by) {
  const TimePoint end = now_ + by;
  while (scheduler_.next_deadline() <= end) {
    const TimePoint due = std::max(now_, scheduler_.next_deadline());
    now_ = due;
    scheduler_.expire(now_, effects_);
    act();
    EXPECT_GT(scheduler_.next_deadline(), due) << "expire() left something due";
    if (scheduler_.next_deadline() <= due) break;
  }
  now_ = end;
  return *this;
}

std::string FakeNode::said() {
  return std::exchange(said_, "");
}

FunctionView FakeNode::view(const std::string& name) const {
  return scheduler_.function(functions_.at(name).id).value();
}

PodView FakeNode::pod(const std::string& name) const {
  return scheduler_.pod(pods_.at(name).id).value();
}

void FakeNode::forget_ended_calls() {
  std::erase_if(calls_, [](const auto& entry) {
    const CallState state = entry.second.state;
    return state != CallState::kWaiting && state != CallState::kRunning &&
           state != CallState::kCancelled;
  });
}

void FakeNode::say(const std::string& text) {
  if (!said_.empty()) said_ += ", ";
  said_ += text;
  for (const char c : text + ";" + std::to_string(now_.time_since_epoch().count())) {
    digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
}

void FakeNode::act() {
  for (const Effect& effect : effects_) {
    ++effects_seen_;
    std::visit([this](const auto& it) { on(it); }, effect);
  }
  acted_ = std::exchange(effects_, {});
  check_nothing_is_forgotten();
}

void FakeNode::on(const StartPod& effect) {
  const std::string& function_name = function_names_.at(effect.function.value());
  const Function& function = functions_.at(function_name);
  const std::string name = function_name + "-" + std::to_string(effect.number);
  EXPECT_FALSE(pod_names_.contains(effect.pod.value())) << "a pod id was used twice";
  EXPECT_EQ(effect.revision.value(), function.revision);
  pod_names_[effect.pod.value()] = name;
  pods_[name] = {.id = effect.pod,
                 .function = function_name,
                 .revision = effect.revision.value(),
                 .state = PodState::kStarting,
                 .said_hello = false,
                 .concurrency = function.limits.concurrency,
                 .height = function.limits.height,
                 .running = {}};
  EXPECT_LE(serving(function_name), function.pods_max);
  EXPECT_LE(pods_.size(), limits_.pods_max);
  check_places_are_left(function);
  EXPECT_LE(std::count_if(pods_.begin(), pods_.end(),
                          [](const auto& entry) { return !entry.second.said_hello; }),
            limits_.starting_max);
  say("start " + name);
}

void FakeNode::on(const Dispatch& effect) {
  const std::uint64_t number = effect.invocation.value();
  const std::string& name = name_of(effect.pod);
  ASSERT_TRUE(pods_.contains(name)) << "dispatched to a dead pod";
  Pod& pod = pods_.at(name);
  Call& call = calls_.at(number);
  EXPECT_EQ(call.state, CallState::kWaiting);
  EXPECT_FALSE(on_exited_pod_.contains(number));
  EXPECT_EQ(call.function, pod.function);
  EXPECT_TRUE(pod.state == PodState::kStarting || pod.state == PodState::kReady)
      << "dispatched to a pod that goes";
  EXPECT_EQ(pod.revision, functions_.at(pod.function).revision);
  EXPECT_LT(pod.running.size(), pod.concurrency + pod.ahead);
  EXPECT_EQ(effect.cold, !pod.said_hello);
  EXPECT_LE(effect.attempt, kDispatchesMax);
  EXPECT_GT(call.deadline, now_) << "dispatched after its deadline";
  call.state = CallState::kRunning;
  call.pod = name;
  pod.running.insert(number);
  say(std::to_string(number) + " to " + name + (effect.cold ? " cold" : ""));
}

void FakeNode::on(const Cancel& effect) {
  Call& call = calls_.at(effect.invocation.value());
  EXPECT_EQ(call.state, CallState::kRunning);
  EXPECT_EQ(call.pod, name_of(effect.pod));
  call.state = CallState::kCancelled;
  say("cancel " + std::to_string(effect.invocation.value()));
}

void FakeNode::on(const Refuse& effect) {
  const std::uint64_t number = effect.invocation.value();
  Call& call = calls_.at(number);
  EXPECT_EQ(call.state, CallState::kWaiting) << number;
  EXPECT_EQ(on_exited_pod_.erase(number) == 1, effect.reason == RefuseReason::kPodDied);
  call.state = CallState::kRefused;
  say("refuse " + std::to_string(number) + " " + short_name(effect.reason));
}

void FakeNode::on(const DrainPod& effect) {
  Pod& pod = pods_.at(name_of(effect.pod));
  EXPECT_TRUE(pod.state == PodState::kStarting || pod.state == PodState::kReady);
  if (effect.reason == DrainReason::kIdle || effect.reason == DrainReason::kEvicted ||
      effect.reason == DrainReason::kQuota) {
    EXPECT_TRUE(pod.running.empty()) << "a busy pod is neither idle nor evicted";
    EXPECT_GT(serving(pod.function),
              scheduler_.node().closing ? 0 : functions_.at(pod.function).limits.pods_min)
        << name_of(effect.pod) << " " << short_name(effect.reason) << ", said: " << said_;
  }
  pod.state = PodState::kDraining;
  say("drain " + name_of(effect.pod) + " " + short_name(effect.reason));
}

void FakeNode::on(const StopPod& effect) {
  Pod& pod = pods_.at(name_of(effect.pod));
  EXPECT_NE(pod.state, PodState::kStopping);
  // Those behind a hung one go to another pod.
  const bool hung = pod.ahead > 0 && effect.reason == StopReason::kUnresponsive;
  for (const std::uint64_t number : pod.running) {  // complaint 1: nothing healthy is cut short
    const Call& call = calls_.at(number);
    EXPECT_TRUE(call.state == CallState::kCancelled || !pod.said_hello || hung ||
                call.deadline == TimePoint::max());
  }
  pod.state = PodState::kStopping;
  say("stop " + name_of(effect.pod) + " " + short_name(effect.reason));
}

// Those who call leave places to those they call, level by level.
void FakeNode::check_places_are_left(const Function& started) {
  for (std::uint32_t level = 1; level <= std::min(started.limits.height, limits_.pods_max - 1);
       ++level) {
    const auto high = std::count_if(pods_.begin(), pods_.end(), [&](const auto& entry) {
      return entry.second.height >= level;
    });
    EXPECT_LE(high, limits_.pods_max - level) << "of height " << level << " and more";
  }
}

// Whoever waits has a deadline and no pod with room; the books agree with the model.
void FakeNode::check_nothing_is_forgotten() {
  std::map<std::string, std::uint32_t> waiting;
  for (const auto& [number, call] : calls_) {
    if (call.state == CallState::kWaiting && !on_exited_pod_.contains(number)) {
      ++waiting[call.function];
    }
  }
  for (const auto& [name, function] : functions_) {
    const FunctionView seen = view(name);
    EXPECT_EQ(seen.waiting, waiting[name]);
    EXPECT_LE(seen.starting + seen.ready, function.pods_max);
    std::uint32_t running = 0;
    for (const auto& [pod_name, pod] : pods_) {
      if (pod.function != name || !scheduler_.pod(pod.id)) continue;
      const bool serves = pod.state == PodState::kStarting || pod.state == PodState::kReady;
      if (scheduler_.pod(pod.id)->function == function.id) {
        running += static_cast<std::uint32_t>(pod.running.size());
        EXPECT_FALSE(serves && seen.waiting > 0 && pod.running.size() < pod.concurrency &&
                     seen.running < seen.plan.at_once)
            << name << " waits while " << pod_name << " has room";
      }
    }
    EXPECT_EQ(seen.running, running);
    EXPECT_TRUE(seen.waiting == 0 || scheduler_.next_deadline() < TimePoint::max());
  }
  EXPECT_EQ(scheduler_.node().pods, pods_.size());
}

std::uint32_t FakeNode::serving(const std::string& function) const {
  std::uint32_t count = 0;
  for (const auto& [name, pod] : pods_) {
    if (pod.function != function || pod.revision != functions_.at(function).revision) continue;
    count += pod.state == PodState::kStarting || pod.state == PodState::kReady;
  }
  return count;
}

}  // namespace subito::scheduler
