// Machine: what a figure must be read with: processor, kernel, cgroups, load, commit. Read once,
// before the measurement. Plain functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace subito::bench {

struct Machine {
  std::string cpu;
  unsigned cores = 0;
  std::string kernel;
  std::string cgroups;        // "version 1", "version 2", "version 1, an empty version 2 beside it"
  bool favordynmods = false;  // joining a cgroup is cheap, see docs
  std::string load;           // of the last 1, 5 and 15 minutes, when the run began
  std::string commit;         // "e44d80a", "e44d80a, changed", "unknown"
  std::vector<std::pair<std::string, std::string>> settings;  // of the kernel, as found
};

// `program`: the binary that is measured; the commit is that of the folder it lies in.
Machine describe_machine(const std::string& program);

nlohmann::ordered_json to_json(const Machine& machine);
std::string words(const Machine& machine);  // one line

// "/proc/mounts" of this text: which cgroups, and whether with favordynmods.
void read_cgroups(const std::string& mounts, Machine& machine);

}  // namespace subito::bench
