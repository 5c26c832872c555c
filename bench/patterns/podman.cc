#include "bench/patterns/podman.h"

#include <unistd.h>

#include <csignal>
#include <fstream>

#include "bench/kit/process_tree.h"
#include "bench/patterns/running.h"

namespace subito::bench {

namespace {

constexpr std::chrono::seconds kPodmanEndMax{10};
constexpr const char* kGroup = "subito-bench-podman";

// runc, for crun refuses mixed hosts. Locks in files: those in memory would stay in /dev/shm.
// Limits of open files and processes are podman's own to raise, which not every host allows.
constexpr const char* kConfiguration = R"([engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
)";

}  // namespace

Podman::Podman(std::string home, ContainerProcess process)
    : home_(std::move(home)), process_(std::move(process)), group_(kGroup) {}

Result<Podman> Podman::prepare(const std::string& folder, const std::string& binary,
                               ContainerProcess process) {
  if (!is_installed("podman")) {
    return fail(ErrorCode::kNotFound, "podman is not installed: apt-get install podman runc");
  }
  const std::string home = folder + "/podman";
  RETURN_IF_ERROR(make_container_root(folder, home + "/root",
                                      {"/proc", "/dev", "/tmp", "/run", "/sys"}, binary,
                                      process.arguments.front()));
  std::ofstream(home + "/containers.conf") << kConfiguration;
  std::ofstream environment(home + "/environment");
  for (const std::string& line : process.environment) environment << line << '\n';
  if (!environment.flush()) return fail(ErrorCode::kUnavailable, "write " + home + "/environment");
  return Podman(home, std::move(process));
}

// podman run as the first process of a namespace that the kernel ends when unshare(1) is killed,
// as it is when we are. So nothing of a container outlives us.
Command Podman::next() {
  std::vector<std::string> words = {"setpriv",
                                    "--pdeathsig",
                                    "KILL",
                                    "unshare",
                                    "--pid",
                                    "--mount",
                                    "--fork",
                                    "--kill-child=KILL",
                                    "--mount-proc",
                                    "env",
                                    "CONTAINERS_CONF=" + home_ + "/containers.conf",
                                    "podman",
                                    "--root",
                                    home_ + "/data",
                                    "--runroot",
                                    home_ + "/state",
                                    "--tmpdir",
                                    home_ + "/temporary",
                                    "--storage-driver",
                                    "vfs",
                                    "run",
                                    "--rm",
                                    "--name",
                                    "catalogue-" + std::to_string(++number_),
                                    "--cgroup-parent",
                                    std::string("/") + kGroup,
                                    "--network",
                                    "host",
                                    "--no-hosts",
                                    "--hostname",
                                    "pod",
                                    "--env-file",
                                    home_ + "/environment",
                                    "--user",
                                    "65534:65534",
                                    "--log-driver",
                                    "none"};
  const std::vector<std::string> limits = engine_limits();
  words.insert(words.end(), limits.begin(), limits.end());
  words.insert(words.end(), {"--rootfs", home_ + "/root"});
  words.insert(words.end(), process_.arguments.begin(), process_.arguments.end());
  return {"setpriv", std::move(words)};
}

// unshare(1) ignores SIGTERM while it waits; podman passes it on to the container.
void Podman::end(Child& child) {
  if (const pid_t podman = first_child_of(child.pid()); podman > 0) ::kill(podman, SIGTERM);
  (void)child.end(kPodmanEndMax);
}

}  // namespace subito::bench
