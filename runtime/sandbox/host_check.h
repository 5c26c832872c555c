// What `subito doctor` prints: what this host can do for isolation and what it lacks.
// probe_host() looks (and leaves nothing behind); assess_host() is a pure function of what was
// seen, so that every verdict can be tested.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/sandbox/cgroup.h"

namespace subito::sandbox {

enum class HostState { kOk, kWarn, kMissing };
std::string_view to_string(HostState state);  // "ok", "warn", "missing"

struct HostFinding {
  std::string name;  // "cgroup joins"
  HostState state = HostState::kOk;
  std::string detail;  // "cheap: ..."
  std::string remedy;  // what to do about it; empty when ok
};

// errno of each probe, 0 when it worked.
struct HostProbes {
  bool root = false;
  int kernel_major = 0;
  int kernel_minor = 0;
  std::uint64_t user_namespaces_max = 0;
  bool unprivileged_user_namespaces = true;
  int namespace_errno[7] = {};  // user, mnt, pid, net, ipc, uts, cgroup
  std::optional<CgroupVersion> cgroup_version;
  std::vector<std::string> cgroup_controllers;
  bool cgroup_favordynmods = false;
  std::optional<std::uint32_t>
      cgroup_join_us;  // measured after 200 ms of rest; absent: not measured
  bool cgroup_kill = false;
  bool clone_into_cgroup = false;
  bool swap_accounting = false;
  bool has_swap = false;
  int seccomp_errno = 0;
  int pidfd_errno = 0;
  int proc_mount_errno = 0;
  int overcommit_mode = 0;  // vm.overcommit_memory
};

HostProbes probe_host(const std::string& cgroup_mount_root = "/sys/fs/cgroup");
std::vector<HostFinding> assess_host(const HostProbes& probes);

}  // namespace subito::sandbox
