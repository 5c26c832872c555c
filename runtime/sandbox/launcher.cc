#include "runtime/sandbox/launcher.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/sandbox/clone_process.h"
#include "runtime/sandbox/futex.h"
#include "runtime/sandbox/step_clock.h"

namespace subito::sandbox {
namespace {

constexpr int kRetryMilliseconds = 5;
// PIDFD_GET_NET_NAMESPACE and PIDFD_GET_IPC_NAMESPACE of linux/pidfd.h, which is newer than some
// hosts' headers: ioctl_pidfd(2).
constexpr unsigned long kGetNetworkNamespace = _IO(0xFF, 4);
constexpr unsigned long kGetIpcNamespace = _IO(0xFF, 2);

}  // namespace

void Launcher::transition(Slot& slot, State to) {
  switch (to) {
    case State::kStarting:
      CHECK(slot.state == State::kFree);
      break;
    case State::kIsolated:
      CHECK(slot.state == State::kStarting);
      break;
    case State::kRemoving:
      CHECK(slot.state == State::kStarting || slot.state == State::kIsolated);
      break;
    case State::kFree:
      CHECK(slot.state == State::kRemoving);
  }
  slot.state = to;
}

void Launcher::fail_create(SandboxId id, Step step, int os_errno) {
  CreateFailedMessage message;
  message.id = id;
  message.step = step;
  message.os_errno = os_errno;
  send(message);
}

void Launcher::run() {
  while (!node_gone_) {
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, wait_milliseconds());
    const auto has_told = [](const epoll_event& event) { return event.data.u32 == kNotifyTag; };
    if (std::any_of(events, events + std::max(count, 0), has_told)) empty_notify_pipe();
    look_for_isolated();
    // Starting pods comes before burying them.
    bool exits = false;
    for (int i = 0; i < count; ++i) {
      const auto tag = events[i].data.u32;
      // A node that is gone wants nothing any more of what it asked for last.
      const bool hung_up = (events[i].events & EPOLLHUP) != 0;
      if (tag == kSocketTag && (hung_up || !take_message())) node_gone_ = true;
      if (tag == kNetworkMakerTag) give_network_maker_up("it died");
      exits = exits || tag < kSlotTagsEnd;
    }
    for (int i = 0; exits && i < count; ++i) {
      if (events[i].data.u32 < kSlotTagsEnd) on_exit(events[i].data.u32);
    }
    if (count == 0) remove_one();
  }
  end_all();
}

int Launcher::wait_milliseconds() const {
  const bool retries = !removing_.empty();
  if (retries && slots_[removing_.front()].remove_tries == 0) return 0;
  if (!starting_.empty()) return kLookMilliseconds;
  return retries ? kRetryMilliseconds : -1;
}

bool Launcher::take_message() {
  alignas(std::max_align_t) char buffer[kPacketBytesMax];
  Packet packet;
  const int error = receive_packet(socket_, buffer, sizeof buffer, packet, MSG_DONTWAIT);
  if (error == EAGAIN) return true;
  const bool lost_descriptors = error == EMFILE;
  if ((error != 0 && !lost_descriptors) || packet.size == 0) return false;
  if (const auto create_message = decode<CreateMessage>(buffer, packet.size)) {
    if (lost_descriptors) {
      fail_create(create_message->id, Step::kClone, EMFILE);
    } else {
      create(*create_message, packet);
    }
  } else if (const auto limits = decode<ChangeLimitsMessage>(buffer, packet.size)) {
    change_limits(*limits);
  } else if (const auto share = decode<ShareCpuMessage>(buffer, packet.size)) {
    share_cpu(*share);
  } else if (const auto kill_message = decode<KillMessage>(buffer, packet.size)) {
    kill(*kill_message);
  } else {
    std::fprintf(stderr, "subito-launcher: take message: not one of ours; ending\n");
    return false;
  }
  return true;
}

void Launcher::create(const CreateMessage& message, Packet& packet) {
  if (packet.fd_count != 3 || slot_of_id_.contains(message.id.value())) {
    return fail_create(message.id, Step::kClone, EINVAL);
  }
  if (free_slots_.empty()) return fail_create(message.id, Step::kClone, EAGAIN);
  const Result<bool> restored = cgroups_[0].restore_root();
  if (!restored) return fail_create(message.id, Step::kMakeCgroup, errno_of(restored.error()));
  if (*restored) drop_cgroup_reserve(1);
  const std::uint32_t index = free_slots_.back();
  Slot& slot = slots_[index];
  slot = Slot{};
  slot.id = message.id;
  slot.limits = message.limits;
  slot.leaves_cgroup = message.leaves_cgroup != 0;
  new (&shared(index)) SharedSlot;

  take_from_reserves(slot, message.reuse != 0);
  const bool lending = !slot.kept.network.valid() && network_maker_ && network_maker_->idle();
  if (lending) network_maker_->begin(shared(index).network);
  // Written down before the clone: after it each page that is written to costs a fault.
  free_slots_.pop_back();
  slot_of_id_.emplace(message.id.value(), index);
  transition(slot, State::kStarting);
  if (const int error = make_cgroup(slot); error != 0) {
    return give_up(index, Step::kMakeCgroup, error);
  }
  if (const int error = clone_child(index, packet); error != 0) {
    return give_up(index, Step::kClone, error);
  }
  if (lending) network_maker_->spread_out();
}

