// Memory of a pattern: what the kernel accounts to all of its processes. Plain functions.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace subito::bench {

// Of `roots` and all that descends from them: the sum of proportional set sizes, and the kernel's
// own memory for them: where they have a control group of their own what is charged to that
// (sockets and name spaces too), for the others page tables and kernel stacks.
std::uint64_t memory_of(const std::vector<pid_t>& roots);

}  // namespace subito::bench
