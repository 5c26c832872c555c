// The command line of `subito simulate`, parsed and with its defaults. Plain values, no thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "autoscaler/policy.h"
#include "bench/simulate/shapes.h"

namespace CLI {
class App;
}

namespace subito::simulate {

// "fixed:idle=60s"
struct PolicyChoice {
  std::string name;  // as it was typed
  autoscaler::PolicyKind kind = autoscaler::PolicyKind::kInstant;
  std::optional<Duration> idle;
};

struct Options {
  std::string workload = "azure-2019";
  std::vector<std::string> trace_2019;  // files or one folder
  std::string trace_2021;
  std::string recorded;  // a recording: its calls, and its own figures beside
  std::string replay;    // a recording: no simulation, and nothing else counts but `json`
  std::vector<PolicyChoice> policies;  // all there are, unless named
  Size size;
  std::string cold_start;  // empty: as recorded, else 1 ms
  bool grid = false;
  std::uint32_t cores = 0;         // 0: never short of them
  std::uint64_t memory_bytes = 0;  // 0: never short of it
  std::uint32_t pods = 0;          // that it holds; 0: by memory
  std::uint32_t starts = 0;        // at once; 0: 4 a core, without limit if cores are
  std::uint32_t pods_max = 0;      // of a function; 0: as many as the node holds
  std::uint32_t concurrency = 1;
  std::optional<bool> cores_by_function;  // unset: as the workload has it
  Duration start_cpu{};
  Duration timeout{};
  std::optional<Duration> idle;  // unset: as recorded, else the scheduler's default
  bool json = false;
  std::string html;
  std::string report;
};

// The cold starts of --grid.
inline const std::vector<std::string> kGridStarts = {"1ms", "10ms", "100ms", "250ms", "2s"};

// kInvalidArgument with words for the person who typed it; kCancelled with the help text when that
// was asked for.
Result<Options> parse_simulate(std::vector<std::string> arguments);
// Shows the parser, for help and references. The hook of the command line.
void see_simulate(const std::function<void(CLI::App&)>& see);

}  // namespace subito::simulate
