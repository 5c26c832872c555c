// Inputs: every call of the Scheduler that may change something, as plain values: what a recording
// holds and a replay applies. scheduler.h says what each means.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "scheduler/effects.h"
#include "scheduler/limits.h"
#include "scheduler/scheduler.h"

namespace subito::scheduler {

struct AddFunction {
  TimePoint now;
  FunctionId function;
  RevisionId revision;
  FunctionLimits limits;
};
struct UpdateFunction {
  TimePoint now;
  FunctionId function;
  RevisionId revision;
  FunctionLimits limits;
};
struct RemoveFunction {
  TimePoint now;
  FunctionId function;
};
struct Scale {
  TimePoint now;
  FunctionId function;
  std::uint32_t pods_min = 0;
  std::optional<std::uint32_t> pods_max;
};
struct SetQuota {
  TimePoint now;
  std::uint32_t tenant = 0;
  TenantQuota quota;
};
struct Arrive {
  TimePoint now;
  Arrival arrival;
};
struct Completed {
  TimePoint now;
  InvocationId invocation;
  autoscaler::CpuUse use;
};
struct Cancelled {
  TimePoint now;
  InvocationId invocation;
};
struct PodReady {
  TimePoint now;
  PodId pod;
  std::uint32_t ahead = 0;
};
struct PodExited {
  TimePoint now;
  PodId pod;
  ExitKind kind = ExitKind::kDrained;
  std::vector<InvocationId> again;
};
struct GivenBack {
  TimePoint now;
  InvocationId invocation;
};
struct Expire {
  TimePoint now;
};
struct Close {
  TimePoint now;
};

using Input = std::variant<AddFunction, UpdateFunction, RemoveFunction, Scale, Arrive, Completed,
                           Cancelled, PodReady, PodExited, GivenBack, Expire, Close, SetQuota>;

TimePoint time_of(const Input& input);
std::string_view name_of(const Input& input);  // "arrive", "pod_exited": the Scheduler's names
void apply(const Input& input, Scheduler& scheduler, Effects& effects);

// Told of every input once it was decided, with the effects of it, on the scheduler's thread. Must
// not call the scheduler.
class InputObserver {
 public:
  virtual ~InputObserver() = default;
  virtual void on_input(const Input& input, std::span<const Effect> effects) = 0;
};

}  // namespace subito::scheduler
