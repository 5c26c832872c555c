#include "deploy/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <ostream>
#include <utility>

namespace subito::cli {

namespace {

Result<pid_t> spawn(const std::vector<std::string>& command, int output, bool own_group) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  // We ignore SIGPIPE, which it would inherit.
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  const int group = own_group ? POSIX_SPAWN_SETPGROUP : 0;
  ::posix_spawnattr_setflags(
      &attributes, static_cast<short>(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group));
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return errno_error("run " + command[0], error);
  return pid;
}

struct Started {
  pid_t pid;
  UniqueFd output;
};

Result<Started> start(const std::vector<std::string>& command, bool own_group) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("run " + command[0]);
  UniqueFd output(ends[0]);
  const UniqueFd input(ends[1]);
  ASSIGN_OR_RETURN(const pid_t pid, spawn(command, input.get(), own_group));
  return Started{pid, std::move(output)};
}

// Keeps the last `bytes_max` of what was said.
void keep_last(ProgramEnd& end, std::size_t bytes_max) {
  if (end.output.size() <= bytes_max) return;
  const std::size_t cut = end.output.size() - bytes_max;
  end.output.erase(0, cut);
  end.cut_bytes += cut;
}

// One piece; false at the end.
bool read_piece(int fd, ProgramEnd& end, std::ostream* show) {
  std::array<char, 16 << 10> buffer{};
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  if (size <= 0) return size < 0 && errno == EINTR;
  const std::string_view piece(buffer.data(), static_cast<std::size_t>(size));
  end.output += piece;
  // Not at every piece: that would move the whole each time.
  if (end.output.size() > 2 * kProgramOutputBytesMax) keep_last(end, kProgramOutputBytesMax);
  if (show != nullptr) *show << piece << std::flush;
  return true;
}

// As shells count.
Result<int> wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return errno_error("wait for program");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<Program> Program::start(const std::vector<std::string>& command) {
  ASSIGN_OR_RETURN(Started started, cli::start(command, true));
  return Program(started.pid, std::move(started.output));
}

Program::Program(Program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::move(other.output_)),
      end_(std::move(other.end_)) {}

// As long as its leader is not waited for, the number of the group is nobody else's.
Program::~Program() {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + kProgramEndMax;
  for (bool more = true; more;) {  // the output ends when the last of them has
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd one{output_.get(), POLLIN, 0};
    more =
        left.count() > 0 && ::poll(&one, 1, static_cast<int>(left.count())) == 1 && read(nullptr);
  }
  ::kill(-pid_, SIGKILL);
  (void)wait_for(pid_);
}

bool Program::read(std::ostream* show) {
  return read_piece(output_.get(), end_, show);
}

Result<ProgramEnd> Program::wait() && {
  ASSIGN_OR_RETURN(end_.status, wait_for(std::exchange(pid_, -1)));
  keep_last(end_, kProgramOutputBytesMax);
  return std::move(end_);
}

Result<ProgramEnd> run_program(const std::vector<std::string>& command, std::ostream* show) {
  ASSIGN_OR_RETURN(const Started started, start(command, false));
  ProgramEnd end;
  while (read_piece(started.output.get(), end, show)) {
  }
  keep_last(end, kProgramOutputBytesMax);
  ASSIGN_OR_RETURN(end.status, wait_for(started.pid));
  return end;
}

std::string install_prefix() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  return own.parent_path().parent_path().string();
}

}  // namespace subito::cli
