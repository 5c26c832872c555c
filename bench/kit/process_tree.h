// ProcessTree: which processes there are, whose children they are, and what CPU time the kernel has
// charged to them. Read from /proc and the processes' own clocks; plain functions, one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace subito::bench {

struct Process {
  pid_t parent = 0;
  std::string name;
};

// All of the machine, as /proc tells: proc(5).
std::map<pid_t, Process> processes();

// `roots` and what descends from them, each once.
std::vector<pid_t> with_descendants(const std::map<pid_t, Process>& all,
                                    const std::vector<pid_t>& roots);

pid_t first_child_of(pid_t parent);  // the least of their ids; 0: it has none

// CPU time of a process and all its threads, those that have ended too, in nanoseconds:
// clock_getcpuclockid(3). 0: it is gone.
std::chrono::nanoseconds cpu_time(pid_t pid);

// The whole of a file of /proc or of a control group; empty: it is not there.
std::string kernel_text(const std::string& path);
// The number behind `key` in lines of "key value"; 0: none.
std::uint64_t value_of(const std::string& text, const std::string& key);

struct CpuUse {
  std::chrono::nanoseconds time{0};
  std::uint32_t ended = 0;  // processes that ended meanwhile: what they used is not in it
};

// What processes and their descendants use from its making on.
class CpuMeter {
 public:
  explicit CpuMeter(std::vector<pid_t> roots);

  CpuUse used() const;

 private:
  std::vector<pid_t> roots_;
  std::map<pid_t, std::chrono::nanoseconds> before_;
};

}  // namespace subito::bench