void Launcher::take_from_reserves(Slot& slot, bool reuse) {
  slot.cgroup = slot.id;
  if (!reuse) return;
  if (!namespace_reserve_.empty()) {
    slot.kept = std::move(namespace_reserve_.back());
    namespace_reserve_.pop_back();
  }
  if (cgroup_reserve_.empty()) return;
  slot.cgroup = cgroup_reserve_.front().name;
  slot.peak = std::move(cgroup_reserve_.front().peak);
  slot.renewed = true;
  cgroup_reserve_.pop_front();
}

// Of a sandbox whose child never lived.
void Launcher::give_up(std::uint32_t index, Step step, int os_errno) {
  Slot& slot = slots_[index];
  transition(slot, State::kRemoving);
  slot_of_id_.erase(slot.id.value());
  removing_.push_back(index);
  fail_create(slot.id, step, os_errno);
}

// Version 2: a child is born inside its group, which must be there before. Version 1: the child
// makes its own.
int Launcher::make_cgroup(Slot& slot) {
  if (cgroups_[0].version() == CgroupVersion::kV1) return 0;
  const std::uint64_t begin = monotonic_us();
  Status made = ok();
  if (!slot.renewed || !cgroups_[0].set_limits(slot.cgroup, SandboxLimits{}, slot.limits)) {
    slot.peak.reset();
    made = cgroups_[0].make(slot.cgroup, slot.limits);
  }
  slot.make_cgroup_us = static_cast<std::uint32_t>(monotonic_us() - begin);
  return made ? 0 : errno_of(made.error());
}

int Launcher::clone_child(std::uint32_t index, const Packet& packet) {
  Slot& slot = slots_[index];
  const std::uint64_t begin = monotonic_us();
  UniqueFd directory;
  if (cgroups_[0].version() == CgroupVersion::kV2) {
    auto opened = cgroups_[0].open_directory(slot.cgroup);
    // As in Child::join_cgroup().
    if (!opened && slot.renewed && cgroups_[0].make(slot.cgroup, slot.limits)) {
      slot.peak.reset();
      opened = cgroups_[0].open_directory(slot.cgroup);
    }
    if (!opened) return errno_of(opened.error());
    directory = *std::move(opened);
  }
  PodInit init;
  init.config = &config_;
  init.cgroups = &cgroups_[0];
  init.filter = &filter_[0];
  init.kernel_areas = &kernel_areas_;
  init.shared = &shared(index);
  init.cgroup = slot.cgroup;
  init.cgroup_renewed = slot.renewed;
  init.limits = slot.limits;
  init.slot = index;
  init.capability_last = capability_last_;
  init.root_namespace_fd = pod_root_.get();
  init.launcher_pidfd = own_pidfd_.get();
  init.notify_fd = notify_write_.get();
  init.network_namespace_fd = slot.kept.network.get();
  init.ipc_namespace_fd = slot.kept.ipc.get();
  init.channel_fd = packet.fds[0].get();
  init.stdio_fd = packet.fds[1].get();
  init.control_fd = packet.fds[2].get();

  ClonedProcess cloned = clone_process(CLONE_NEWPID, directory.get());
  if (cloned.pid < 0) return cloned.os_errno;
  if (cloned.pid == 0) run_pod_init(init);
  slot.pid = cloned.pid;
  slot.pidfd = std::move(cloned.pidfd);
  slot.clone_us = static_cast<std::uint32_t>(monotonic_us() - begin);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = index;
  CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, slot.pidfd.get(), &event) == 0);
  starting_.push_back(index);
  return 0;
}

void Launcher::change_limits(const ChangeLimitsMessage& message) {
  const auto found = slot_of_id_.find(message.id.value());
  if (found == slot_of_id_.end()) return;
  slots_[found->second].limits_wanted = message.limits;
  apply_limits(found->second);
}

// Not before it is isolated: its cgroup may not be there yet.
void Launcher::apply_limits(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.state != State::kIsolated || !slot.limits_wanted) return;
  const Status changed = cgroups_[0].set_limits(slot.cgroup, slot.limits, *slot.limits_wanted);
  slot.limits = *slot.limits_wanted;
  slot.limits_wanted.reset();
  SharedSlot& shared_slot = shared(index);
  shared_slot.limits_errno = changed ? 0 : errno_of(changed.error());
  shared_slot.limits_changed.store(SharedSlot::kYes, std::memory_order_release);
  wake_waiter(shared_slot.limits_changed);
}

