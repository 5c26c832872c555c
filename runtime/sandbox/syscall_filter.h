// SyscallFilter: what a pod may ask the kernel for, as one BPF program (seccomp(2)).
//
// Compiled once when the launcher starts (syscall_program.h); a sandbox installs a copy that
// differs in one thing, its exec ticket. Owned by the launcher; install() runs in the child.
//
// The exec ticket. A waiting sandbox must execveat() the function once, and the function must never
// exec again, yet a filter cannot be changed and does not count. So the filter demands a secret
// that only the waiting sandbox holds and that the exec itself destroys: execveat's arguments
// `dirfd` and `flags` are ints, of which the kernel looks at the low 32 bits, while seccomp sees
// registers of 64. The upper halves carry 64 random bits made by the sandbox for itself. Exec
// replaces memory and registers (and nobody else ever saw them), so the new program cannot know
// them; a wrong ticket kills the process, so it cannot guess them. execve(2) has no int argument
// and is denied at all.
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/sandbox/syscall_program.h"

namespace subito::sandbox {

struct ExecTicket {
  std::uint32_t of_dirfd = 0;
  std::uint32_t of_flags = 0;
};

class SyscallFilter {
 public:
  static Result<SyscallFilter> compile();

  // For this thread, for good. Needs no_new_privs. Returns 0 or an errno.
  int install(ExecTicket ticket);

  // execveat(fd, "", argv, envp, AT_EMPTY_PATH) with the ticket. Returns an errno.
  static int exec_with(ExecTicket ticket, int fd, char* const* argv, char* const* envp);

 private:
  SyscallProgram program_;
};

}  // namespace subito::sandbox
