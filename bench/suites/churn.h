// Churn: pods started and ended a second, sustained. Each of a few callers asks again as soon as it
// was answered, of a function whose pods go at once; the time runs until the last pod has gone, so
// that ends are paid for. By start mode, in turns. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/suites/start_bed.h"
#include "bench/suites/suite_options.h"

namespace subito::bench {

struct ChurnRow : StartRow {
  // A round: pods that started and ended, over its time. `refill` is from no pod left.
  std::vector<double> per_second;

  double median_per_second() const;
};

using ChurnResult = StartResult<ChurnOptions, ChurnRow>;

inline constexpr double kFreshPerSecondMin = 500;  // the promise, on two cores

Result<ChurnResult> measure_churn(const ChurnOptions& options);

bool promises_kept(const ChurnResult& result);

nlohmann::ordered_json to_json(const ChurnResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const ChurnResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
