// Reports how the process dies of a signal: SEGV, BUS, FPE, ILL, ABRT. In a pod the report is a LOG
// frame on the channel, otherwise a line on standard error. Best effort, from inside the signal
// handler, without allocation.
//
// SIGABRT is how a node asks a pod, before it kills it, where its main thread is.
//
// The first process of a pid namespace, a pod's, reports from before its constructors on: the
// kernel keeps abort() from ending it by SIGABRT, and nobody would learn that it was one.
#pragma once

#include <atomic>
#include <cstdint>

namespace subito::sdk {

constexpr std::size_t kCrashStackBytes = 64 << 10;

// From now on reports go to `channel_fd`; -1: to standard error. Installs the handlers and the
// calling thread's alternate stack, unless that was done at the process's start.
void report_crashes(int channel_fd);

// A further thread's alternate stack, so that its stack overflow is reported, too. The memory is
// the caller's and stays until drop_crash_stack() or the end of the process.
void use_crash_stack(char* memory);
void drop_crash_stack();  // before the memory goes

// The invocation that this thread works for, named in the report.
extern thread_local std::uint32_t crash_invocation;

// Set while a frame may be half written: the report then waits a moment.
extern std::atomic<bool> channel_is_writing;

}  // namespace subito::sdk
