#include "bench/child.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "runtime/base/check.h"

namespace subito::bench {

namespace {

constexpr int kChannelFd = 3;
constexpr std::size_t kCloneStackBytes = 64 << 10;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

struct FileActions {
  FileActions() { ::posix_spawn_file_actions_init(&actions); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions;
};

Result<Child> posix_spawn_start(const Command& command, const Descriptors& given) {
  FileActions files;
  ::posix_spawn_file_actions_adddup2(&files.actions, given.input, 0);
  ::posix_spawn_file_actions_adddup2(&files.actions, given.output, 1);
  ::posix_spawn_file_actions_adddup2(&files.actions, given.output, 2);
  ::posix_spawn_file_actions_adddup2(&files.actions, given.channel, kChannelFd);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, command.path.c_str(), &files.actions, nullptr,
                                  pointers(command.arguments).data(), environ);
  if (error != 0) return errno_error("spawn " + command.path, error);
  return Child(pid);
}

// What the child of the clone does; it shares our memory, so that errno is told in it.
struct CloneChild {
  const Descriptors* given;
  int binary;
  char** arguments;
  int error = 0;
};

[[noreturn]] void run_clone_child(void* user) {
  auto& child = *static_cast<CloneChild*>(user);
  const Descriptors& given = *child.given;
  if (::dup2(given.input, 0) >= 0 && ::dup2(given.output, 1) >= 0 && ::dup2(given.output, 2) >= 0 &&
      ::dup2(given.channel, kChannelFd) >= 0) {
    ::syscall(SYS_execveat, child.binary, "", child.arguments, environ, AT_EMPTY_PATH);
  }
  child.error = errno;
  ::_exit(127);
}

// clone3(2) has no wrapper in glibc 2.36, and a child with a stack of its own cannot return through
// ours: it calls `function` straight after the system call.
long clone3_call(clone_args& arguments, void (*function)(void*), void* user) {
  long result = SYS_clone3;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %[user], %%rdi\n\t"
      "call *%[function]\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(&arguments), "S"(sizeof arguments), [function] "r"(function), [user] "r"(user)
      : "rcx", "r11", "memory");
  return result;
}

Result<Child> clone_start(const Command& command, int binary, const Descriptors& given) {
  alignas(16) static char stack[kCloneStackBytes];  // the parent waits until it is free again
  CHECK(binary > kChannelFd);
  std::vector<char*> arguments = pointers(command.arguments);
  CloneChild child{&given, binary, arguments.data()};
  clone_args clone{};
  clone.flags = CLONE_VM | CLONE_VFORK;
  clone.exit_signal = SIGCHLD;
  clone.stack = reinterpret_cast<std::uint64_t>(stack);
  clone.stack_size = sizeof stack;
  const long pid = clone3_call(clone, run_clone_child, &child);
  if (pid < 0) return errno_error("clone for " + command.path, static_cast<int>(-pid));
  Child started(static_cast<pid_t>(pid));
  if (child.error != 0) return errno_error("execute " + command.path, child.error);
  return started;
}

// fork: never timed. The parent's death is looked for twice, as it may come before the prctl.
Result<Child> fork_start(const Command& command, int output, int errors, bool own_group) {
  std::vector<char*> arguments = pointers(command.arguments);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork for " + command.path);
  if (pid > 0) return Child(pid);
  if (own_group) ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (::dup2(input, 0) >= 0 && ::dup2(output, 1) >= 0 && ::dup2(errors, 2) >= 0) {
    ::execvp(command.path.c_str(), arguments.data());
  }
  ::_exit(127);
}

}  // namespace

Child& Child::operator=(Child&& other) noexcept {
  (void)end(std::chrono::milliseconds(0));
  pid_ = std::exchange(other.pid_, -1);
  return *this;
}

void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

Result<int> Child::end(std::chrono::milliseconds grace) {
  if (pid_ <= 0) return 0;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd gone = {pidfd.get(), POLLIN, 0};
  int ready = 0;
  do {  // again after a signal: what was begun is ended in order
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    ready = ::poll(&gone, 1, static_cast<int>(std::max<long>(ms, 0)));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (ready <= 0) return fail(ErrorCode::kDeadlineExceeded, "end process: it had to be killed");
  return status;
}

Result<Child> start(StartBy how, const Command& command, int binary, const Descriptors& given) {
  return how == StartBy::kClone ? clone_start(command, binary, given)
                                : posix_spawn_start(command, given);
}

Result<UniqueFd> open_binary(const std::string& path) {
  const UniqueFd low(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!low.valid()) return errno_error("open " + path);
  UniqueFd high(::fcntl(low.get(), F_DUPFD_CLOEXEC, kChannelFd + 1));
  if (!high.valid()) return errno_error("open " + path);
  return high;
}

Result<Finished> run(const Command& command, std::chrono::seconds timeout) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("make pipe");
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  ASSIGN_OR_RETURN(Child child, fork_start(command, write_end.get(), write_end.get(), false));
  write_end.reset();
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  Finished finished;
  char buffer[4096];
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable = {read_end.get(), POLLIN, 0};
    const int ready = ::poll(&readable, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    const ssize_t size = ::read(read_end.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    if (finished.output.size() < kOutputBytesMax) {
      finished.output.append(buffer, static_cast<std::size_t>(size));
    }
  }
  ASSIGN_OR_RETURN(const int status, child.end(std::chrono::ceil<std::chrono::milliseconds>(
                                         deadline - std::chrono::steady_clock::now())));
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

Result<Child> start_service(const Command& command, UniqueFd& output, int errors) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("make pipe");
  output.reset(ends[0]);
  const UniqueFd write_end(ends[1]);
  return fork_start(command, write_end.get(), errors, true);
}

Result<std::string> read_line(int fd, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string line;
  char buffer[512];
  while (line.find('\n') == line.npos) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable = {fd, POLLIN, 0};
    const int ready = ::poll(&readable, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready < 0) return fail(ErrorCode::kCancelled, "interrupted");
    if (ready == 0) return fail(ErrorCode::kDeadlineExceeded, "it said nothing in time");
    const ssize_t size = ::read(fd, buffer, sizeof buffer);
    if (size <= 0) return fail(ErrorCode::kUnavailable, "it ended");
    line.append(buffer, static_cast<std::size_t>(size));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace subito::bench
