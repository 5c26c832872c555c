// Cores: on which cores a process may run, and how it ran on them. The system calls behind
// core_placement.h, which a test replaces. sched_setaffinity(2), proc_pid_schedstat in
// Documentation/scheduler/sched-stats.rst of the kernel.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include "runtime/base/result.h"
#include "scheduler/near_pods.h"

namespace subito::pods {

class Cores {
 public:
  static constexpr int kAny = -1;

  virtual ~Cores() = default;
  // How many this process may run on.
  virtual int count() const = 0;
  // The one that the calling thread runs on now. No system call where glibc has rseq(2).
  virtual int current() const = 0;
  // All threads of a process to one core, or kAny: to all that this process may run on. A thread
  // made meanwhile has what its maker had.
  virtual Status move(pid_t pid, int core) = 0;
  // What all threads that a process has now ran since they began. An error: there is no such
  // process, or a kernel that does not tell (CONFIG_SCHED_INFO).
  virtual Result<scheduler::Running> ran(pid_t pid) const = 0;
  // The same two for the calling thread alone. Threads and processes that it makes inherit its
  // core.
  virtual Status move_this_thread(int core) = 0;
  virtual Result<scheduler::Running> ran_this_thread() const = 0;
};

class SystemCores final : public Cores {
 public:
  // Remembers the cores that the calling thread may run on.
  SystemCores();
  int count() const override { return count_; }
  int current() const override;
  Status move(pid_t pid, int core) override;
  Result<scheduler::Running> ran(pid_t pid) const override;
  Status move_this_thread(int core) override;
  Result<scheduler::Running> ran_this_thread() const override;

 private:
  cpu_set_t set_of(int core) const;

  cpu_set_t all_;
  int count_ = 0;  // of all_; asked at each call
};

}  // namespace subito::pods
