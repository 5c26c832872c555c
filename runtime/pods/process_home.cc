#include "runtime/pods/process_home.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "runtime/base/check.h"

namespace subito::pods {
namespace {

constexpr int kChannelFd = 3;

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<SocketPair> make_socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return errno_error("make socket pair");
  }
  SocketPair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  return pair;
}

// posix_spawn(3) with the descriptors of a pod in place: it never forks the caller's memory.
Result<pid_t> spawn(const PodSpec& spec, int channel, int stdio) {
  std::vector<char*> argv{const_cast<char*>(spec.name.c_str())};
  for (const std::string& arg : spec.args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> variables = variables_of(spec);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, stdio, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, stdio, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, channel, kChannelFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, spec.artefact_path.c_str(), &actions, &attributes,
                                  argv.data(), envp.data());
  wipe_all(variables);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return errno_error("start process " + spec.artefact_path, error);
  return pid;
}

}  // namespace

struct ProcessHome::Process {
  pid_t pid = -1;
  UniqueFd pidfd;
  std::unique_ptr<Poll> ended;
};

ProcessHome::ProcessHome(Loop& loop, HomeEvents& events) : loop_(loop), events_(events) {}

ProcessHome::~ProcessHome() {
  for (auto& [id, process] : processes_) {
    ::kill(process->pid, SIGKILL);
    ::waitpid(process->pid, nullptr, 0);
  }
}

Result<StartedPod> ProcessHome::start(const PodSpec& spec) {
  if (spec.grants && spec.grants->files.valid())
    return fail(ErrorCode::kFailedPrecondition,
                "start process: it has no /tmp of its own for granted files");
  ASSIGN_OR_RETURN(SocketPair channel, make_socket_pair());
  ASSIGN_OR_RETURN(SocketPair stdio, make_socket_pair());
  // Above the numbers that the child's dup2 calls fill, so that none overwrites the other.
  const UniqueFd channel_end(::fcntl(channel.theirs.get(), F_DUPFD_CLOEXEC, 10));
  const UniqueFd stdio_end(::fcntl(stdio.theirs.get(), F_DUPFD_CLOEXEC, 10));
  ASSIGN_OR_RETURN(const pid_t pid, spawn(spec, channel_end.get(), stdio_end.get()));

  auto process = std::make_unique<Process>();
  process->pid = pid;
  process->pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  CHECK(process->pidfd.valid());
  process->ended = std::make_unique<Poll>(loop_, process->pidfd.get(),
                                          [this, pod = spec.id](int, int) { reap(pod); });
  process->ended->start(UV_READABLE);
  processes_.emplace(spec.id, std::move(process));
  return StartedPod{std::move(channel.ours), std::move(stdio.ours), StartMode::kProcess};
}

void ProcessHome::kill(PodId pod) {
  if (const auto it = processes_.find(pod); it != processes_.end()) {
    ::kill(it->second->pid, SIGKILL);
  }
}

void ProcessHome::ask_where(PodId pod) {
  if (const auto it = processes_.find(pod); it != processes_.end()) {
    ::kill(it->second->pid, SIGABRT);
  }
}

pid_t ProcessHome::host_pid(PodId pod) const {
  const auto it = processes_.find(pod);
  return it == processes_.end() ? 0 : it->second->pid;
}

void ProcessHome::reap(PodId pod) {
  const auto it = processes_.find(pod);
  if (it == processes_.end()) return;
  int status = 0;
  if (::waitpid(it->second->pid, &status, WNOHANG) <= 0) return;
  it->second->ended.reset();
  processes_.erase(it);
  PodExit exit;
  exit.pod = pod;
  if (WIFSIGNALED(status)) {
    exit.cause = PodExit::Cause::kSignalled;
    exit.code = WTERMSIG(status);
  } else {
    exit.code = WEXITSTATUS(status);
  }
  events_.on_pod_exited(exit);
}

}  // namespace subito::pods
