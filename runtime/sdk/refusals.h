// What a Context says when it refuses: the same words in a pod, behind --listen and in tests of
// handlers (subito/testing.h). Stateless; any thread.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace subito::sdk {

// For Cancelled.
inline constexpr const char* kWasCancelled = "the invocation was cancelled";
inline constexpr const char* kDeadlinePassed = "the deadline passed";

// For CallError "forbidden": the words of the node.
inline std::string may_not_call(std::string_view caller, std::string_view callee) {
  return "function " + std::string(caller) + " may not call " + std::string(callee) +
         ": list it under spec.calls";
}

[[noreturn]] inline void refuse_binding(std::string_view name) {
  throw std::out_of_range("use binding " + std::string(name) + ": the function has none");
}

}  // namespace subito::sdk
