// Control groups, version 1 and 2 behind one face.
//
// CgroupTree is the root group of one node, "subito-<node id>", in every hierarchy it needs; below
// it each sandbox has a group "pod-<id>", with the id of the first sandbox that was in it: another
// one may follow (renew). The launcher owns the tree, its children make their own groups in it; the
// node only calls sweep_node(). Single-threaded, waits for nothing but the
// kernel. Sizes in bytes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/sandbox_types.h"

namespace subito::sandbox {

enum class CgroupVersion : std::uint32_t { kV1 = 1, kV2 = 2 };

// Where the kernel's groups are. Version 2 if it offers memory, pids and cpu at `mount_root` itself
// ("/sys/fs/cgroup"), else version 1 if each of them is a hierarchy below it.
Result<CgroupVersion> detect_cgroup_version(const std::string& mount_root);

struct CgroupUsage {
  std::optional<std::uint64_t> oom_kills;  // none: the kernel does not tell
  std::uint64_t memory_bytes_peak = 0;     // 0: the kernel does not tell
};

class CgroupTree {
 public:
  // Processes in the mount root itself, as in a container with a cgroup namespace of its own, keep
  // version 2 from having groups with controllers there (EBUSY).
  enum class Members { kLeave, kMoveAside };

  // Makes (or adopts) the root group.
  static Result<CgroupTree> open(const std::string& mount_root, const std::string& node_id,
                                 Members members = Members::kMoveAside);

  CgroupVersion version() const { return version_; }

  // Makes the root group again if somebody removed it: the launcher of a node that was killed, at
  // its own end. One system call a hierarchy. True: it did, and no group below is there any more.
  Result<bool> restore_root();
  // v1: the child makes its own group, v2: the launcher, since the child is born inside.
  Status make(SandboxId id, const SandboxLimits& limits) const;
  Status set_limits(SandboxId id, const SandboxLimits& from, const SandboxLimits& to) const;
  // How much of the CPU it gets beside its siblings while there is too little for all. `share`
  // counts in thousandths of what a new group has. Clamped to what the kernel takes: cpu.shares of
  // version 1 (a new group: 1024; sched-design-CFS) is 2 to 262144, cpu.weight of version
  // 2 (a new group: 100; cgroup-v2, "CPU Interface Files") 1 to 10000, so that a share below 10
  // still gets 10 there.
  Status set_cpu_share(SandboxId id, std::uint32_t share);
  // `peak`: as renew() left it.
  CgroupUsage usage(SandboxId id, const UniqueFd& peak = UniqueFd()) const;
  // Makes the group of a sandbox that has ended as good as new, for another one: limits and share
  // as make() with SandboxLimits{} leaves them, the peak counted from here on (version 2: for who
  // reads it by `peak`, since Linux 6.12; cgroup-v2, "memory.peak"). Not one that had an OOM kill:
  // those are counted for the group's life. An error: remove it. kFailedPrecondition: a process is
  // in it. kResourceExhausted: more is still charged to it than is freed by itself: what each CPU
  // has charged ahead, and kernel memory.
  Status renew(SandboxId id, const SandboxLimits& from, bool share_changed, UniqueFd& peak);
  // kUnavailable while a process is still in it: try again.
  Status remove(SandboxId id);
  // Not if another node of this id has made it anew.
  Status remove_root();

  // Whether swap counts towards the memory limit of this group.
  bool accounts_swap(SandboxId id) const;

  // v2: the directory for clone3(CLONE_INTO_CGROUP).
  Result<UniqueFd> open_directory(SandboxId id) const;
  // v1, called by the child itself while it has one thread: returns 0 or an errno. It writes "0"
  // to `tasks`, not a pid to cgroup.procs: a thread that moves only itself needs no lock against
  // other threads' fork and exec, so the kernel skips the RCU grace period that costs 5 to 15 ms
  // (since Linux 5.5). 100 µs for three hierarchies, with or without favordynmods.
  int join_self(SandboxId id) const;

 private:
  enum Controller : unsigned { kMemory = 1, kPids = 2, kCpu = 4 };
  struct Hierarchy {
    UniqueFd root;  // directory of the node's group
    std::string path;
    unsigned controllers = 0;
  };

  Status add_hierarchy(const std::string& mount, const std::string& node_id, unsigned controllers);
  Status make_root(Hierarchy& hierarchy) const;
  UniqueFd open_peak(SandboxId id, int flags) const;
  // `from` null: a new group, whose limits are the kernel's defaults.
  Status write_memory_v1(int root, SandboxId id, const SandboxLimits* from,
                         const SandboxLimits& to) const;
  Status write_limits_v1(const Hierarchy& hierarchy, SandboxId id, const SandboxLimits* from,
                         const SandboxLimits& to) const;
  Status write_limits_v2(const Hierarchy& hierarchy, SandboxId id, const SandboxLimits* from,
                         const SandboxLimits& to) const;

  CgroupVersion version_ = CgroupVersion::kV2;
  std::vector<Hierarchy> hierarchies_;  // one in v2; memory, pids and cpu in v1
  bool swap_accounting_ = false;        // v1 only
  std::uint64_t leftover_bytes_max_ = 0;
};

struct SweepReport {
  std::uint32_t processes_killed = 0;
  std::uint32_t cgroups_removed = 0;
};

// Kills every process in the groups a dead node of this id left and removes the groups, on version
// 1 and 2 alike. The node calls it at start, before LauncherClient::start(). Nothing there: zeroes.
// kDeadlineExceeded: something would not die.
Result<SweepReport> sweep_node(const std::string& mount_root, const std::string& node_id,
                               std::chrono::milliseconds deadline);

}  // namespace subito::sandbox
