#include "bench/peers/install.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "bench/interrupt.h"
#include "bench/peers/nginx.h"
#include "bench/peers/peer.h"
#include "bench/peers/tools.h"

extern char** environ;

namespace subito::bench {

namespace {

constexpr const char* kPolicy = "/usr/sbin/policy-rc.d";
constexpr const char* kPolicyText =
    "#!/bin/sh\n# subito bench peers --install, removed when it ends\nexit 101\n";
constexpr int kForbids = 101;

// Its output is ours; an interrupt is for it, and ends it.
Result<int> run_visibly(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& one : arguments) pointers.push_back(const_cast<char*>(one.c_str()));
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, pointers[0], nullptr, nullptr, pointers.data(), environ);
  if (error != 0) return errno_error("run " + arguments.front(), error);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Status succeeded(const Result<int>& code, const std::string& doing) {
  if (!code) return code.error();
  if (*code == 0) return ok();
  return fail(ErrorCode::kFailedPrecondition, doing + ": exit code " + std::to_string(*code));
}

// While it lives, packages start no service.
class NoServices {
 public:
  static Result<NoServices> forbid() {
    // Created by us alone, or not at all.
    const int fd = ::open(kPolicy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (fd < 0 && errno != EEXIST) return errno_error(std::string("write ") + kPolicy);
    if (fd < 0) {
      const auto code = run_visibly({kPolicy, "nginx", "start"});
      if (code && *code == kForbids) return NoServices(false);
      return fail(ErrorCode::kFailedPrecondition, std::string("forbid services: there is a ") +
                                                      kPolicy +
                                                      " that may allow them; move it away first");
    }
    const std::string text = kPolicyText;
    const bool written = ::write(fd, text.data(), text.size()) == ssize_t(text.size());
    ::close(fd);
    NoServices made(true);
    if (!written) return fail(ErrorCode::kInternal, std::string("write ") + kPolicy);
    return made;
  }
  NoServices(NoServices&& other) noexcept : ours_(std::exchange(other.ours_, false)) {}
  NoServices& operator=(NoServices&&) = delete;
  ~NoServices() {
    if (ours_) ::unlink(kPolicy);
  }

 private:
  explicit NoServices(bool ours) : ours_(ours) {}
  bool ours_;
};

Status install_debian(const std::vector<std::string>& packages) {
  if (packages.empty()) return ok();
  if (::geteuid() != 0) {
    return fail(ErrorCode::kFailedPrecondition, "install Debian packages: this needs root");
  }
  ASSIGN_OR_RETURN(const NoServices forbidden, NoServices::forbid());
  RETURN_IF_ERROR(succeeded(run_visibly({"apt-get", "-qq", "update"}), "fetch package lists"));
  std::vector<std::string> command = {"env",     "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq",
                                      "install", "--no-install-recommends",        "-y"};
  command.insert(command.end(), packages.begin(), packages.end());
  return succeeded(run_visibly(command), "install Debian packages");
}

Status install_npm(const std::vector<std::string>& packages) {
  if (packages.empty()) return ok();
  const std::string folder = peer_packages();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return errno_error("make folder " + folder, error.value());
  std::vector<std::string> command = {"npm",        "install",   "--prefix",        folder,
                                      "--no-audit", "--no-fund", "--loglevel=error"};
  command.insert(command.end(), packages.begin(), packages.end());
  return succeeded(run_visibly(command), "install npm packages (npm is a package of Debian)");
}

}  // namespace

PeerPackages missing_packages() {
  PeerPackages missing;
  if (!Nginx::version()) missing.debian.emplace_back("nginx");
  for (const PeerPlan& plan : peer_plans()) {
    if (find_peer(plan)) continue;
    (plan.npm ? missing.npm : missing.debian).emplace_back(plan.package);
  }
  for (const Tool& tool : tools()) {
    if (find_in_path(tool.name).empty()) missing.debian.emplace_back(tool.package);
  }
  return missing;
}

Status install(const PeerPackages& packages) {
  RETURN_IF_ERROR(install_debian(packages.debian));
  if (Interrupt::happened()) return fail(ErrorCode::kCancelled, "install peers: interrupted");
  return install_npm(packages.npm);
}

}  // namespace subito::bench
