// The end of sandboxes: reaping, reporting, removing what they had, and the launcher's own end.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "runtime/sandbox/launcher.h"

namespace subito::sandbox {
namespace {

constexpr useconds_t kRetryUs = 5'000;

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000U +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

void Launcher::on_exit(std::uint32_t index) {
  look_for_isolated();  // what it came to before it died comes first
  Slot& slot = slots_[index];
  if (slot.state != State::kStarting && slot.state != State::kIsolated) return;
  int status = 0;
  rusage used{};
  if (::wait4(slot.pid, &status, WNOHANG, &used) != slot.pid) return;
  const bool was_isolated = slot.state == State::kIsolated;
  transition(slot, State::kRemoving);
  slot_of_id_.erase(slot.id.value());
  // Not by closing alone: a child just cloned may still hold a copy of it.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot.pidfd.get(), nullptr);
  slot.pidfd.reset();
  SharedSlot& shared_slot = shared(index);
  if (was_isolated) {
    const CgroupUsage usage = cgroups_[0].usage(slot.cgroup, slot.peak);
    report_exit(slot, shared_slot, usage, status, used);
    if (slot.leaves_cgroup && usage.oom_kills == 0) keep_cgroup(slot);
  } else {
    const Step step = shared_slot.failed_step.load();
    const bool failed = step != Step::kNone;
    fail_create(slot.id, failed ? step : Step::kClone,
                failed ? shared_slot.failed_errno : ECANCELED);
  }
  if (was_isolated && namespace_reserve_.size() < config_.namespace_reserve_max &&
      slot.kept.network.valid() && slot.kept.ipc.valid()) {
    namespace_reserve_.push_back(std::move(slot.kept));
  }
  if (slot.cgroup || !take_back_network(index)) return removing_.push_back(index);
  set_free(index);
}

// Reaping the first process of a pid namespace means that nobody of it is left in the cgroup.
void Launcher::keep_cgroup(Slot& slot) {
  if (cgroup_reserve_.size() >= config_.cgroup_reserve_max) return;
  if (!cgroups_[0].renew(slot.cgroup, slot.limits, slot.cpu_share_changed, slot.peak)) return;
  cgroup_reserve_.push_back({std::exchange(slot.cgroup, {}), std::move(slot.peak)});
}

// What cannot be removed is left to the sweep.
void Launcher::drop_cgroup_reserve(int tries_max) {
  for (const SpareCgroup& spare : cgroup_reserve_) {
    for (int tries = 1; !cgroups_[0].remove(spare.name) && tries < tries_max; ++tries) {
      ::usleep(kRetryUs);
    }
  }
  cgroup_reserve_.clear();
}

void Launcher::report_exit(const Slot& slot, const SharedSlot& shared_slot,
                           const CgroupUsage& usage, int wait_status, const rusage& used) {
  ExitedMessage message;
  message.id = slot.id;
  message.wait_status = wait_status;
  message.failed_step = shared_slot.failed_step.load();
  message.failed_errno = shared_slot.failed_errno;
  message.oom_kills = usage.oom_kills.value_or(0);
  message.memory_bytes_peak = usage.memory_bytes_peak;
  message.user_us = microseconds(used.ru_utime);
  message.system_us = microseconds(used.ru_stime);
  send(message);
}

bool Launcher::take_back_network(std::uint32_t index) {
  std::atomic<std::int32_t>& lent = shared(index).network.fd;
  const std::int32_t fd = lent.load(std::memory_order_acquire);
  if (fd == LentNetwork::kPending) return false;
  if (fd >= 0) slots_[index].kept.network.reset(fd);
  lent.store(LentNetwork::kNone, std::memory_order_relaxed);
  return true;
}

bool Launcher::remove_one() {
  if (removing_.empty()) return false;
  const std::uint32_t index = removing_.front();
  Slot& slot = slots_[index];
  removing_.pop_front();
  if (!take_back_network(index)) {
    slot.remove_tries = std::max(slot.remove_tries, 1);  // waits before it tries again
    removing_.push_back(index);
    return false;
  }
  const Status removed = slot.cgroup ? cgroups_[0].remove(slot.cgroup) : ok();
  if (!removed && ++slot.remove_tries < kRemoveTriesMax) {
    removing_.push_back(index);
    return false;
  }
  if (!removed) {
    std::fprintf(stderr, "subito-launcher: %s; left to the sweep\n",
                 removed.error().message.c_str());
  }
  set_free(index);
  return true;
}

void Launcher::set_free(std::uint32_t index) {
  slots_[index].kept = {};
  slots_[index].peak.reset();
  transition(slots_[index], State::kFree);
  free_slots_.push_back(index);
}

void Launcher::end_all() {
  give_network_maker_up(nullptr);
  for (const auto& [id, index] : slot_of_id_) {
    ::syscall(SYS_pidfd_send_signal, slots_[index].pidfd.get(), SIGKILL, nullptr, 0);
  }
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    Slot& slot = slots_[index];
    if (slot.state != State::kStarting && slot.state != State::kIsolated) continue;
    ::waitpid(slot.pid, nullptr, 0);
    transition(slot, State::kRemoving);
    removing_.push_back(index);
  }
  while (!removing_.empty()) {
    if (!remove_one()) ::usleep(kRetryUs);
  }
  drop_cgroup_reserve(kRemoveTriesMax);
  if (const Status removed = cgroups_[0].remove_root(); !removed) {
    std::fprintf(stderr, "subito-launcher: %s\n", removed.error().message.c_str());
  }
}

}  // namespace subito::sandbox
