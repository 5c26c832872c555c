#include "bench/patterns/daemon.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/node_client.h"
#include "runtime/base/check.h"

namespace subito::bench {

namespace {

namespace files = std::filesystem;

constexpr std::chrono::seconds kDaemonStartMax{30};
constexpr std::chrono::seconds kDaemonStopMax{30};
constexpr std::chrono::milliseconds kDaemonPoll{100};

std::string last_line(const std::string& file) {
  std::ifstream stream(file);
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// unshare(1) ignores SIGTERM while it waits, so that it is to be killed when we are; then its child
// gets SIGTERM, ends its containers and goes.
std::vector<std::string> daemon_words(const std::string& folder, const std::string& group) {
  return {"setpriv",
          "--pdeathsig",
          "KILL",
          "unshare",
          "--net",
          "--mount",
          "--pid",
          "--fork",
          "--kill-child=SIGTERM",
          "--mount-proc",
          "sh",
          "-c",
          "mount -t tmpfs run /run && exec \"$@\"",
          "sh",
          "dockerd",
          "--data-root",
          folder + "/data",
          "--exec-root",
          folder + "/exec",
          "--pidfile",
          folder + "/pid",
          "--host",
          "unix://" + folder + "/d.sock",
          "--cgroup-parent",
          "/" + group};
}

}  // namespace

Result<Daemon> Daemon::start(const std::string& folder) {
  std::error_code error;
  files::remove_all(folder, error);
  if (!error) files::create_directories(folder, error);
  if (error) return errno_error("make " + folder, error.value());
  const std::string log = folder + "/log";
  const UniqueFd errors(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!errors.valid()) return errno_error("open " + log);
  UniqueFd output;
  ASSIGN_OR_RETURN(Child child,
                   start_service({"setpriv", daemon_words(folder, kGroup)}, output, errors.get()));
  Daemon daemon(folder, std::move(child), std::move(output));
  RETURN_IF_ERROR(daemon.await_ready());
  ASSIGN_OR_RETURN(
      const Finished up,
      run({"nsenter", {"nsenter", "--net=" + daemon.network(), "ip", "link", "set", "lo", "up"}}));
  if (up.exit_code == 0) return daemon;
  return fail(ErrorCode::kFailedPrecondition, "set up the daemon's network: " + up.output);
}

Daemon::Daemon(Daemon&& other) noexcept
    : folder_(std::exchange(other.folder_, "")),
      child_(std::move(other.child_)),
      output_(std::move(other.output_)),
      group_(std::move(other.group_)) {}

Daemon::~Daemon() {
  if (folder_.empty()) return;
  if (const pid_t own = first(); own > 0) ::kill(own, SIGTERM);
  (void)child_.end(kDaemonStopMax);
  std::error_code ignored;
  files::remove_all(folder_, ignored);
}

std::string Daemon::network() const {
  return "/proc/" + std::to_string(first()) + "/ns/net";
}

Status Daemon::await_ready() const {
  const auto deadline = std::chrono::steady_clock::now() + kDaemonStartMax;
  bool was_there = false;
  while (std::chrono::steady_clock::now() < deadline) {
    if (docker({"info"})) return ok();
    const bool there = first() > 0;
    if (was_there && !there) break;
    was_there = there;
    if (!rest(kDaemonPoll)) return fail(ErrorCode::kCancelled, "start dockerd: interrupted");
  }
  return fail(ErrorCode::kUnavailable,
              "start dockerd: it does not answer: " + last_line(folder_ + "/log"));
}

Result<std::string> Daemon::docker(std::vector<std::string> words) const {
  const std::string what = words.front();
  words.insert(words.begin(), {"docker", "--host", host()});
  ASSIGN_OR_RETURN(Finished finished, run({"docker", std::move(words)}));
  if (finished.exit_code == 0) return std::move(finished.output);
  return fail(ErrorCode::kFailedPrecondition, "docker " + what + ": " + finished.output);
}

Result<NetworkStay> NetworkStay::enter(const std::string& network) {
  if (network.empty()) return NetworkStay(UniqueFd());
  UniqueFd home(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  const UniqueFd away(::open(network.c_str(), O_RDONLY | O_CLOEXEC));
  if (!home.valid() || !away.valid()) return errno_error("open network " + network);
  if (::setns(away.get(), CLONE_NEWNET) != 0) return errno_error("enter network " + network);
  return NetworkStay(std::move(home));
}

NetworkStay::~NetworkStay() {
  // setns(2) to where we came from fails for want of memory alone.
  if (home_.valid()) CHECK(::setns(home_.get(), CLONE_NEWNET) == 0);
}

}  // namespace subito::bench
