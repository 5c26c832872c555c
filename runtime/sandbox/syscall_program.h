// The system call list as a program for seccomp(2), in classic BPF.
//
// Each start of a pod pays for its size: the kernel translates it to machine code and walks it once
// for each system call number, to learn which are always allowed. So it is a binary search over
// ranges of numbers, and the exec ticket (syscall_filter.h) is one of its leaves.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <vector>

#include "runtime/base/result.h"

namespace subito::sandbox {

struct SyscallProgram {
  std::vector<sock_filter> instructions;
  std::size_t ticket_of_dirfd = 0;  // whose `k` is to be the ticket's halves
  std::size_t ticket_of_flags = 0;
};

// Of syscall_list.h. kInternal: it has become too long for the jumps of classic BPF.
Result<SyscallProgram> make_syscall_program();

}  // namespace subito::sandbox
