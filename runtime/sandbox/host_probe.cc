// probe_host: what can only be known by trying. Each try happens in a child of its own, so that
// nothing of it stays.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/clone_process.h"
#include "runtime/sandbox/host_check.h"

namespace subito::sandbox {
namespace {

constexpr int kNamespaceFlags[kNamespaceCount] = {CLONE_NEWUSER,  CLONE_NEWNS,  CLONE_NEWPID,
                                                  CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
                                                  CLONE_NEWCGROUP};
constexpr useconds_t kRestUs = 200'000;  // joins within 100 ms of another are cheap
constexpr std::size_t kJoinsTimed = 3;

// Runs `attempt` in a child; its errno is what the child returned.
template <typename Attempt>
int try_in_child(const Attempt& attempt) {
  const pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) ::_exit(attempt());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int errno_unless(bool worked) {
  return worked ? 0 : errno;
}

long number_in(const char* path, long otherwise) {
  const auto text = read_at(AT_FDCWD, path);
  return text ? std::atol(text->c_str()) : otherwise;
}

int try_proc_mount() {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return errno;
  }
  return errno_unless(::mount("proc", "/proc", "proc", 0, "subset=pid,hidepid=2") == 0);
}

int try_clone_into(const std::string& group) {
  const UniqueFd directory(::open(group.c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  if (!directory.valid()) return errno;
  const ClonedProcess child = clone_process(0, directory.get());
  if (child.pid == 0) ::_exit(0);
  if (child.pid > 0) ::waitpid(child.pid, nullptr, 0);
  return child.os_errno;
}

// How long a child takes to join the group, its fork and its end not counted. The middle of three,
// each after a rest: one may be interrupted.
std::optional<std::uint32_t> join_us(const CgroupTree& tree, SandboxId id) {
  std::vector<std::uint32_t> took;
  void* memory = ::mmap(nullptr, sizeof(std::uint32_t), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  auto* const told = static_cast<std::uint32_t*>(memory);
  for (std::size_t i = 0; i < kJoinsTimed; ++i) {
    ::usleep(kRestUs);
    const int error = try_in_child([&] {
      const auto begin = std::chrono::steady_clock::now();
      const int joined = tree.join_self(id);
      const auto time = std::chrono::steady_clock::now() - begin;
      *told = static_cast<std::uint32_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(time).count());
      return joined;
    });
    if (error == 0) took.push_back(*told);
  }
  ::munmap(memory, sizeof(std::uint32_t));
  if (took.size() < kJoinsTimed) return std::nullopt;
  std::sort(took.begin(), took.end());
  return took[kJoinsTimed / 2];
}

// Makes a group and tries it.
void probe_join(const std::string& mount_root, HostProbes& probes) {
  const std::string node_id = "doctor-" + std::to_string(::getpid());
  auto tree = CgroupTree::open(mount_root, node_id, CgroupTree::Members::kLeave);
  const SandboxId id(1);
  const Status made = tree ? tree->make(id, SandboxLimits{}) : Status(tree.error());
  const bool has_type = ::access((mount_root + "/cgroup.type").c_str(), F_OK) == 0;
  probes.cgroup_members_move = !tree && tree.error().os_errno == EBUSY && has_type;
  if (!made && !probes.cgroup_members_move) probes.cgroup_error = made.error().message;
  if (made) {
    probes.swap_accounting = tree->accounts_swap(id);
    if (tree->version() == CgroupVersion::kV1) {
      probes.cgroup_join_us = join_us(*tree, id);
    }
  }
  (void)sweep_node(mount_root, node_id, std::chrono::seconds(2));
}

void probe_cgroups(const std::string& mount_root, HostProbes& probes) {
  const auto version = detect_cgroup_version(mount_root);
  if (!version) {
    probes.cgroup_error = version.error().message;
    return;
  }
  probes.cgroup_version = *version;
  const auto mounts = read_at(AT_FDCWD, "/proc/self/mountinfo");
  probes.cgroup_favordynmods = mounts && mounts->find("favordynmods") != std::string::npos;
  probes.clone_into_cgroup_errno = *version == CgroupVersion::kV2 ? try_clone_into(mount_root) : 0;
  if (probes.root) probe_join(mount_root, probes);
}

}  // namespace

HostProbes probe_host(const std::string& cgroup_mount_root) {
  HostProbes probes;
  probes.root = ::geteuid() == 0;
  utsname names{};
  ::uname(&names);
  std::sscanf(names.release, "%d.%d", &probes.kernel_major, &probes.kernel_minor);
  probes.user_namespaces_max =
      static_cast<std::uint64_t>(number_in("/proc/sys/user/max_user_namespaces", 0));
  probes.unprivileged_user_namespaces =
      number_in("/proc/sys/kernel/unprivileged_userns_clone", 1) != 0 &&
      number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 0;
  for (std::size_t i = 0; i < kNamespaceCount; ++i) {
    probes.namespace_errno[i] =
        try_in_child([i] { return errno_unless(::unshare(kNamespaceFlags[i]) == 0); });
  }
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  probes.seccomp_errno =
      errno_unless(::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0);
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  probes.pidfd_errno = errno_unless(pidfd.valid());
  probes.proc_mount_errno = try_in_child(&try_proc_mount);
  probes.overcommit_mode = static_cast<int>(number_in("/proc/sys/vm/overcommit_memory", 0));
  const auto swaps = read_at(AT_FDCWD, "/proc/swaps");
  probes.has_swap = swaps && swaps->find("\n/") != std::string::npos;
  probe_cgroups(cgroup_mount_root, probes);
  return probes;
}

}  // namespace subito::sandbox
