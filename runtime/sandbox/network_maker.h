// NetworkMaker: makes network namespaces beside the launcher. One costs about as much as all the
// rest of a sandbox, so a process of its own makes it on another core, from the moment the launcher
// hears of the sandbox, while that clones the child and the child takes its other steps.
//
// It is a help and no more: while it is busy, slow or dead, children make their own. It shares the
// launcher's descriptors (CLONE_FILES; so a dead launcher's socket is closed once the maker is dead
// too), not its memory, which the launcher is copying meanwhile.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::sandbox {

// By which a network namespace is handed over, in memory shared by launcher, maker and child.
struct LentNetwork {
  static constexpr std::int32_t kNone = -1;     // there is none: make your own
  static constexpr std::int32_t kPending = -2;  // wait: it is being made
  // One of these, or a descriptor of the launcher, which the child copies by pidfd_getfd(2).
  std::atomic<std::int32_t> fd{kNone};
  std::uint32_t made_us = 0;         // by the maker, before `fd`
  std::atomic<bool> refused{false};  // by the child: the host forbids it to copy
};

class NetworkMaker {
 public:
  // The process ends with this object, and with the launcher, which `launcher_pidfd` is of.
  static Result<std::unique_ptr<NetworkMaker>> start(int launcher_pidfd);
  ~NetworkMaker();
  NetworkMaker(const NetworkMaker&) = delete;
  NetworkMaker& operator=(const NetworkMaker&) = delete;

  bool idle() const { return shared_->job.load(std::memory_order_acquire) == nullptr; }

  // When idle. `lent`, in memory that was mapped shared before start(), is kPending from here on,
  // then has the descriptor or, on failure, kNone, with a futex wake. The descriptor is the
  // caller's. Until spread_out() the maker keeps off the CPU of the caller, where some kernels wake
  // it and it would wait for the caller.
  void begin(LentNetwork& lent);
  void spread_out() const;

  // Readable when the process is dead.
  int pidfd() const { return pidfd_.get(); }

 private:
  struct Shared {
    std::atomic<std::uint32_t> jobs_begun{0};
    std::atomic<LentNetwork*> job{nullptr};  // null: idle
  };

  NetworkMaker() = default;
  [[noreturn]] void run(int launcher_pidfd);
  void make(LentNetwork& lent) const;

  Shared* shared_ = nullptr;  // mapped shared, for the launcher's life
  UniqueFd home_;             // the network namespace of the launcher
  UniqueFd pidfd_;
  pid_t pid_ = -1;
  cpu_set_t cpus_{};  // those the launcher may use; none: not known
};

}  // namespace subito::sandbox
