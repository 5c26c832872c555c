// What `subito doctor` prints: what this host can do for isolation and what it lacks.
// probe_host() looks (and leaves nothing behind); assess_host() is a pure function of what was
// seen, so that every verdict can be tested.
#pragma once

#include <cstdint>
#include <iterator>
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

// The namespaces a pod lives in, in the order of HostProbes::namespace_errno.
constexpr const char* kNamespaceNames[] = {"user", "mount", "pid",   "network",
                                           "ipc",  "uts",   "cgroup"};
constexpr std::size_t kNamespaceCount = std::size(kNamespaceNames);

// What probe_host() saw. An errno is 0 when the thing worked.
struct HostProbes {
  bool root = false;
  int kernel_major = 0;
  int kernel_minor = 0;
  std::uint64_t user_namespaces_max = 0;
  bool unprivileged_user_namespaces = false;
  int namespace_errno[kNamespaceCount] = {};
  std::optional<CgroupVersion> cgroup_version;
  std::string cgroup_error;          // why there is no version, or no group could be made
  bool cgroup_members_move = false;  // a node would have to move the mount root's processes
  bool cgroup_favordynmods = false;
  // A process that moves itself, after 200 ms of rest, the middle of three. Absent: not measured.
  std::optional<std::uint32_t> cgroup_join_us;
  int clone_into_cgroup_errno = 0;  // meaningful on version 2
  bool swap_accounting = false;
  bool has_swap = false;
  int seccomp_errno = 0;
  int pidfd_errno = 0;
  int proc_mount_errno = 0;
  int overcommit_mode = 0;  // vm.overcommit_memory
};

// Takes about 700 ms: 600 of them to let cgroups rest before joins are timed. Forks small children;
// call it from a command line, not from a node.
HostProbes probe_host(const std::string& cgroup_mount_root = "/sys/fs/cgroup");
std::vector<HostFinding> assess_host(const HostProbes& probes);

}  // namespace subito::sandbox
