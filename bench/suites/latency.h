// Latency: how long warm answers take at a fixed rate, whatever the answers take (open loop), of
// the same handler behind Subito's gateway and in other ways. Rates are given, or shares of what
// the slower of Subito and its reference was found to do at most, so that both can keep them.
// Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/suites/suite_options.h"
#include "bench/suites/warm_report.h"

namespace subito::bench {

struct LatencyResult : WarmResult {
  double subito_per_second = 0;         // at most, closed loop; 0: the rate was given
  double reference_per_second = 0;      // the same
  std::vector<std::uint32_t> percents;  // of what the slower one can do, a run; none: a rate given
};

// The capacity is measured with so many connections, as throughput's.
inline constexpr std::uint32_t kCapacityConnections = 16;

Result<LatencyResult> measure_latency(const LatencyOptions& options);

// No promise is made of it yet.
inline bool promises_kept(const LatencyResult&) {
  return true;
}

nlohmann::ordered_json to_json(const LatencyResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const LatencyResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
