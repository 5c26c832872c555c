#include "runtime/sandbox/sandbox_test_util.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/packet_socket.h"

namespace subito::sandbox::testing {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

long value_in(const std::string& path, const std::string& key) {
  const std::string text = text_in(path, key);
  return text.empty() ? -1 : std::stol(text);
}

bool is_zombie(const std::string& directory) {
  return read_text(directory + "/status").find("State:\tZ") != std::string::npos;
}

}  // namespace

std::string text_in(const std::string& path, const std::string& key) {
  std::istringstream status(read_text(path));
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t begin = line.find_first_not_of(" \t", key.size());
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

namespace {

std::string cpu_share_of_group(const std::string& group) {
  const std::string v1 = read_text("/sys/fs/cgroup/cpu" + group + "/cpu.shares");
  const std::string text = v1.empty() ? read_text("/sys/fs/cgroup" + group + "/cpu.weight") : v1;
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string cpu_share_in_kernel(const std::string& node_id, SandboxId id) {
  return cpu_share_of_group("/subito-" + node_id + "/pod-" + std::to_string(id.value()));
}

std::string cpu_share_of_all_in_kernel(const std::string& node_id) {
  return cpu_share_of_group("/subito-" + node_id);
}

bool keeps_cgroups() {
  utsname kernel{};
  ::uname(&kernel);
  int major = 0;
  int minor = 0;
  std::sscanf(kernel.release, "%d.%d", &major, &minor);
  return detect_cgroup_version("/sys/fs/cgroup").value() == CgroupVersion::kV1 || major > 6 ||
         (major == 6 && minor >= 12);
}

bool stops(pid_t pid) {
  const std::string status = "/proc/" + std::to_string(pid) + "/status";
  return ::kill(pid, SIGSTOP) == 0 &&
         eventually([&] { return text_in(status, "State:").starts_with('T'); });
}

namespace {

// Below a directory; nothing: one went while it was walked.
std::optional<int> count_directories(const std::string& root) {
  int count = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    if (it->is_directory(gone)) ++count;
  }
  return error ? std::nullopt : std::optional(count);
}

}  // namespace

int count_cgroups(const std::string& node_id) {
  int count = 0;
  for (const char* hierarchy : {"", "/memory", "/pids", "/cpu", "/unified"}) {
    const std::string root = std::string("/sys/fs/cgroup") + hierarchy + "/subito-" + node_id;
    std::error_code error;
    while (fs::is_directory(root, error)) {
      const auto below = count_directories(root);
      if (!below) continue;  // walked anew: a count of a part would look like fewer
      count += 1 + *below;
      break;
    }
  }
  return count;
}

int count_processes_of(std::uint32_t first, std::uint32_t count) {
  int found = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const long uid = value_in(entry.path() / "status", "Uid:");
    // Dead, and left to init, which takes its time: no longer ours.
    if (value_in(entry.path() / "status", "PPid:") == 1 && is_zombie(entry.path())) continue;
    if (uid >= static_cast<long>(first) && uid < static_cast<long>(first) + count) ++found;
  }
  return found;
}

int count_descriptors(pid_t pid) {
  const fs::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

int count_mounts(pid_t pid) {
  const std::string text = read_text("/proc/" + std::to_string(pid) + "/mountinfo");
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

// Not VmRSS, which is counted per cpu and may be some hundred KiB off.
long resident_kib(pid_t pid) {
  return value_in("/proc/" + std::to_string(pid) + "/smaps_rollup", "Rss:");
}

UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool ends_within(const UniqueFd& pidfd, std::chrono::milliseconds deadline) {
  pollfd ended = {pidfd.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(deadline.count())) == 1;
}

namespace {

[[noreturn]] void become_outside(int binary, int output, int channel,
                                 const std::vector<std::string>& argv) {
  const bool apart = ::unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) == 0 &&
                     ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                     ::mount("tmp", "/tmp", "tmpfs", 0, "size=1m") == 0;
  if (!apart) ::_exit(99);
  ::dup2(output, 1);
  ::dup2(channel, 3);
  std::vector<char*> arguments;
  for (const std::string& text : argv) arguments.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  char* const none[] = {nullptr};
  ::syscall(SYS_execveat, binary, "", arguments.data(), none, AT_EMPTY_PATH);
  ::_exit(98);
}

}  // namespace

std::string run_outside(const std::vector<std::string>& argv, int passed) {
  const UniqueFd binary(::open(SUBITO_ESCAPE_POD_PATH, O_PATH));
  int output[2];
  int channel[2];
  if (::pipe2(output, O_CLOEXEC) != 0 ||
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) {
    return "no pipe";
  }
  // High numbers: dup2 to 1 and 3 must not meet them.
  const UniqueFd write_end(::fcntl(output[1], F_DUPFD_CLOEXEC, 10));
  const UniqueFd pod_end(::fcntl(channel[1], F_DUPFD_CLOEXEC, 10));
  const UniqueFd binary_high(::fcntl(binary.get(), F_DUPFD_CLOEXEC, 10));
  if (passed >= 0) send_packet(channel[0], "x", 1, nullptr, 0, &passed, 1, 0);
  const pid_t child = ::fork();
  if (child == 0) become_outside(binary_high.get(), write_end.get(), pod_end.get(), argv);
  ::waitpid(child, nullptr, 0);
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);
  char text[4096];
  const ssize_t size = ::read(output[0], text, sizeof text);
  for (const int fd : {output[0], output[1], channel[0], channel[1]}) ::close(fd);
  return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace subito::sandbox::testing
