#include "runtime/bindings/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "runtime/base/check.h"

namespace subito::bindings {
namespace {

// After SIGKILL only the kernel's own cleaning up is left to wait for.
constexpr std::chrono::milliseconds kKillWait{2000};
// A pipe holds this much without a reader (pipe(7)).
constexpr std::size_t kInputBytesMax = 64 << 10;

// pidfd_open(2), pidfd_send_signal(2): glibc 2.36 has wrappers, older ones have not.
int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}
int send_signal(int pidfd, int number) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

bool wait_for_end(int pidfd, std::chrono::milliseconds bound) {
  pollfd watch{pidfd, POLLIN, 0};
  return poll(&watch, 1, static_cast<int>(bound.count())) > 0;
}

// dies_with_parent: PDEATHSIG must be set in the child, which posix_spawn cannot. setpriv can, and
// becomes the program. As root it also takes away every capability first: Redis runs the scripts of
// functions and needs none.
std::vector<std::string> with_setpriv(const std::vector<std::string>& arguments) {
  constexpr const char* kSetpriv = "/usr/bin/setpriv";
  if (access(kSetpriv, X_OK) != 0) return arguments;
  std::vector<std::string> all{kSetpriv, "--pdeathsig", "KILL", "--no-new-privs"};
  if (geteuid() == 0) {
    all.insert(all.end(), {"--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"});
  }
  all.insert(all.end(), {"--"});
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

struct SpawnSettings {
  SpawnSettings(int input, int output) {
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawnattr_init(&attributes) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, input, 0) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, output, 1) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&actions, output, 2) == 0);
    CHECK(posix_spawn_file_actions_addclosefrom_np(&actions, 3) == 0);
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    CHECK(posix_spawnattr_setsigdefault(&attributes, &all) == 0);
    CHECK(posix_spawnattr_setsigmask(&attributes, &none) == 0);
    CHECK(posix_spawnattr_setpgroup(&attributes, 0) == 0);
    CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETPGROUP) == 0);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// The reading end of a pipe that holds `input` and then ends.
Result<UniqueFd> filled_pipe(const std::string& input) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("make pipe");
  UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  CHECK(input.size() <= kInputBytesMax);
  if (write(writer.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    return errno_error("write pipe");
  }
  fcntl(reader.get(), F_SETFL, 0);
  return reader;
}

}  // namespace

Result<unsigned long long> process_start_ticks(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::string doing = "read start of process " + std::to_string(pid);
  // The name may contain anything, ')' too: fields count from the last one.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return fail(ErrorCode::kNotFound, doing + ": there is none");
  std::istringstream rest(line.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr std::size_t kState = 0;
  constexpr std::size_t kStart = 22 - 3;
  if (fields.size() <= kStart || fields[kState] == "Z") {
    return fail(ErrorCode::kNotFound, doing + ": it has ended");
  }
  return std::stoull(fields[kStart]);
}

bool end_process(const UniqueFd& pidfd, std::chrono::milliseconds grace) {
  if (send_signal(pidfd.get(), SIGTERM) != 0) return errno == ESRCH;
  if (wait_for_end(pidfd.get(), grace)) return true;
  send_signal(pidfd.get(), SIGKILL);
  return wait_for_end(pidfd.get(), kKillWait);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill_and_reap();
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Result<ChildProcess> ChildProcess::spawn(const std::vector<std::string>& arguments,
                                         const std::string& input, const UniqueFd& output) {
  CHECK(!arguments.empty());
  ASSIGN_OR_RETURN(const UniqueFd reader, filled_pipe(input));
  const SpawnSettings settings(reader.get(), output.get());
  std::vector<std::string> all = with_setpriv(arguments);
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ChildProcess child;
  const int error = posix_spawnp(&child.pid_, argv[0], &settings.actions, &settings.attributes,
                                 argv.data(), environ);
  if (error != 0) {
    child.pid_ = 0;
    return errno_error("start " + arguments.front(), error);
  }
  // Not reaped yet, so the pid is still its own.
  child.pidfd_.reset(open_pidfd(child.pid_));
  if (!child.pidfd_.valid()) return errno_error("open pidfd of " + arguments.front());
  return child;
}

void ChildProcess::signal(int number) const {
  if (running()) send_signal(pidfd_.get(), number);
}

std::string ChildProcess::reap() {
  CHECK(running());
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = 0;
  pidfd_.reset();
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

void ChildProcess::kill_and_reap() {
  if (!running()) return;
  if (pidfd_.valid()) {
    send_signal(pidfd_.get(), SIGKILL);
  } else {
    kill(pid_, SIGKILL);
  }
  (void)reap();
}

}  // namespace subito::bindings
