// Child: a process the bench started, and the only owner of its life: it is ended and reaped when
// the Child goes. Three ways to start one, as the floors that Subito is compared with. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::bench {

struct Command {
  std::string path;
  std::vector<std::string> arguments;  // the first is the program's name
};

enum class StartBy {
  kPosixSpawn,
  kClone,  // clone3(CLONE_VM | CLONE_VFORK), then execveat of an open descriptor
};

class Child {
 public:
  explicit Child(pid_t pid = -1) : pid_(pid) {}
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept;
  ~Child() { (void)end(std::chrono::milliseconds(0)); }

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Waits so long for its own end, then kills it; reaps it. The wait status, or kDeadlineExceeded
  // when it had to be killed.
  Result<int> end(std::chrono::milliseconds grace);

 private:
  pid_t pid_;
};

// What a start hands over besides the command: `channel` becomes descriptor 3, 0 is /dev/null, 1
// and 2 go to `output`. Every other descriptor of ours is close-on-exec.
struct Descriptors {
  int channel = -1;
  int input = -1;
  int output = -1;
};

// `binary`: of command.path, by open_binary(); kClone executes it, kPosixSpawn the path.
Result<Child> start(StartBy how, const Command& command, int binary, const Descriptors& given);

// O_PATH, above the descriptors that a child is given in place of what it had there.
Result<UniqueFd> open_binary(const std::string& path);

// Runs a command to its end, with an upper bound, and returns what it wrote to both streams. It is
// told to end when the bench dies.
struct Finished {
  int exit_code = -1;  // 128 + n: ended by signal n
  std::string output;
};
inline constexpr std::chrono::seconds kRunTimeout{60};
inline constexpr std::size_t kOutputBytesMax = 1 << 20;
Result<Finished> run(const Command& command, std::chrono::seconds timeout = kRunTimeout);

// Starts one in a process group of its own (Ctrl-C is ours to pass on), told to end by SIGTERM when
// the bench dies; its standard output is the descriptor in `output`, errors go to `errors`.
Result<Child> start_service(const Command& command, UniqueFd& output, int errors);

// The first line that comes, without its end: how a service says that it is ready. kUnavailable
// when the other end closes before, kDeadlineExceeded, or kCancelled after a signal.
Result<std::string> read_line(int fd, std::chrono::milliseconds timeout);

}  // namespace subito::bench
