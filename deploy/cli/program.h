// Running another program and taking what it says: cmake, for `deploy FOLDER` and `dev FOLDER`.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::cli {

inline constexpr std::size_t kProgramOutputBytesMax = 64 << 10;

struct ProgramEnd {
  int status = 0;  // of its exit; 128 + N when signal N ended it, as shells count
  // Standard output and errors in the order in which they came: the last kProgramOutputBytesMax of
  // them, `cut_bytes` went before.
  std::string output;
  std::uint64_t cut_bytes = 0;
};

inline constexpr std::chrono::seconds kProgramEndMax{2};

// A program that runs beside us, in a process group of its own. When the object goes before its
// end, so does the whole group: it is asked to (SIGTERM: ninja then ends its compilers, which have
// groups of their own), and killed after kProgramEndMax. Used by one thread.
class Program {
 public:
  // `command[0]` is looked for on PATH; its input is empty, no signal is blocked in it. kNotFound
  // when there is no such program.
  static Result<Program> start(const std::vector<std::string>& command);
  Program(Program&& other) noexcept;
  Program& operator=(Program&&) = delete;
  ~Program();

  int output() const { return output_.get(); }  // readable: read() has something to take
  // Takes what it said, and shows it unless null; false at the end: nobody can say more.
  bool read(std::ostream* show);
  // Waits until it has ended.
  Result<ProgramEnd> wait() &&;

 private:
  Program(pid_t pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}

  pid_t pid_;  // -1: nobody is to be waited for
  UniqueFd output_;
  ProgramEnd end_;
};

// Runs one to its end, in our process group: Ctrl-C on the terminal reaches it as well.
// `command[0]` is looked for on PATH; its input is empty. What it says also goes to `show`, unless
// null, as it comes. kNotFound when there is no such program.
Result<ProgramEnd> run_program(const std::vector<std::string>& command, std::ostream* show);

// The folder above the one that this process's binary lies in: "/usr" of /usr/bin/subito.
std::string install_prefix();

}  // namespace subito::cli
