// LauncherClient: the node's end of subito-launcher, the small process that is the parent of every
// pod (launcher.h). One per node, owned by the node's main loop and used on its thread only. Knows
// no event loop: poll fd() for reading, call on_readable().
//
// The life of a sandbox, seen from here:
//   create() ──▶ created ──▶ exited            exactly one of create_failed and exited ends it,
//          └───▶ create_failed                 after which none of its processes is left
// Nothing here waits, except start() and stop().
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/sandbox_types.h"

namespace subito::sandbox {

struct LauncherConfig {
  std::string node_id;  // [a-z0-9-]{1,40}; names the cgroup root "subito-<node id>"
  // Empty: "subito-launcher" beside this process's own binary, else ../lib/subito from there.
  std::string launcher_path;
  std::string cgroup_root;             // empty: /sys/fs/cgroup; where the hierarchies are mounted
  std::uint32_t uid_base = 700'000;    // sandbox slot n runs as uid and gid uid_base + n
  std::uint32_t sandboxes_max = 1024;  // alive at once; create() beyond it is create_failed
  std::uint32_t namespace_reserve_max = 64;  // of dead pods, network and ipc, kept for others
  std::uint32_t cgroup_reserve_max = 16;     // control groups of dead pods kept for others
  // What a sandbox waits for its network namespace to be made, before it makes one itself. That
  // takes about a millisecond.
  std::chrono::milliseconds network_wait{20};
  std::uint64_t tmp_bytes_max = 16ULL << 20;  // size of a pod's /tmp (counts as its memory)
  std::uint32_t tmp_inodes_max = 1024;
  std::uint32_t descriptors_max = 1024;  // RLIMIT_NOFILE of a pod
  std::chrono::milliseconds start_deadline{10'000};
};

struct CreateRequest {
  SandboxLimits limits;
  // All but those of start mode fresh may take over what a dead pod had and could not change: its
  // network and ipc namespaces and its control group (docs/security.md says why that is safe).
  bool reuse = false;
  // When it has ended its control group may be kept for another one. False: memory that outlives it
  // is charged to that.
  bool leaves_cgroup = true;
};

// The pod's ends of its three socket pairs; make_sandbox_sockets() in sandbox_control.h makes them.
struct PodEnds {
  UniqueFd channel;  // AF_UNIX stream, fd 3 of the function
  UniqueFd stdio;    // AF_UNIX stream, fds 1 and 2 of the function
  UniqueFd control;  // AF_UNIX seqpacket, closes at exec
};

// How long each step took, in µs, indexed by Step. A step that did not happen is 0.
using StepTimes = std::array<std::uint32_t, kStepCount>;

// The sandbox is isolated and awaits its LaunchRequest, or has taken it already.
struct Created {
  SandboxId id;
  SandboxId cgroup;  // which names its control group, "pod-<cgroup>": its own or an earlier one's
  pid_t host_pid = 0;
  StepTimes step_us{};  // kJoinCgroup is the step that costs 10 ms on a badly set up host
};

// No function ever ran in it. `step` failed with `os_errno`.
struct CreateFailed {
  SandboxId id;
  Step step = Step::kNone;
  int os_errno = 0;
};

struct Exited {
  SandboxId id;
  int wait_status = 0;          // as of waitpid(2)
  std::uint64_t oom_kills = 0;  // above 0: it was killed for its memory limit
  std::uint64_t memory_bytes_peak = 0;
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;
  Step failed_step =
      Step::kNone;  // kAwaitLaunch, kSetLimits or kExec if it never became the function
  int failed_errno = 0;
};

class LauncherEvents {
 public:
  virtual ~LauncherEvents() = default;
  virtual void on_created(const Created& event) = 0;
  virtual void on_create_failed(const CreateFailed& event) = 0;
  virtual void on_exited(const Exited& event) = 0;
};

// "mount /proc: Operation not permitted", to be annotated with "start pod".
Error step_error(Step step, int os_errno);
// Of a message that could not be sent: what passes by itself is kResourceExhausted.
Error ask_error(int send_errno);

class LauncherClient {
 public:
  // Starts the launcher and waits until it is ready. Needs root. Sweeps nothing: a node that may
  // have died before calls sweep_node() of cgroup.h first.
  static Result<LauncherClient> start(const LauncherConfig& config);

  LauncherClient(LauncherClient&&) noexcept;
  LauncherClient& operator=(LauncherClient&&) noexcept;
  ~LauncherClient();  // stop(kStopDeadline)

  // Poll for reading. Level-triggered.
  int fd() const { return socket_.get(); }
  pid_t launcher_pid() const { return pid_; }

  // Takes all events that wait, at most kEventsPerTurnMax, and hands them to `sink`, which may call
  // back into this object. An error means the launcher is gone, and all pods with it: sweep and
  // start a new one.
  Status on_readable(LauncherEvents& sink);

  // These four send one message and return. kResourceExhausted: the launcher is too far behind
  // (some hundred messages) or the kernel short of memory; nothing was sent. kUnavailable: it is
  // gone.
  Status create(SandboxId id, const CreateRequest& request, PodEnds ends);
  // For a sandbox given to a function with other limits than it was made with. Call at most once
  // per sandbox before its launch, and set LaunchRequest::wait_for_limits: then nothing is exec'ed
  // before the limits hold, and nobody waits but the sandbox itself.
  Status set_limits(SandboxId id, const SandboxLimits& limits);
  // Its share of the CPU beside the others, in thousandths of what it is created with
  // (CgroupTree::set_cpu_share). At any time in its life; before it is isolated it is kept until
  // then. Of an unknown id: nothing happens.
  Status share_cpu(SandboxId id, std::uint32_t share);
  // To its first process. SIGKILL is answered by exited (or create_failed). Of an unknown id:
  // nothing happens.
  Status kill(SandboxId id, int signal = SIGKILL);

  // Closes the socket, upon which the launcher kills all pods, removes their cgroups and exits;
  // waits for that until `deadline`, then kills it.
  void stop(std::chrono::milliseconds deadline);

  static constexpr int kEventsPerTurnMax = 256;
  static constexpr std::chrono::milliseconds kStopDeadline{5'000};

 private:
  LauncherClient(UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}

  UniqueFd socket_;
  pid_t pid_ = -1;
};

}  // namespace subito::sandbox
