#include "runtime/node/e2e/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace subito::e2e {
namespace {

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string scratch_file() {
  static std::atomic<int> count = 0;
  return "/tmp/e2e-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const std::string& out_file,
             const std::string& err_file) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, 1, out_file.c_str(), kFlags, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err_file.c_str(), kFlags, 0600);
  if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

Child::~Child() {
  if (!running()) return;
  signal(SIGKILL);
  wait();
}

bool Child::running() {
  if (pid_ <= 0 || exit_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_ = exit_code_of(status);
  return false;
}

void Child::signal(int number) const {
  if (pid_ > 0 && !exit_) ::kill(pid_, number);
}

std::optional<int> Child::wait(milliseconds limit) {
  (void)eventually([this] { return !running(); }, limit);
  return exit_;
}

Ran run_program(const std::vector<std::string>& arguments, milliseconds limit) {
  const std::string file = scratch_file();
  Ran ran;
  {
    Child child(arguments, file + ".out", file + ".err");
    ran.exit_code = child.wait(limit).value_or(-1);
  }
  ran.out = read_file(file + ".out");
  ran.err = read_file(file + ".err");
  ::unlink((file + ".out").c_str());
  ::unlink((file + ".err").c_str());
  return ran;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code ignored;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
    std::istringstream line(read_file(task.path() / "children"));
    for (pid_t child = 0; line >> child;) children.push_back(child);
  }
  return children;
}

std::string executable_of(pid_t pid) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", ignored);
}

std::size_t open_descriptors(pid_t pid) {
  std::error_code ignored;
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd", ignored);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

std::uint64_t memory_line_bytes(pid_t pid, const std::string& file, const std::string& name) {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid) + "/" + file));
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, name.size(), name) == 0) return std::stoull(line.substr(name.size())) << 10;
  }
  return 0;
}

void reset_peak(pid_t pid) {
  write_file("/proc/" + std::to_string(pid) + "/clear_refs", "5");  // proc(5)
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::size_t reap_orphans() {
  for (;;) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid <= 0) break;
  }
  return children_of(::getpid()).size();
}

}  // namespace subito::e2e
