// What the sandbox's tests share: configuration, and looking at what is left on the host.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/sandbox/sandbox_harness.h"

#ifndef SUBITO_LAUNCHER_PATH
#error "the build says where launcher and escape pod are"
#endif

namespace subito::sandbox::testing {

inline LauncherConfig test_config() {
  LauncherConfig config;
  config.node_id = Harness::unique_node_id();
  config.launcher_path = SUBITO_LAUNCHER_PATH;
  config.network_wait = kHarnessDeadline;  // a busy machine decides nothing
  // A range of uids of its own, so that tests beside each other count only their own processes.
  config.uid_base = 1'000'000 + static_cast<std::uint32_t>(::getpid() % 4'000) * 1'024;
  return config;
}

// The cgroup directories of this node id that exist, over all hierarchies.
int count_cgroups(const std::string& node_id);
// What the kernel says of the share of the CPU of this group: cpu.shares of version 1 or cpu.weight
// of version 2, without its line end; empty: no such group.
std::string cpu_share_in_kernel(const std::string& node_id, SandboxId id);
std::string cpu_share_of_all_in_kernel(const std::string& node_id);  // of the group of all its pods
// Whether groups of dead pods are kept for others here: by version 2 only since Linux 6.12.
bool keeps_cgroups();
// Processes whose real uid is in [first, first + count).
int count_processes_of(std::uint32_t first, std::uint32_t count);
// What follows "Uid:" in a file of such lines; empty if there is none.
std::string text_in(const std::string& path, const std::string& key);
int count_descriptors(pid_t pid);
int count_mounts(pid_t pid);
long resident_kib(pid_t pid);
// A pidfd, and waiting for its process to end (not to be reaped).
UniqueFd open_pidfd(pid_t pid);
bool ends_within(const UniqueFd& pidfd, std::chrono::milliseconds deadline);
// Looks again every 5 ms until `condition` holds or the harness's deadline passes.
template <typename Condition>
bool eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kHarnessDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(5'000);
  }
  return true;
}

// SIGSTOP, and waits until the process stands still: the signal alone is only on its way.
bool stops(pid_t pid);

// Runs the escape pod as a plain process with all rights, but with private mounts and names: what
// it can do there shows that the attempt is a real one. `passed`: waits in its channel, if valid.
std::string run_outside(const std::vector<std::string>& argv, int passed = -1);

}  // namespace subito::sandbox::testing
