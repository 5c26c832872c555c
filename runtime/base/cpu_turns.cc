#include "runtime/base/cpu_turns.h"

#include <dirent.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

namespace subito {

namespace {

constexpr std::uint64_t kResetOnFork = 1;  // SCHED_FLAG_RESET_ON_FORK
constexpr std::uint32_t kFullShare = 1000;

// The first version of the kernel's struct sched_attr (sched_setattr(2)), which glibc has not.
struct Attributes {
  std::uint32_t size = 48;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(Attributes) == 48);

Result<Attributes> attributes_of(pid_t thread) {
  Attributes attributes;
  if (::syscall(SYS_sched_getattr, thread, &attributes, sizeof attributes, 0) != 0) {
    return errno_error("read how a thread is scheduled");
  }
  return attributes;
}

bool has_turns(const Attributes& attributes) {
  return attributes.policy == SCHED_OTHER || attributes.policy == SCHED_BATCH;
}

Status set(pid_t thread, const Attributes& attributes) {
  if (::syscall(SYS_sched_setattr, thread, &attributes, 0) == 0) return ok();
  return errno_error("change how a thread is scheduled");
}

Status set_turn_of_thread(pid_t thread, Turn turn) {
  ASSIGN_OR_RETURN(Attributes attributes, attributes_of(thread));
  if (!has_turns(attributes)) return ok();
  attributes.runtime = static_cast<std::uint64_t>(turn.count());
  return set(thread, attributes);
}

}  // namespace

Turn own_turn() {
  const auto attributes = attributes_of(0);
  return attributes && has_turns(*attributes) ? Turn(attributes->runtime) : Turn::zero();
}

Status set_turn(pid_t process, Turn turn) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/task", process);
  const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(path), ::closedir);
  if (threads == nullptr) return errno_error(std::string("list threads in ") + path);
  Status all = ok();
  while (const dirent* entry = ::readdir(threads.get())) {
    const std::string_view name = entry->d_name;
    pid_t thread = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), thread);
    if (read.ec != std::errc() || thread <= 0) continue;  // "." and ".."
    Status one = set_turn_of_thread(thread, turn);
    if (!one && one.error().os_errno != ESRCH) all = std::move(one);  // ESRCH: it ended meanwhile
  }
  return all;
}

Turn turn_of_share(std::uint32_t share, Turn usual) {
  if (share >= kFullShare) return Turn::zero();
  return std::min(usual * kFullShare / std::max(share, 1U), usual * kTurnPartsMax);
}

Status serve_others() {
  ASSIGN_OR_RETURN(Attributes attributes, attributes_of(0));
  if (!has_turns(attributes)) return ok();
  attributes.runtime = static_cast<std::uint64_t>(kTurnOfServers.count());
  attributes.flags |= kResetOnFork;
  const std::int32_t nice = attributes.nice;
  if (nice <= 0) attributes.nice = std::min<std::int32_t>(nice, kNiceOfServers);
  Status done = set(0, attributes);
  if (done || attributes.nice == nice) return done;
  attributes.nice = nice;
  return set(0, attributes);
}

}  // namespace subito
