// Step: from no pod to many calls at once and back to none, round after round, on a private node.
// Each round begins when the node says that no pod is there; all calls are due at the same moment,
// each on a connection that is open already, and their times are counted from then.
// Single-threaded.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/load.h"
#include "bench/machine.h"
#include "bench/options.h"
#include "bench/pod_events.h"
#include "bench/statistics.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct StepResult {
  StepOptions options;
  std::uint64_t seed = 0;
  std::uint32_t rounds = 0;
  // What the node can do on pods that are there, measured before each round: what else the machine
  // does meanwhile hits both alike.
  std::vector<double> per_second;
  // All rounds together.
  LoadResult calls;
  PodTally pods;
  Samples to_zero;  // a round: from the last answer until the node says that no pod is there

  // Whatever is not 200.
  std::uint32_t errors() const;
  double node_per_second() const;  // the mean; 0 if it was not measured
  // When that fraction of the calls at once can be answered at best: the k-th answer cannot come
  // before k / node_per_second(). 200 at 100 a second: p99 after 1.98 s.
  std::int64_t best_ns(double fraction) const;
  Ratio ratio(double fraction) const;  // of what it took to the best
};

inline constexpr double kStepP99RatioMax = 3.0;  // the promise, beside no error

Result<StepResult> measure_step(const StepOptions& options);

bool promises_kept(const StepResult& result);

nlohmann::ordered_json to_json(const StepResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const StepResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
