// Waiting for a quiet machine, so that a start is not timed beside somebody else's compiler. It
// chooses when a start begins, never which result counts. Blocking.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::bench {

// Time of all processors since boot, in ticks.
struct ProcessorTime {
  std::uint64_t busy = 0;
  std::uint64_t all = 0;
};

// The first line of /proc/stat, proc(5): waiting for a disk counts as idle.
ProcessorTime parse_processor_time(std::string_view stat);

inline constexpr double kQuietBusyMax = 0.10;  // of all processors
inline constexpr std::chrono::milliseconds kQuietFor{100};
inline constexpr std::chrono::seconds kQuietTimeout{300};

// Rests `idle`, at least kQuietFor, until one such rest had the machine to itself.
// kDeadlineExceeded when none did within kQuietTimeout, kCancelled when interrupted.
Status rest_quietly(std::chrono::nanoseconds idle);

}  // namespace subito::bench
