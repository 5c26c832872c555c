// Running another program and taking what it says: cmake, for `deploy FOLDER`. Blocks until it
// ends.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace subito::cli {

struct ProgramEnd {
  int status = 0;      // of its exit; 128 + N when signal N ended it, as shells count
  std::string output;  // standard output and errors in the order in which they came
};

// `command[0]` is looked for on PATH; its input is empty. What it says also goes to `show`, unless
// null, as it comes. kNotFound when there is no such program.
Result<ProgramEnd> run_program(const std::vector<std::string>& command, std::ostream* show);

// The folder above the one that this process's binary lies in: "/usr" of /usr/bin/subito.
std::string install_prefix();

}  // namespace subito::cli
