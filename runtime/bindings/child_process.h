// ChildProcess: a program started by posix_spawn (never by fork: the node is large), held by its
// pidfd, so that a signal can never reach a stranger who got the same pid.
//
// Belongs to whoever started it, used on one thread; its destructor kills and reaps. The child is
// in a process group of its own (Ctrl-C on the node's terminal does not reach it), has default
// signals, no descriptor of ours but 0, 1 and 2, and dies with the node where setpriv(1) is there.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::bindings {

// Who a process is, beyond its pid, which the kernel gives again: its start in clock ticks since
// boot (proc(5), field 22 of stat). kNotFound when there is none, or a zombie.
Result<unsigned long long> process_start_ticks(pid_t pid);

// Ends a process that need not be a child: SIGTERM, then SIGKILL after `grace`. Waits for it,
// bounded. True when it is gone.
bool end_process(const UniqueFd& pidfd, std::chrono::milliseconds grace);

class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess() { kill_and_reap(); }

  // Reads `input` (at most 64 KiB) as standard input; writes to `output`. The program is searched
  // in PATH.
  static Result<ChildProcess> spawn(const std::vector<std::string>& arguments,
                                    const std::string& input, const UniqueFd& output);

  bool running() const { return pid_ != 0; }
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // readable once it has ended
  void signal(int number) const;
  // Call once the pidfd is readable. How it ended: "exited with status 1", "killed by signal 9".
  std::string reap();
  void kill_and_reap();

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

}  // namespace subito::bindings
