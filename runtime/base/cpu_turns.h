// Turns: for how long the kernel lets a thread run at a time once it has a core. Since Linux 6.12 a
// thread has a length of its own (sched_setattr(2), sched_runtime of SCHED_OTHER; the scheduler's
// documentation calls it a slice). It changes nothing of how much CPU time the thread gets, which
// is a matter of nice values and cgroups, but says whom it waits for: a thread that wakes with a
// shorter turn than the one on the core goes first, unless it has had more than its share already;
// with the same or a longer one it waits for the next tick, up to 10 ms. A cgroup has the shortest
// turn of those that are ready in it. Older kernels take the length and do nothing with it.
//
// System calls of any thread; turn_of_share() is pure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

#include "runtime/base/result.h"

namespace subito {

using Turn = std::chrono::nanoseconds;

// Threads that serve others run for short, often, and before those: the node's loop, its launcher.
inline constexpr Turn kTurnOfServers = std::chrono::microseconds(500);
inline constexpr int kNiceOfServers = -5;  // 3 times the CPU time of one with 0, if it needs it
inline constexpr int kTurnPartsMax = 8;

// Of this thread. Zero: the kernel knows none.
Turn own_turn();
// Of all threads that the process has now; one that they make has what its maker had. Zero: the
// kernel's own.
Status set_turn(pid_t process, Turn turn);
// What is to run less runs for longer at a time: it loses nothing by that, and those who have a
// full share need not wait for it when they wake. `share` in thousandths of what a pod starts with,
// `usual` the kernel's own: 1000 and more 0 (the kernel's own), 250 4 times `usual`, 125 and less
// kTurnPartsMax times.
Turn turn_of_share(std::uint32_t share, Turn usual);

// This thread is one that serves others; threads and processes that it makes are not. Where the
// nice value may not be changed (CAP_SYS_NICE) or is above 0 already, it is left.
Status serve_others();

}  // namespace subito
