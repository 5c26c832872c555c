// Tools: what measuring needs beside the peers: generators of load, ways to make containers and
// virtual machines. Of each `subito bench peers` says what is there. Plain functions.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace subito::bench {

struct Tool {
  const char* name;  // of the program
  const char* what;
  const char* package;  // Debian's
  const char* version;  // argument that makes it tell its version
};
const std::vector<Tool>& tools();

// The first of `folders`, as in PATH, that has it to run; empty: none.
std::string find_in(const std::string& folders, const std::string& name);
// Where PATH, or a system folder, has it; empty: nowhere.
std::string find_in_path(const std::string& name);
// The first line that it says of itself; kNotFound, and what to install, where there is none.
Result<std::string> tool_version(const Tool& tool);

}  // namespace subito::bench
