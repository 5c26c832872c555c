#include "bench/patterns/memory.h"

#include <unistd.h>

#include <set>
#include <string>

#include "bench/kit/process_tree.h"
#include "bench/suites/density.h"

namespace subito::bench {

namespace {

constexpr std::uint64_t kKernelStackBytes = 16 << 10;  // x86-64, arm64: THREAD_SIZE

std::string proc_text(pid_t pid, const char* file) {
  return kernel_text("/proc/" + std::to_string(pid) + "/" + file);
}

}  // namespace

std::uint64_t memory_of(const std::vector<pid_t>& roots) {
  const std::string own = memory_group(proc_text(::getpid(), "cgroup"), "/sys/fs/cgroup");
  std::set<std::string> groups;
  std::uint64_t sum = 0;
  for (const pid_t pid : with_descendants(processes(), roots)) {
    sum += value_of(proc_text(pid, "smaps_rollup"), "Pss:") << 10;
    const std::string group = memory_group(proc_text(pid, "cgroup"), "/sys/fs/cgroup");
    if (group != own) {
      if (!group.empty()) groups.insert(group);
      continue;
    }
    const std::string status = proc_text(pid, "status");
    sum += (value_of(status, "VmPTE:") << 10) + value_of(status, "Threads:") * kKernelStackBytes;
  }
  for (const std::string& group : groups) {
    if (const auto charged = charged_to(group)) sum += charged->kernel_bytes;
  }
  return sum;
}

}  // namespace subito::bench
