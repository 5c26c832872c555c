// Churn: pods started and ended a second, sustained. Each of a few callers asks again as soon as it
// was answered, of a function whose pods go at once; the time runs until the last pod has gone, so
// that ends are paid for. By start mode, in turns. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/pod_events.h"
#include "bench/suites/start_bed.h"
#include "bench/suites/suite_options.h"

namespace subito::bench {

struct ChurnRow {
  StartFunction function;
  LoadResult calls;                // all rounds
  std::uint32_t wrong = 0;         // answers of 200 with another body
  std::vector<double> per_second;  // a round: pods that started and ended, over its time
  Samples refill;                  // a round: from no pod left until the pool is full again
  PodTally pods;

  std::uint32_t errors() const;
  double median_per_second() const;
};

struct ChurnResult {
  ChurnOptions options;
  std::uint64_t seed = 0;
  KeptReady kept;
  std::vector<ChurnRow> rows;
  std::uint32_t rounds = 0;
  bool interrupted = false;

  std::uint32_t errors() const;
};

inline constexpr double kFreshPerSecondMin = 500;  // the promise, on two cores

Result<ChurnResult> measure_churn(const ChurnOptions& options);

bool promises_kept(const ChurnResult& result);

nlohmann::ordered_json to_json(const ChurnResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const ChurnResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
