// The child between clone3 and execveat: it isolates itself step by step, waits for its
// LaunchRequest and becomes the function, by execveat or as the image of a template. Runs in a
// process of its own (a copy of the launcher), so it may use the launcher's memory freely; it
// reports through its SharedSlot and `control`.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/messages.h"
#include "runtime/sandbox/network_maker.h"
#include "runtime/sandbox/restore.h"
#include "runtime/sandbox/syscall_filter.h"

namespace subito::sandbox {

// What launcher and child tell each other while the child lives: in memory shared by both, which
// exec takes away from the child. Each word of it is written by one side
// only.
struct alignas(64) SharedSlot {
  enum : std::uint32_t { kNo = 0, kYes = 1 };
  // By the launcher and its NetworkMaker, with a futex wake.
  LentNetwork network;
  std::atomic<std::uint32_t> limits_changed{kNo};
  std::int32_t limits_errno = 0;  // valid once limits_changed
  // By the child.
  std::atomic<std::uint32_t> isolated{kNo};
  std::atomic<Step> failed_step{Step::kNone};
  std::int32_t failed_errno = 0;
  std::uint32_t step_us[kStepCount] = {};
};

int errno_of(const Error& error);  // EIO where no system call failed

// All that the child needs; filled by the launcher before clone3. Descriptors are inherited, and
// borrowed: the child closes all but its own at kTakeDescriptors.
struct PodInit {
  const ConfigureMessage* config = nullptr;
  const CgroupTree* cgroups = nullptr;
  SyscallFilter* filter = nullptr;
  const KernelAreas* kernel_areas = nullptr;
  SharedSlot* shared = nullptr;
  SandboxId cgroup;             // names it
  bool cgroup_renewed = false;  // there already, with the limits of SandboxLimits{}
  SandboxLimits limits;
  std::uint32_t slot = 0;
  std::uint32_t capability_last = 0;
  int root_namespace_fd = -1;
  int network_namespace_fd = -1;  // kept from a dead pod, or -1
  int ipc_namespace_fd = -1;      // likewise
  int launcher_pidfd = -1;
  int channel_fd = -1;
  int stdio_fd = -1;
  int control_fd = -1;
  int notify_fd = -1;  // written to by one that is isolated and waits: wakes the launcher
};

[[noreturn]] void run_pod_init(const PodInit& init);

}  // namespace subito::sandbox
