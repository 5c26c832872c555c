#include "scheduler/call_chain.h"

#include <algorithm>

namespace subito::scheduler {

std::optional<ChainFault> fault_of_chain(std::span<const FunctionId> callers, FunctionId caller,
                                         FunctionId called) {
  if (called == caller || std::find(callers.begin(), callers.end(), called) != callers.end()) {
    return ChainFault::kCycle;
  }
  if (callers.size() + 1 > kCallDepthMax) return ChainFault::kTooDeep;
  return std::nullopt;
}

}  // namespace subito::scheduler
