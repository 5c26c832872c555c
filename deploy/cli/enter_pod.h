// Runs a program of the host inside the namespaces of a pod of this machine: `subito debug`. Needs
// root. One call, one thread; the caller's own process joins the namespaces, too, so that it should
// do nothing else afterwards.
//
// Joined are pid, network, ipc, uts and cgroup namespace. Not the mount namespace, as a pod's root
// holds no program: the program sees the host's files, with the pod's /proc in place of the host's,
// through which /proc/1/root is the pod's own root. Not the user namespace, seccomp filter, cgroup
// limits and uid of the pod: the program stays root. The kernel ends it with the pod: it is a
// process of a pid namespace whose first process is gone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace subito::cli {

struct PodEntry {
  std::string pod;                   // its name, for messages
  std::int32_t host_pid = 0;         // as its node says
  std::int32_t node_pid = 0;         // as its node says of itself
  std::string socket_path;           // of the node's API
  std::vector<std::string> command;  // a program, searched in PATH, and its arguments
};

struct PodVisit {
  int exit_code = 0;       // the program's; 128 + N: signal N ended it
  bool pod_ended = false;  // which ended the program
};

// kFailedPrecondition when the node is not of this machine or the pod is gone; else what could not
// be done.
Result<PodVisit> enter_pod(const PodEntry& entry);

}  // namespace subito::cli
