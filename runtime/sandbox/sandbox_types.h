// The words that node and launcher share: ids, limits, the steps of isolation. Plain data; the
// launcher (launcher.h) and its client (launcher_client.h) both send these over their socket, so
// everything here is trivially copyable and of fixed size.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/id.h"

namespace subito::sandbox {

// One sandbox of one launcher. Chosen by the node, never used twice in a launcher's life.
using SandboxId = Id<struct SandboxTag>;

struct SandboxLimits {
  std::uint64_t memory_bytes_max = 128ULL << 20;  // page cache and kernel memory included
  std::uint32_t pids_max = 64;                    // threads; a pod cannot make processes
  std::uint32_t cpu_millicores_max = 0;           // 1000 is one core; 0: no quota

  friend bool operator==(const SandboxLimits&, const SandboxLimits&) = default;
};

// What a sandbox goes through, in this order but where it is said. The name of a step is shown to
// people: "start pod: mount /proc: Operation not permitted".
enum class Step : std::uint32_t {
  kNone,
  kMakeNetwork,     // the network maker, beside all that follows; 0: not by it
  kClone,           // the launcher: clone3
  kMakeSession,     // setsid: no process group and no autogroup in common with the launcher
  kEnterRoot,       // setns into the prepared mount namespace
  kMakeNamespaces,  // mount, ipc, uts
  kSetHostname,
  kMountTmp,
  kMountProc,
  kMakeCgroup,  // mkdir and limits; v2: the launcher, before the clone
  kJoinCgroup,  // v1 only: v2 is born inside
  kCgroupNamespace,
  kTakeNetwork,  // joins the one made meanwhile or kept from a dead pod, or makes its own
  kSetUser,      // uid, gid, no groups
  kMakeUserNamespace,
  kDropCapabilities,
  kTieToLauncher,    // PDEATHSIG
  kTakeDescriptors,  // 0 to 3 in place, all others closed
  kInstallFilter,    // seccomp
  kAwaitLaunch,      // wait for the LaunchRequest
  kSetLimits,        // limits changed after creation
  kWriteFiles,       // that came with the LaunchRequest
  kExec,
  kCount
};
constexpr std::uint32_t kStepCount = static_cast<std::uint32_t>(Step::kCount);

// "mount /proc", "join cgroup", ...
std::string_view to_string(Step step);

}  // namespace subito::sandbox
