// Density: what an idle pod takes of the host's memory, and how many fit in a GiB. The kernel's own
// account of each pod's control group, its kernel memory included; MemAvailable before and after as
// a check, which sees what no group is charged for. Single-threaded.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/node_client.h"
#include "bench/suites/suite_options.h"

namespace subito::bench {

struct DensityRow {
  std::string function;
  std::string start;
  std::uint32_t pods = 0;
  std::uint64_t charged_bytes = 0;         // to the pods' groups, all together
  std::uint64_t charged_kernel_bytes = 0;  // of these
  std::int64_t available_bytes = 0;        // less MemAvailable than before
  std::uint64_t node_bytes = 0;            // more memory (RSS) of node and launcher than before
  std::vector<double> charged_each{};      // to each pod's group

  double charged_per_pod() const { return pods == 0 ? 0 : double(charged_bytes) / pods; }
  double available_per_pod() const { return pods == 0 ? 0 : double(available_bytes) / pods; }
};

struct DensityResult {
  DensityOptions options;
  std::vector<DensityRow> rows;
  bool interrupted = false;
  std::uint32_t errors() const { return 0; }  // an error ends it
};

inline constexpr double kIdlePodBytesMax = 350 * 1024;  // the promise, of the function `empty`

Result<DensityResult> measure_density(const DensityOptions& options);

bool promises_kept(const DensityResult& result);

// What the kernel charges to the memory group of a process, by its lines of /proc/PID/cgroup.
struct Charged {
  std::uint64_t bytes = 0;
  std::uint64_t kernel_bytes = 0;
};
// The folder of that group, under `root` (/sys/fs/cgroup); empty: it has none.
std::string memory_group(const std::string& proc_cgroup, const std::string& root);
Result<Charged> charged_to(const std::string& group);

nlohmann::ordered_json to_json(const DensityResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const DensityResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
