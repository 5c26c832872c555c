#include "runtime/sandbox/host_check.h"

#include <cstring>

namespace subito::sandbox {
namespace {

// Joins are "cheap" below this: the kernel's grace period costs 5,000 to 15,000.
constexpr std::uint32_t kCheapJoinUs = 2'000;

// What each needs first: CLONE_PIDFD and pidfd polling 5.3, clone3 5.3, single-thread cgroup moves
// without a lock 5.5, /proc with subset=pid 5.8, close_range 5.9.
constexpr int kKernelMajorMin = 5;
constexpr int kKernelMinorMin = 9;

using Findings = std::vector<HostFinding>;

void add(Findings& findings, std::string name, HostState state, std::string detail,
         std::string remedy = "") {
  findings.push_back({std::move(name), state, std::move(detail), std::move(remedy)});
}

void add_errno(Findings& findings, std::string name, int os_errno, std::string works,
               std::string remedy) {
  if (os_errno == 0) return add(findings, std::move(name), HostState::kOk, std::move(works));
  add(findings, std::move(name), HostState::kMissing, std::strerror(os_errno), std::move(remedy));
}

void assess_basics(const HostProbes& probes, Findings& findings) {
  add(findings, "root", probes.root ? HostState::kOk : HostState::kMissing,
      probes.root ? "running as root" : "not root",
      probes.root ? "" : "run the node as root: it makes cgroups, mounts and namespaces");
  const bool new_enough =
      probes.kernel_major > kKernelMajorMin ||
      (probes.kernel_major == kKernelMajorMin && probes.kernel_minor >= kKernelMinorMin);
  add(findings, "kernel", new_enough ? HostState::kOk : HostState::kMissing,
      std::to_string(probes.kernel_major) + "." + std::to_string(probes.kernel_minor),
      new_enough ? "" : "Linux 5.9 or newer is needed, 5.14 advised");
}

void assess_namespaces(const HostProbes& probes, Findings& findings) {
  for (std::size_t i = 0; i < kNamespaceCount; ++i) {
    add_errno(findings, std::string(kNamespaceNames[i]) + " namespace", probes.namespace_errno[i],
              "works",
              i == 0 ? "set user.max_user_namespaces above 0"
                     : "enable it in the kernel, or run as root");
  }
  add_errno(findings, "/proc of a pod", probes.proc_mount_errno, "works with subset=pid, hidepid",
            "Linux 5.8 or newer, and root, are needed to mount it");
}

void assess_joins(const HostProbes& probes, Findings& findings) {
  if (probes.cgroup_version == CgroupVersion::kV2) {
    return add_errno(findings, "cgroup joins", probes.clone_into_cgroup_errno,
                     "none needed: pods are born in their cgroup",
                     "Linux 5.7 or newer is needed for CLONE_INTO_CGROUP");
  }
  if (!probes.cgroup_join_us) {
    return add(findings, "cgroup joins", HostState::kWarn, "not measured",
               "run as root to measure");
  }
  const bool cheap = *probes.cgroup_join_us < kCheapJoinUs;
  const std::string detail = std::to_string(*probes.cgroup_join_us) +
                             " us after rest, favordynmods " +
                             (probes.cgroup_favordynmods ? "on" : "off");
  add(findings, "cgroup joins", cheap ? HostState::kOk : HostState::kWarn, detail,
      cheap ? "" : "fresh starts alone pay this: use pooled, or cgroup version 2");
}

void assess_cgroups(const HostProbes& probes, Findings& findings) {
  if (!probes.cgroup_version) {
    return add(findings, "cgroups", HostState::kMissing, probes.cgroup_error,
               "mount cgroup2 at /sys/fs/cgroup with memory, pids and cpu");
  }
  if (!probes.cgroup_error.empty()) {
    return add(findings, "cgroups", HostState::kMissing, probes.cgroup_error,
               "let the node write to /sys/fs/cgroup: in a container, privileged and with a cgroup "
               "namespace of its own");
  }
  if (probes.cgroup_members_move) {
    return add(findings, "cgroups", HostState::kWarn, "version 2, with processes in its root",
               "a node that starts moves them into a group below, host.subito");
  }
  const bool v2 = probes.cgroup_version == CgroupVersion::kV2;
  add(findings, "cgroups", v2 ? HostState::kOk : HostState::kWarn,
      v2 ? "version 2 with memory, pids, cpu" : "version 1 with memory, pids, cpu",
      v2 ? "" : "works; version 2 starts fresh pods faster");
  assess_joins(probes, findings);
  const bool swap_held = probes.swap_accounting || !probes.has_swap;
  add(findings, "swap accounting", swap_held ? HostState::kOk : HostState::kWarn,
      probes.swap_accounting ? "on"
      : probes.has_swap      ? "off, and there is swap"
                             : "off, no swap",
      swap_held ? "" : "boot with swapaccount=1, or a pod may swap beyond its memory limit");
}

void assess_rest(const HostProbes& probes, Findings& findings) {
  add_errno(findings, "seccomp", probes.seccomp_errno, "filters, KILL_PROCESS",
            "a kernel with CONFIG_SECCOMP_FILTER is needed");
  add_errno(findings, "pidfd", probes.pidfd_errno, "works", "Linux 5.3 or newer is needed");
  const bool strict = probes.overcommit_mode == 2;
  add(findings, "memory overcommit", strict ? HostState::kWarn : HostState::kOk,
      "vm.overcommit_memory is " + std::to_string(probes.overcommit_mode),
      strict ? "each pod's reservations count in full: set it to 0 if starts fail" : "");
  const bool allowed = probes.unprivileged_user_namespaces && probes.user_namespaces_max > 0;
  add(findings, "rootless", HostState::kWarn,
      std::string("not supported: the node needs root. User namespaces for the unprivileged are ") +
          (allowed ? "on here" : "off here"));
}

}  // namespace

std::string_view to_string(HostState state) {
  switch (state) {
    case HostState::kOk:
      return "ok";
    case HostState::kWarn:
      return "warn";
    case HostState::kMissing:
      return "missing";
  }
  return "unknown";
}

std::vector<HostFinding> assess_host(const HostProbes& probes) {
  Findings findings;
  assess_basics(probes, findings);
  assess_namespaces(probes, findings);
  assess_cgroups(probes, findings);
  assess_rest(probes, findings);
  return findings;
}

}  // namespace subito::sandbox
