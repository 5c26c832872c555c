#include "runtime/node/meters.h"

namespace subito::node {

void Meters::add(FunctionId function) {
  if (own_.size() < kFunctionsMax) own_.try_emplace(function);
}

void Meters::remove(FunctionId function) {
  own_.erase(function);
}

const FunctionMeters* Meters::own(FunctionId function) const {
  const auto at = own_.find(function);
  return at == own_.end() ? nullptr : &at->second;
}

void Meters::count_start(FunctionId function, const scheduler::StartPod& start,
                         pods::StartMode mode) {
  ++of(function).starts[static_cast<std::size_t>(mode)][start.why];
  switch (start.why) {
    case scheduler::StartWhy::kWaiting:
      ++starts_waiting[start.policy];
      break;
    case scheduler::StartWhy::kPlanned:
      ++starts_planned[start.plan];
      break;
    case scheduler::StartWhy::kMinimum:
      ++starts_minimum;
      break;
  }
}

}  // namespace subito::node
