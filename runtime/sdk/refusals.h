// What a Context says when it refuses: the same words in a pod, behind --listen and in tests of
// handlers (subito/testing.h); --listen adds what to set. Stateless; any thread.
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

// `kind`: "redis" or "tcp"; `more`: which bindings there are, or what to set.
[[noreturn]] inline void refuse_binding(std::string_view kind, std::string_view name,
                                        std::string_view more) {
  throw std::out_of_range("use " + std::string(kind) + " binding " + std::string(name) +
                          ": list it under spec.bindings in its manifest; " + std::string(more));
}

// "it has cache (redis), mail (tcp)", of names and kinds.
template <typename Pairs>
std::string words_of_bindings(const Pairs& bindings) {
  std::string words;
  for (const auto& [name, kind] : bindings) {
    words += (words.empty() ? "it has " : ", ") + std::string(name) + " (" + kind + ")";
  }
  return words.empty() ? "it has none" : words;
}

}  // namespace subito::sdk
