#include "runtime/sandbox/cgroup.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "runtime/sandbox/cgroup_files.h"

namespace subito::sandbox {
namespace {

constexpr std::uint32_t kCpuPeriodUs = 100'000;  // the kernel's default for CFS bandwidth

// A file for the share of the CPU: its value for a share of 1000, and what the kernel takes.
struct CpuScale {
  const char* file;
  std::uint64_t of_1000;
  std::uint64_t min;
  std::uint64_t max;
};
constexpr CpuScale kCpuShares = {"cpu.shares", 1024, 2, 262'144};
constexpr std::uint32_t kNewGroupShare = 1000;
// What a CPU charges to a group ahead of its use (64 pages), and what is freed late of kernel
// memory.
constexpr std::uint64_t kChargedAheadBytes = 256 << 10;
constexpr std::uint64_t kFreedLateBytesMax = 256 << 10;
constexpr CpuScale kCpuWeight = {"cpu.weight", 100, 1, 10'000};

std::string scaled(const CpuScale& scale, std::uint32_t share) {
  const std::uint64_t nearest = (share * scale.of_1000 + 500) / 1000;
  return std::to_string(std::clamp(nearest, scale.min, scale.max));
}

// All pods together weigh on each core what one process of the host does. A new group weighs that
// on all cores together: less than any program beside it that keeps them busy.
std::string share_of_all_pods(const CpuScale& scale) {
  cpu_set_t cores;
  const bool known = ::sched_getaffinity(0, sizeof cores, &cores) == 0;  // not beyond 1024 cores
  return scaled(scale, 1000 * static_cast<std::uint32_t>(known ? CPU_COUNT(&cores) : CPU_SETSIZE));
}

struct GroupName {
  explicit GroupName(SandboxId id, const char* file = nullptr) {
    std::snprintf(text, sizeof text, "pod-%llu%s%s", static_cast<unsigned long long>(id.value()),
                  file != nullptr ? "/" : "", file != nullptr ? file : "");
  }
  char text[96];
};

Status write_value(int root, SandboxId id, const char* file, const std::string& value) {
  const int error = write_at(root, GroupName(id, file).text, value);
  if (error != 0) return errno_error(std::string("write ") + file + " " + value, error);
  return ok();
}

std::uint64_t quota_us(const SandboxLimits& limits) {
  return std::uint64_t{limits.cpu_millicores_max} * kCpuPeriodUs / 1000;
}

// Whether the directory held open is (still) the one at `path`.
bool is_at(int directory, const std::string& path) {
  struct stat held {};
  struct stat there {};
  return ::fstat(directory, &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

bool has_controllers(const std::string& text) {
  const std::string padded = " " + text.substr(0, text.find('\n')) + " ";
  for (const char* name : {" memory ", " pids ", " cpu "}) {
    if (padded.find(name) == std::string::npos) return false;
  }
  return true;
}

}  // namespace

Result<CgroupVersion> detect_cgroup_version(const std::string& mount_root) {
  const auto controllers = read_at(AT_FDCWD, (mount_root + "/cgroup.controllers").c_str());
  if (controllers && has_controllers(*controllers)) return CgroupVersion::kV2;
  for (const char* name : {"memory", "pids", "cpu"}) {
    const std::string procs = mount_root + "/" + name + "/cgroup.procs";
    if (::access(procs.c_str(), F_OK) != 0) {
      return fail(ErrorCode::kFailedPrecondition,
                  "find cgroups: neither version 2 with memory, pids and cpu at " + mount_root +
                      " nor version 1 at " + mount_root + "/" + name);
    }
  }
  return CgroupVersion::kV1;
}

namespace {

Status turn_controllers_on(const std::string& mount_root, bool may_move) {
  const std::string control = mount_root + "/cgroup.subtree_control";
  int error = write_at(AT_FDCWD, control.c_str(), kControllersOn);
  // Only the kernel's own root has no type; any other is ours to arrange if we may write to it.
  const bool has_type = ::access((mount_root + "/cgroup.type").c_str(), F_OK) == 0;
  if (error == EBUSY && may_move && has_type) {
    RETURN_IF_ERROR(move_members_aside(mount_root));
    error = write_at(AT_FDCWD, control.c_str(), kControllersOn);
  }
  if (error == 0) return ok();
  Error failure = errno_error("write " + control, error);
  if (error == EBUSY) failure.message += " (move the processes in it to a group below)";
  return failure;
}

}  // namespace

Status CgroupTree::add_hierarchy(const std::string& mount, const std::string& node_id,
                                 unsigned controllers) {
  hierarchies_.push_back({UniqueFd(), mount + "/subito-" + node_id, controllers});
  return make_root(hierarchies_.back());
}

Status CgroupTree::make_root(Hierarchy& hierarchy) const {
  const char* path = hierarchy.path.c_str();
  if (::mkdir(path, 0755) != 0 && errno != EEXIST) {
    return errno_error("make cgroup " + hierarchy.path);
  }
  UniqueFd root(::open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open cgroup " + hierarchy.path);
  if (version_ == CgroupVersion::kV2) {
    const int error = write_at(root.get(), "cgroup.subtree_control", kControllersOn);
    if (error != 0) return errno_error("write cgroup.subtree_control of the node's group", error);
  }
  if ((hierarchy.controllers & kCpu) != 0) {
    const CpuScale& scale = version_ == CgroupVersion::kV1 ? kCpuShares : kCpuWeight;
    const int error = write_at(root.get(), scale.file, share_of_all_pods(scale));
    if (error != 0)
      return errno_error(std::string("write ") + scale.file + " of the node's group", error);
  }
  hierarchy.root = std::move(root);
  return ok();
}

Result<bool> CgroupTree::restore_root() {
  bool made = false;
  for (Hierarchy& hierarchy : hierarchies_) {
    if (::faccessat(hierarchy.root.get(), "cgroup.procs", F_OK, 0) == 0) continue;
    RETURN_IF_ERROR(make_root(hierarchy));
    made = true;
  }
  return made;
}

Result<CgroupTree> CgroupTree::open(const std::string& mount_root, const std::string& node_id,
                                    Members members) {
  if (!valid_node_id(node_id)) {
    return fail(ErrorCode::kInvalidArgument, "make cgroup root: node id is not [a-z0-9-]{1,40}");
  }
  CgroupTree tree;
  const auto cpus = static_cast<std::uint64_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
  tree.leftover_bytes_max_ = kChargedAheadBytes * cpus + kFreedLateBytesMax;
  ASSIGN_OR_RETURN(tree.version_, detect_cgroup_version(mount_root));
  if (tree.version_ == CgroupVersion::kV1) {
    RETURN_IF_ERROR(tree.add_hierarchy(mount_root + "/memory", node_id, kMemory));
    RETURN_IF_ERROR(tree.add_hierarchy(mount_root + "/pids", node_id, kPids));
    RETURN_IF_ERROR(tree.add_hierarchy(mount_root + "/cpu", node_id, kCpu));
    tree.swap_accounting_ =
        ::faccessat(tree.hierarchies_[0].root.get(), "memory.memsw.limit_in_bytes", F_OK, 0) == 0;
    return tree;
  }
  RETURN_IF_ERROR(turn_controllers_on(mount_root, members == Members::kMoveAside));
  RETURN_IF_ERROR(tree.add_hierarchy(mount_root, node_id, kMemory | kPids | kCpu));
  return tree;
}

Status CgroupTree::make(SandboxId id, const SandboxLimits& limits) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (::mkdirat(hierarchy.root.get(), GroupName(id).text, 0755) != 0 && errno != EEXIST) {
      return errno_error("make cgroup " + hierarchy.path + "/" + GroupName(id).text);
    }
    const Status written = version_ == CgroupVersion::kV1
                               ? write_limits_v1(hierarchy, id, nullptr, limits)
                               : write_limits_v2(hierarchy, id, nullptr, limits);
    RETURN_IF_ERROR(written);
  }
  return ok();
}

Status CgroupTree::set_limits(SandboxId id, const SandboxLimits& from,
                              const SandboxLimits& to) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    const Status written = version_ == CgroupVersion::kV1
                               ? write_limits_v1(hierarchy, id, &from, to)
                               : write_limits_v2(hierarchy, id, &from, to);
    RETURN_IF_ERROR(written);
  }
  return ok();
}

// memsw (memory and swap together) may never be below the limit of memory alone, so that the two
// have an order: memsw first when they rise.
Status CgroupTree::write_memory_v1(int root, SandboxId id, const SandboxLimits* from,
                                   const SandboxLimits& to) const {
  const bool rises = from != nullptr && to.memory_bytes_max > from->memory_bytes_max;
  const std::string bytes = std::to_string(to.memory_bytes_max);
  constexpr const char* kMemoryAndSwap = "memory.memsw.limit_in_bytes";
  if (rises && swap_accounting_) RETURN_IF_ERROR(write_value(root, id, kMemoryAndSwap, bytes));
  RETURN_IF_ERROR(write_value(root, id, "memory.limit_in_bytes", bytes));
  if (!rises && swap_accounting_) RETURN_IF_ERROR(write_value(root, id, kMemoryAndSwap, bytes));
  return ok();
}

Status CgroupTree::write_limits_v1(const Hierarchy& hierarchy, SandboxId id,
                                   const SandboxLimits* from, const SandboxLimits& to) const {
  const int root = hierarchy.root.get();
  if (hierarchy.controllers == kMemory &&
      (from == nullptr || from->memory_bytes_max != to.memory_bytes_max)) {
    RETURN_IF_ERROR(write_memory_v1(root, id, from, to));
  }
  if (hierarchy.controllers == kPids && (from == nullptr || from->pids_max != to.pids_max)) {
    RETURN_IF_ERROR(write_value(root, id, "pids.max", std::to_string(to.pids_max)));
  }
  const std::uint32_t cpu_before = from == nullptr ? 0 : from->cpu_millicores_max;
  if (hierarchy.controllers == kCpu && cpu_before != to.cpu_millicores_max) {
    const std::string quota = to.cpu_millicores_max == 0 ? "-1" : std::to_string(quota_us(to));
    RETURN_IF_ERROR(write_value(root, id, "cpu.cfs_quota_us", quota));
  }
  return ok();
}

Status CgroupTree::write_limits_v2(const Hierarchy& hierarchy, SandboxId id,
                                   const SandboxLimits* from, const SandboxLimits& to) const {
  const int root = hierarchy.root.get();
  if (from == nullptr || from->memory_bytes_max != to.memory_bytes_max) {
    RETURN_IF_ERROR(write_value(root, id, "memory.max", std::to_string(to.memory_bytes_max)));
  }
  if (from == nullptr) {
    RETURN_IF_ERROR(write_value(root, id, "memory.oom.group", "1"));
    const int error = write_at(root, GroupName(id, "memory.swap.max").text, "0");
    if (error != 0 && error != ENOENT) return errno_error("write memory.swap.max", error);
  }
  if (from == nullptr || from->pids_max != to.pids_max) {
    RETURN_IF_ERROR(write_value(root, id, "pids.max", std::to_string(to.pids_max)));
  }
  const std::uint32_t cpu_before = from == nullptr ? 0 : from->cpu_millicores_max;
  if (cpu_before != to.cpu_millicores_max) {
    const std::string quota = to.cpu_millicores_max == 0 ? "max" : std::to_string(quota_us(to));
    RETURN_IF_ERROR(write_value(root, id, "cpu.max", quota + " " + std::to_string(kCpuPeriodUs)));
  }
  return ok();
}

Status CgroupTree::set_cpu_share(SandboxId id, std::uint32_t share) {
  const bool v1 = version_ == CgroupVersion::kV1;
  for (const Hierarchy& hierarchy : hierarchies_) {
    if ((hierarchy.controllers & kCpu) == 0) continue;
    const CpuScale& scale = v1 ? kCpuShares : kCpuWeight;
    RETURN_IF_ERROR(write_value(hierarchy.root.get(), id, scale.file, scaled(scale, share)));
  }
  return ok();
}

namespace {

// Read and written at its begin: what is kept open is read more than once.
std::uint64_t read_number(int file) {
  char text[32];
  const ssize_t size = ::pread(file, text, sizeof text, 0);
  std::uint64_t number = 0;
  if (size > 0) std::from_chars(text, text + size, number);
  return number;
}

}  // namespace

CgroupUsage CgroupTree::usage(SandboxId id, const UniqueFd& peak) const {
  const bool v1 = version_ == CgroupVersion::kV1;
  const int root = hierarchies_[0].root.get();
  CgroupUsage usage;
  const auto events =
      read_at(root, GroupName(id, v1 ? "memory.oom_control" : "memory.events").text);
  if (events) {
    // Version 2, memory.oom.group: oom_kill counts the first task twice, once as the victim and
    // once as a member of its group. Since Linux 5.17 a group's end is counted too (cgroup-v2).
    const std::uint64_t groups = value_of_key(*events, "oom_group_kill");
    usage.oom_kills = groups > 0 ? groups : value_of_key(*events, "oom_kill");
  }
  const UniqueFd opened = peak.valid() ? UniqueFd() : open_peak(id, O_RDONLY);
  const int file = peak.valid() ? peak.get() : opened.get();
  if (file >= 0) usage.memory_bytes_peak = read_number(file);
  return usage;
}

UniqueFd CgroupTree::open_peak(SandboxId id, int flags) const {
  const char* file = version_ == CgroupVersion::kV1 ? "memory.max_usage_in_bytes" : "memory.peak";
  return UniqueFd(
      ::openat(hierarchies_[0].root.get(), GroupName(id, file).text, flags | O_CLOEXEC));
}

Status CgroupTree::renew(SandboxId id, const SandboxLimits& from, bool share_changed,
                         UniqueFd& peak) {
  const bool v1 = version_ == CgroupVersion::kV1;
  ASSIGN_OR_RETURN(const std::string members,
                   read_at(hierarchies_[0].root.get(), GroupName(id, "cgroup.procs").text));
  if (!members.empty()) {
    return fail(ErrorCode::kFailedPrecondition, "renew cgroup: a process is in it");
  }
  UniqueFd file = v1 || !peak.valid() ? open_peak(id, O_RDWR) : std::move(peak);
  if (!file.valid()) return errno_error("renew cgroup: open peak");
  if (::pwrite(file.get(), "0", 1, 0) < 0) return errno_error("renew cgroup: reset peak");
  // Reset, the peak is what is charged now.
  if (read_number(file.get()) > leftover_bytes_max_) {
    return fail(ErrorCode::kResourceExhausted, "renew cgroup: memory is still charged to it");
  }
  RETURN_IF_ERROR(set_limits(id, from, SandboxLimits{}));
  if (share_changed) RETURN_IF_ERROR(set_cpu_share(id, kNewGroupShare));
  if (!v1) peak = std::move(file);
  return ok();
}

Status CgroupTree::remove(SandboxId id) {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (::unlinkat(hierarchy.root.get(), GroupName(id).text, AT_REMOVEDIR) == 0) continue;
    if (errno == ENOENT) continue;
    if (errno == EBUSY) return fail(ErrorCode::kUnavailable, "remove cgroup: still in use");
    return errno_error("remove cgroup " + hierarchy.path + "/" + GroupName(id).text);
  }
  return ok();
}

Status CgroupTree::remove_root() {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (!is_at(hierarchy.root.get(), hierarchy.path)) continue;
    if (::rmdir(hierarchy.path.c_str()) != 0 && errno != ENOENT) {
      return errno_error("remove cgroup " + hierarchy.path);
    }
  }
  return ok();
}

bool CgroupTree::accounts_swap(SandboxId id) const {
  if (version_ == CgroupVersion::kV1) return swap_accounting_;
  const int root = hierarchies_[0].root.get();
  return ::faccessat(root, GroupName(id, "memory.swap.max").text, F_OK, 0) == 0;
}

Result<UniqueFd> CgroupTree::open_directory(SandboxId id) const {
  UniqueFd directory(
      ::openat(hierarchies_[0].root.get(), GroupName(id).text, O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  if (!directory.valid()) return errno_error("open cgroup");
  return directory;
}

int CgroupTree::join_self(SandboxId id) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    const int error = write_at(hierarchy.root.get(), GroupName(id, "tasks").text, "0");
    if (error != 0) return error;
  }
  return 0;
}

}  // namespace subito::sandbox
