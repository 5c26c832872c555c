#include "scheduler/inputs.h"

#include <array>

namespace subito::scheduler {
namespace {

// By index of the variant.
constexpr std::array<std::string_view, std::variant_size_v<Input>> kNames = {
    "add_function", "update_function", "remove_function", "scale",      "arrive",
    "completed",    "cancelled",       "pod_ready",       "pod_exited", "given_back",
    "expire",       "close",           "set_quota"};

// What a replay does with each.
struct Apply {
  Scheduler& scheduler;
  Effects& effects;

  void operator()(const AddFunction& it) const {
    scheduler.add_function(it.now, it.function, it.revision, it.limits, effects);
  }
  void operator()(const UpdateFunction& it) const {
    scheduler.update_function(it.now, it.function, it.revision, it.limits, effects);
  }
  void operator()(const RemoveFunction& it) const {
    scheduler.remove_function(it.now, it.function, effects);
  }
  void operator()(const Scale& it) const {
    scheduler.scale(it.now, it.function, it.pods_min, it.pods_max, effects);
  }
  void operator()(const SetQuota& it) const {
    scheduler.set_quota(it.now, it.tenant, it.quota, effects);
  }
  void operator()(const Arrive& it) const { scheduler.arrive(it.now, it.arrival, effects); }
  void operator()(const Completed& it) const {
    scheduler.completed(it.now, it.invocation, effects, it.use);
  }
  void operator()(const Cancelled& it) const {
    scheduler.cancelled(it.now, it.invocation, effects);
  }
  void operator()(const PodReady& it) const {
    scheduler.pod_ready(it.now, it.pod, effects, it.ahead);
  }
  void operator()(const PodExited& it) const {
    scheduler.pod_exited(it.now, it.pod, it.kind, it.again, effects);
  }
  void operator()(const GivenBack& it) const {
    scheduler.given_back(it.now, it.invocation, effects);
  }
  void operator()(const Expire& it) const { scheduler.expire(it.now, effects); }
  void operator()(const Close& it) const { scheduler.close(it.now, effects); }
};

}  // namespace

TimePoint time_of(const Input& input) {
  return std::visit([](const auto& it) { return it.now; }, input);
}

std::string_view name_of(const Input& input) {
  return kNames.at(input.index());
}

void apply(const Input& input, Scheduler& scheduler, Effects& effects) {
  std::visit(Apply{scheduler, effects}, input);
}

}  // namespace subito::scheduler