void Launcher::share_cpu(const ShareCpuMessage& message) {
  const auto found = slot_of_id_.find(message.id.value());
  if (found == slot_of_id_.end()) return;
  slots_[found->second].cpu_share_wanted = message.share;
  apply_cpu_share(slots_[found->second]);
}

// Not before it is isolated, as with limits. A failure costs fairness, not the pod.
void Launcher::apply_cpu_share(Slot& slot) {
  if (slot.state != State::kIsolated || !slot.cpu_share_wanted) return;
  const std::uint32_t share = *std::exchange(slot.cpu_share_wanted, std::nullopt);
  slot.cpu_share_changed = true;
  const Status shared = cgroups_[0].set_cpu_share(slot.cgroup, share);
  if (!shared) std::fprintf(stderr, "subito-launcher: %s\n", shared.error().message.c_str());
  if (usual_turn_ == Turn::zero()) return;
  const Status turned = set_turn(slot.pid, turn_of_share(share, usual_turn_));
  if (!turned) std::fprintf(stderr, "subito-launcher: %s\n", turned.error().message.c_str());
}

void Launcher::kill(const KillMessage& message) {
  const auto found = slot_of_id_.find(message.id.value());
  if (found == slot_of_id_.end()) return;
  // The init of a pid namespace takes everything in it along.
  const int pidfd = slots_[found->second].pidfd.get();
  ::syscall(SYS_pidfd_send_signal, pidfd, message.signal, nullptr, 0);
}

// Those that wait for their request have written to the pipe, to wake us.
void Launcher::empty_notify_pipe() {
  std::uint32_t waiting[64];
  while (::read(notify_read_.get(), waiting, sizeof waiting) == sizeof waiting) {
  }
}

void Launcher::look_for_isolated() {
  std::erase_if(starting_, [this](std::uint32_t index) {
    if (slots_[index].state != State::kStarting) return true;  // died meanwhile
    if (shared(index).isolated.load(std::memory_order_acquire) == SharedSlot::kNo) return false;
    on_isolated(index);
    return true;
  });
}

void Launcher::on_isolated(std::uint32_t index) {
  Slot& slot = slots_[index];
  transition(slot, State::kIsolated);
  apply_limits(index);
  apply_cpu_share(slot);
  CreatedMessage message;
  message.id = slot.id;
  message.cgroup = slot.cgroup;
  message.host_pid = slot.pid;
  for (std::uint32_t i = 0; i < kStepCount; ++i) message.step_us[i] = shared(index).step_us[i];
  message.step_us[static_cast<std::uint32_t>(Step::kMakeCgroup)] += slot.make_cgroup_us;
  message.step_us[static_cast<std::uint32_t>(Step::kClone)] = slot.clone_us;
  message.step_us[static_cast<std::uint32_t>(Step::kMakeNetwork)] = lent_network_us(index);
  send(message);
  keep_namespaces(index);
}

// 0: the child made its own.
std::uint32_t Launcher::lent_network_us(std::uint32_t index) {
  const LentNetwork& lent = shared(index).network;
  if (lent.refused) give_network_maker_up("pods may not copy a descriptor of the launcher's");
  return lent.fd.load(std::memory_order_acquire) >= 0 && !lent.refused ? lent.made_us : 0;
}

// Who waits for it makes one itself.
void Launcher::give_network_maker_up(const char* reason) {
  if (!network_maker_) return;
  if (reason != nullptr) {
    std::fprintf(stderr, "subito-launcher: no network maker any more: %s; starts take longer\n",
                 reason);
  }
  // Not by closing alone: a child just cloned may still hold a copy of it.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, network_maker_->pidfd(), nullptr);
  network_maker_.reset();
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    std::atomic<std::int32_t>& fd = shared(index).network.fd;
    if (fd.load(std::memory_order_acquire) != LentNetwork::kPending) continue;
    fd.store(LentNetwork::kNone, std::memory_order_release);
    wake_waiter(fd);
  }
}

// Of a live process; not valid: it is not kept, that is all.
UniqueFd Launcher::namespace_of(const Slot& slot, unsigned long request, const char* name) {
  // Since Linux 6.11; at a quarter of what a name in /proc costs.
  if (UniqueFd fd(::ioctl(slot.pidfd.get(), request, 0)); fd.valid()) return fd;
  char path[40];
  std::snprintf(path, sizeof path, "/proc/%d/ns/%s", slot.pid, name);
  return UniqueFd(::open(path, O_RDONLY | O_CLOEXEC));
}

// Keeps namespaces of a live pod (or the one it was not allowed to take), so that they outlive it.
void Launcher::keep_namespaces(std::uint32_t index) {
  Namespaces& kept = slots_[index].kept;
  (void)take_back_network(index);
  if (config_.namespace_reserve_max == 0) {
    kept = {};
    return;
  }
  const Slot& slot = slots_[index];
  if (!kept.network.valid()) kept.network = namespace_of(slot, kGetNetworkNamespace, "net");
  if (!kept.ipc.valid()) kept.ipc = namespace_of(slot, kGetIpcNamespace, "ipc");
}

}  // namespace subito::sandbox
