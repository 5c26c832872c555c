// The tail of restore_image(): what is left to do when the memory that does it must go. Machine
// code that needs no memory but its own page and the list of system calls behind it, so that it can
// be copied to where neither the old process nor the new one has anything.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/protocol/image.h"

namespace subito::sandbox {

// A system call that must succeed; else the process ends with status 126.
struct TailCall {
  std::uint64_t number = 0;
  std::uint64_t arguments[6] = {};
};
// Every area, the gaps between what stays, and what comes after.
constexpr std::size_t kTailCallsMax = protocol::kImageAreasMax + protocol::kImageKernelAreasMax + 8;

// Where it goes on, behind the last call: resume(context, rest, rest_bytes) on `stack`. All other
// registers are zero.
struct TailJump {
  std::uint64_t resume = 0;
  std::uint64_t context = 0;
  std::uint64_t rest = 0;
  std::uint64_t rest_bytes = 0;
  std::uint64_t stack = 0;
  std::uint64_t has_avx = 0;
};

using Tail = void(const TailCall* begin, const TailCall* end);  // does not return

// restore_tail.S
extern "C" const char subito_tail_begin[];
extern "C" const char subito_tail_end[];

}  // namespace subito::sandbox
