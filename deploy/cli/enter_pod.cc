#include "deploy/cli/enter_pod.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "runtime/base/unique_fd.h"

namespace subito::cli {
namespace {

constexpr int kSignalExitBase = 128;  // as shells do
constexpr int kPodEndPatienceMs = 1000;

// Whoever listens on that socket, as this process would find it in /proc; 0: in no /proc of ours.
Result<pid_t> listener_of(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (!fd.valid() || path.size() >= sizeof address.sun_path ||
      path.copy(address.sun_path, path.size()) != path.size() ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno_error("reach node at " + path);
  }
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return errno_error("look at node at " + path);
  }
  return peer.pid;
}

pid_t parent_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  const std::string label = "PPid:";
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, label.size(), label) == 0) return std::stoi(line.substr(label.size()));
  }
  return 0;
}

bool has_ended(int pidfd, int within_ms) {
  pollfd process = {pidfd, POLLIN, 0};
  return ::poll(&process, 1, within_ms) != 0;
}

// Holds the process of the pod. It is one that the node's launcher started, or another has its
// number by now.
Result<UniqueFd> hold(const PodEntry& entry) {
  ASSIGN_OR_RETURN(const pid_t listener, listener_of(entry.socket_path));
  if (listener != entry.node_pid) {
    return fail(ErrorCode::kFailedPrecondition,
                "debug " + entry.pod +
                    ": its node runs on another machine or in a container; run this there");
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, entry.host_pid, 0)));
  const bool of_node = pidfd.valid() && parent_of(parent_of(entry.host_pid)) == entry.node_pid;
  if (!of_node || has_ended(pidfd.get(), 0)) {
    return fail(ErrorCode::kFailedPrecondition, "debug " + entry.pod + ": it has just ended");
  }
  return pidfd;
}

// What the child could not do: two numbers over a pipe that closes when it runs the program.
struct ChildFault {
  enum Step : int { kNone, kMount, kRun } step = kNone;
  int error = 0;
};

// Puts a process group into the foreground of the terminal.
void give_terminal(pid_t group) {
  // Who is in the background is stopped for it otherwise: tcsetpgrp(3).
  const auto before = std::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(STDIN_FILENO, group);
  std::signal(SIGTTOU, before);
}

[[noreturn]] void run_child(const PodEntry& entry, bool terminal, int report) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A parent that died before that has closed the other end.
  pollfd parent = {report, 0, 0};
  if (::poll(&parent, 1, 0) != 0) ::_exit(1);
  if (terminal) {
    // A group of its own: a shell would not find the one it is in, outside of its pid namespace.
    ::setpgid(0, 0);
    give_terminal(::getpgrp());
  }
  const auto give_up = [report](ChildFault::Step step) {
    const ChildFault fault{step, errno};
    [[maybe_unused]] const ssize_t told = ::write(report, &fault, sizeof fault);
    ::_exit(1);
  };
  // A mount namespace of its own, of which the host sees nothing, for a /proc of the pod's pids.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    give_up(ChildFault::kMount);
  }
  std::vector<char*> arguments;
  for (const std::string& word : entry.command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execvp(arguments[0], arguments.data());
  give_up(ChildFault::kRun);
  ::_exit(1);
}

int wait_for(pid_t child) {
  int status = 0;
  for (;;) {
    const pid_t changed = ::waitpid(child, &status, WUNTRACED);
    if (changed < 0 && errno == EINTR) continue;
    if (changed < 0 || !WIFSTOPPED(status)) break;
    ::kill(-child, SIGCONT);  // nobody else could wake it
    ::kill(child, SIGCONT);
  }
  return WIFSIGNALED(status) ? kSignalExitBase + WTERMSIG(status) : WEXITSTATUS(status);
}

Status fault_of(const PodEntry& entry, const ChildFault& fault) {
  switch (fault.step) {
    case ChildFault::kMount:
      return errno_error("debug " + entry.pod + ": mount its /proc", fault.error);
    case ChildFault::kRun:
      return errno_error("debug " + entry.pod + ": run " + entry.command[0], fault.error);
    case ChildFault::kNone:
      break;
  }
  return ok();
}

}  // namespace

Result<PodVisit> enter_pod(const PodEntry& entry) {
  ASSIGN_OR_RETURN(const UniqueFd pod, hold(entry));
  // setns(2): the pid namespace becomes that of children alone.
  constexpr int kJoined =
      CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (::setns(pod.get(), kJoined) != 0) {
    return errno_error("debug " + entry.pod + ": join its namespaces");
  }
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return errno_error("debug " + entry.pod);
  UniqueFd reads(report[0]);
  UniqueFd writes(report[1]);
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  const pid_t child = ::fork();
  if (child < 0) return errno_error("debug " + entry.pod + ": start a process in it");
  if (child == 0) {
    reads.reset();
    run_child(entry, terminal, writes.get());
  }
  writes.reset();
  ChildFault fault;
  const bool failed = ::read(reads.get(), &fault, sizeof fault) == sizeof fault;
  PodVisit visit;
  visit.exit_code = wait_for(child);
  if (terminal) give_terminal(::getpgrp());
  if (failed) RETURN_IF_ERROR(fault_of(entry, fault));
  // The pod's first process is the last to go.
  visit.pod_ended =
      visit.exit_code == kSignalExitBase + SIGKILL && has_ended(pod.get(), kPodEndPatienceMs);
  return visit;
}

}  // namespace subito::cli
