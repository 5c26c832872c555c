// Launcher::open: what is made once, so that no pod pays for it.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "runtime/base/check.h"
#include "runtime/sandbox/launcher.h"
#include "runtime/sandbox/pod_root.h"

namespace subito::sandbox {
namespace {

std::uint32_t last_capability() {
  std::uint32_t capability = 0;
  while (::prctl(PR_CAPBSET_READ, capability + 1) >= 0) ++capability;
  return capability;
}

// Limits that all pods share are inherited; the launcher itself needs nothing that they take. Not
// so RLIMIT_FSIZE: the launcher's messages go to a file that may have grown large.
Status limit_resources() {
  for (const auto resource : {RLIMIT_MSGQUEUE, RLIMIT_MEMLOCK}) {
    const rlimit none = {0, 0};
    if (::setrlimit(resource, &none) != 0) return errno_error("limit resources of pods");
  }
  // As pods set it themselves (pod_init.cc), who could not raise it from 0.
  const rlimit no_core = {1, 1};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) return errno_error("limit resources of pods");
  return ok();
}

// A message that cannot be written may not be the end of all pods. Children undo it (pod_init.cc).
Status ignore_signals() {
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    if (::signal(number, SIG_IGN) == SIG_ERR) return errno_error("ignore signals");
  }
  return ok();
}

// Four descriptors a sandbox are ours; the usual soft limit is 1024.
Status raise_own_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("read descriptor limit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("raise descriptor limit");
  return ok();
}

// The network maker shares the descriptor table, and a shared one waits for an RCU grace period
// each time it grows: let it grow now. Four descriptors a sandbox, and the reserves.
Status grow_descriptor_table(const ConfigureMessage& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno_error("read descriptor limit");
  const rlim_t wanted = rlim_t{4} * config.sandboxes_max + 2 * config.namespace_reserve_max +
                        config.cgroup_reserve_max;
  const int from = static_cast<int>(std::min(wanted, limit.rlim_cur - 1));
  const UniqueFd highest(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, from));
  return ok();  // no matter: it grows when it must
}

Status watch(int epoll, int fd, std::uint32_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = tag;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return errno_error("watch descriptor");
  return ok();
}

}  // namespace

Status Launcher::open_descriptors() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("make pipe");
  notify_read_.reset(ends[0]);
  notify_write_.reset(ends[1]);
  own_pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!own_pidfd_.valid()) return errno_error("open pidfd");
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return errno_error("make epoll");
  RETURN_IF_ERROR(watch(epoll_.get(), socket_, kSocketTag));
  return watch(epoll_.get(), notify_read_.get(), kNotifyTag);
}

Status Launcher::open_slots() {
  const std::size_t count = config_.sandboxes_max;
  if (count == 0 || count >= kSlotTagsEnd) {
    return fail(ErrorCode::kInvalidArgument, "start launcher: sandboxes_max is out of range");
  }
  void* memory = ::mmap(nullptr, count * sizeof(SharedSlot), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno_error("map shared slots");
  shared_ = static_cast<SharedSlot*>(memory);
  slots_.resize(count);
  for (std::uint32_t index = config_.sandboxes_max; index-- > 0;) free_slots_.push_back(index);
  return ok();
}

Result<Launcher> Launcher::open(const ConfigureMessage& config, int socket) {
  Launcher launcher;
  launcher.config_ = config;
  launcher.socket_ = socket;
  RETURN_IF_ERROR(launcher.open_slots());
  RETURN_IF_ERROR(launcher.open_descriptors());
  RETURN_IF_ERROR(ignore_signals());
  RETURN_IF_ERROR(limit_resources());
  RETURN_IF_ERROR(raise_own_descriptor_limit());
  RETURN_IF_ERROR(grow_descriptor_table(config));
  launcher.capability_last_ = last_capability();
  ASSIGN_OR_RETURN(SyscallFilter filter, SyscallFilter::compile());
  launcher.filter_.push_back(std::move(filter));
  ASSIGN_OR_RETURN(launcher.kernel_areas_, find_kernel_areas());
  ASSIGN_OR_RETURN(launcher.pod_root_, prepare_pod_root());
  ASSIGN_OR_RETURN(CgroupTree cgroups, CgroupTree::open(config.cgroup_root, config.node_id));
  launcher.cgroups_.push_back(std::move(cgroups));
  ASSIGN_OR_RETURN(launcher.network_maker_, NetworkMaker::start(launcher.own_pidfd_.get()));
  RETURN_IF_ERROR(watch(launcher.epoll_.get(), launcher.network_maker_->pidfd(), kNetworkMakerTag));
  launcher.usual_turn_ = own_turn();
  if (const Status first = serve_others(); !first) {
    std::fprintf(stderr, "subito-launcher: %s\n", first.error().message.c_str());
  }
  return launcher;
}

}  // namespace subito::sandbox
