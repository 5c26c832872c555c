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
    report_exit(slot, shared_slot, status, used);
  } else {
    const Step step = shared_slot.failed_step.load();
    const bool failed = step != Step::kNone;
    fail_create(slot.id, failed ? step : Step::kClone,
                failed ? shared_slot.failed_errno : ECANCELED);
  }
  if (was_isolated && network_reserve_.size() < config_.network_reserve_max) {
    if (slot.network.valid()) network_reserve_.push_back(std::move(slot.network));
  }
  removing_.push_back(index);
}

void Launcher::report_exit(const Slot& slot, const SharedSlot& shared_slot, int wait_status,
                           const rusage& used) {
  const CgroupUsage usage = cgroups_[0].usage(slot.id);
  ExitedMessage message;
  message.id = slot.id;
  message.wait_status = wait_status;
  message.failed_step = shared_slot.failed_step.load();
  message.failed_errno = shared_slot.failed_errno;
  message.oom_kills = usage.oom_kills;
  message.memory_bytes_peak = usage.memory_bytes_peak;
  message.user_us = microseconds(used.ru_utime);
  message.system_us = microseconds(used.ru_stime);
  send(message);
}

bool Launcher::take_back_network(std::uint32_t index) {
  std::atomic<std::int32_t>& lent = shared(index).network.fd;
  const std::int32_t fd = lent.load(std::memory_order_acquire);
  if (fd == LentNetwork::kPending) return false;
  if (fd >= 0) slots_[index].network.reset(fd);
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
  slot.network.reset();
  const Status removed = cgroups_[0].remove(slot.id);
  if (!removed && ++slot.remove_tries < kRemoveTriesMax) {
    removing_.push_back(index);
    return false;
  }
  if (!removed) {
    std::fprintf(stderr, "subito-launcher: %s; left to the sweep\n",
                 removed.error().message.c_str());
  }
  transition(slot, State::kFree);
  free_slots_.push_back(index);
  return true;
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
  if (const Status removed = cgroups_[0].remove_root(); !removed) {
    std::fprintf(stderr, "subito-launcher: %s\n", removed.error().message.c_str());
  }
}

}  // namespace subito::sandbox
