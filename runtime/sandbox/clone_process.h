// clone3(2) as the launcher needs it: a copy of this process with a pidfd, in a new pid namespace
// if asked, and on cgroup version 2 born inside its group (which costs 15 µs; joining later costs
// an RCU grace period). Stateless.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "runtime/base/unique_fd.h"

namespace subito::sandbox {

struct ClonedProcess {
  pid_t pid = -1;  // 0 in the child
  UniqueFd pidfd;  // in the parent
  int os_errno = 0;
};

// `namespaces`: CLONE_NEW* flags. `cgroup_directory`: -1, or a descriptor of a version 2 group.
ClonedProcess clone_process(std::uint64_t namespaces, int cgroup_directory);

}  // namespace subito::sandbox
