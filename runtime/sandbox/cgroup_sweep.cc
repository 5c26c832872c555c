// sweep_node: the second line of defence against what a dead node left.
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>

#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/cgroup_files.h"

namespace subito::sandbox {
namespace {

constexpr useconds_t kPauseUs = 5'000;

// The groups below `path` and itself, children first.
void list_groups(const std::string& path, std::vector<std::string>& groups) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
      list_groups(path + "/" + entry->d_name, groups);
    }
  }
  groups.push_back(path);
}

// A pid may be someone else's by the time the signal goes: hold it by pidfd, look again, then kill.
bool kill_member(const std::string& group, pid_t pid) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return false;
  const auto again = read_at(AT_FDCWD, (group + "/cgroup.procs").c_str());
  if (!again || ("\n" + *again).find("\n" + std::to_string(pid) + "\n") == std::string::npos) {
    return false;
  }
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) == 0;
}

std::uint32_t kill_members(const std::string& group) {
  std::uint32_t killed = 0;
  const auto members = read_at(AT_FDCWD, (group + "/cgroup.procs").c_str());
  if (!members) return 0;
  // Version 2 can do it at once, against fork too. 0 in the list: a process outside our pid
  // namespace.
  const bool at_once = write_at(AT_FDCWD, (group + "/cgroup.kill").c_str(), "1") == 0;
  std::istringstream lines(*members);
  for (pid_t pid = 0; lines >> pid;) {
    if (pid <= 0 || pid == ::getpid()) continue;
    if (at_once || kill_member(group, pid)) ++killed;
  }
  return killed;
}

bool sweep_once(const std::string& root, SweepReport& report) {
  std::vector<std::string> groups;
  list_groups(root, groups);
  bool clean = true;
  for (const std::string& group : groups) {
    if (::rmdir(group.c_str()) == 0) {
      ++report.cgroups_removed;
      continue;
    }
    if (errno == ENOENT) continue;
    report.processes_killed += kill_members(group);
    clean = false;
  }
  return clean;
}

}  // namespace

Result<SweepReport> sweep_node(const std::string& mount_root, const std::string& node_id,
                               std::chrono::milliseconds deadline) {
  if (!valid_node_id(node_id)) {
    return fail(ErrorCode::kInvalidArgument, "sweep cgroups: node id is not [a-z0-9-]{1,40}");
  }
  const auto end = std::chrono::steady_clock::now() + deadline;
  SweepReport report;
  for (const char* hierarchy : {"", "/memory", "/pids", "/cpu", "/unified"}) {
    const std::string root = mount_root + hierarchy + "/subito-" + node_id;
    while (!sweep_once(root, report)) {
      if (std::chrono::steady_clock::now() > end) {
        return fail(ErrorCode::kDeadlineExceeded, "sweep cgroups: " + root + " does not empty");
      }
      ::usleep(kPauseUs);
    }
  }
  return report;
}

}  // namespace subito::sandbox
