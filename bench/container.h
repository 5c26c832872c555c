// Container: an OCI bundle with nothing but the function's binary in it, and how runc or crun is
// told to run it. The function gets its request on descriptor 3 (--preserve-fds), as a pod does, so
// that what is timed is the very same conversation. Namespaces, a read-only root, no capabilities,
// no_new_privs, the memory and pids limits of a pod; no seccomp filter, which only flatters them.
// bubblewrap is told the same by arguments, and knows no limits.
#pragma once

#include <string>
#include <vector>

#include "bench/child.h"
#include "runtime/base/result.h"

namespace subito::bench {

// What runs in it, as /function.
struct ContainerProcess {
  std::vector<std::string> arguments = {"/function"};
  std::vector<std::string> environment{};  // NAME=VALUE
  bool host_network = false;               // and no descriptor 3: it listens
};

class Container {
 public:
  // `runtime`: "runc", "crun" or "bwrap", found in PATH (kNotFound). `folder` must outlive it.
  static Result<Container> prepare(const std::string& runtime, const std::string& folder,
                                   const std::string& binary, ContainerProcess process = {});

  Command next();  // runs a container that never was before
  // Removes what is left of the last one, if anything is.
  void clean();

  const std::string& version() const { return version_; }

 private:
  Container() = default;
  bool bubblewrap() const;
  std::vector<std::string> with_root(std::vector<std::string> arguments) const;

  ContainerProcess process_;
  std::string runtime_path_;
  std::string version_;
  std::string bundle_;
  std::string state_;
  std::string id_prefix_;
  int number_ = 0;
};

// A root with `folders` ("/proc") and a copy of the binary, `file` ("/function"), which the
// container's user, nobody of ours, may run. `folder`, above it, is opened to be passed through.
Status make_container_root(const std::string& folder, const std::string& root,
                           const std::vector<const char*>& folders, const std::string& binary,
                           const std::string& file);

// A pod's limits and confinement, as docker and podman are told: those of compose.yaml.
std::vector<std::string> engine_limits();

// crun 1.8 refuses hosts where a version 2 hierarchy is mounted beside those of version 1. In a
// mount namespace of our own (nothing outside sees it) that mount is taken away. Call it after the
// node was started. Does nothing on other hosts.
Status hide_unified_cgroup();

}  // namespace subito::bench
