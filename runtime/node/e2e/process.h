// Processes as the end-to-end tests see them: programs that they run, and what /proc tells of those
// that the programs started. Used by one thread of a test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace subito::e2e {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

// What a busy machine may take for anything that should be quick: a test that waits this long has
// failed.
inline constexpr milliseconds kPatience = seconds(20);

// Looks again and again until the condition holds; false when it never did.
template <typename Condition>
bool eventually(const Condition& condition, milliseconds limit = kPatience) {
  const auto end = SteadyClock::now() + limit;
  while (!condition()) {
    if (SteadyClock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

struct Ran {
  int exit_code = -1;  // 128 + signal when a signal ended it; -1: it did not end in time
  std::string out;
  std::string err;
};

// A program that runs beside the test, its output in files. Killed when the object goes.
class Child {
 public:
  Child() = default;
  Child(const std::vector<std::string>& arguments, const std::string& out_file,
        const std::string& err_file);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), exit_(other.exit_) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(exit_, other.exit_);
    return *this;
  }
  ~Child();

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  // Its exit code as in Ran; empty when it did not end in time.
  std::optional<int> wait(milliseconds limit = kPatience);

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

// Runs a program to its end.
Ran run_program(const std::vector<std::string>& arguments, milliseconds limit = kPatience);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);

std::vector<pid_t> children_of(pid_t pid);
std::string executable_of(pid_t pid);  // empty: there is no such process
std::size_t open_descriptors(pid_t pid);
// A line of /proc/PID/FILE such as "VmHWM:    12 kB", in bytes; 0 when it is not there.
std::uint64_t memory_line_bytes(pid_t pid, const std::string& file, const std::string& name);
inline std::uint64_t resident_bytes(pid_t pid) {
  return memory_line_bytes(pid, "status", "VmRSS:");
}
// Most it ever had resident, since the last reset.
inline std::uint64_t peak_bytes(pid_t pid) {
  return memory_line_bytes(pid, "status", "VmHWM:");
}
void reset_peak(pid_t pid);
// With the address sanitizer the node keeps what it freed: its size says nothing.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kMemoryTells = false;
#else
inline constexpr bool kMemoryTells = true;
#endif

// Orphans become children of the test from now on, so that none can hide.
void adopt_orphans();
// Reaps those that have ended; how many children are left.
std::size_t reap_orphans();

}  // namespace subito::e2e
