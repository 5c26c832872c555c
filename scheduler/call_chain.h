// Calls between functions, one inside the other: which of them are refused (508). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "runtime/base/id.h"

namespace subito::scheduler {

// Calls in one chain; deeper ones are refused.
inline constexpr std::uint32_t kCallDepthMax = 16;

enum class ChainFault : std::uint8_t {
  kCycle,    // the called function waits for the call already: it holds the pod that it would need
  kTooDeep,  // more than kCallDepthMax
};

// `caller` would call `called`, and `callers` wait for the caller, the first of all in front.
std::optional<ChainFault> fault_of_chain(std::span<const FunctionId> callers, FunctionId caller,
                                         FunctionId called);

}  // namespace subito::scheduler
