#include "runtime/sandbox/clone_process.h"

#include <linux/sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>

namespace subito::sandbox {

ClonedProcess clone_process(std::uint64_t namespaces, int cgroup_directory) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD | namespaces;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroup_directory >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup_directory);
  }
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  ClonedProcess cloned;
  cloned.pid = static_cast<pid_t>(pid);
  if (pid < 0) cloned.os_errno = errno;
  if (pid > 0) cloned.pidfd.reset(pidfd);
  return cloned;
}

}  // namespace subito::sandbox
