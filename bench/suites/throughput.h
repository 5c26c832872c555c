// Throughput: warm requests a second and the kernel's count of CPU time a request, server and
// upstream together, of the same handler behind Subito's gateway and in other ways, at several
// numbers of connections, closed loop. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/suites/suite_options.h"
#include "bench/suites/warm_report.h"

namespace subito::bench {

struct ThroughputResult : WarmResult {};

// The promises: with one connection p50 is no longer than behind nginx, with more there are so many
// times its requests a second, for less CPU time.
inline constexpr double kOneConnectionRatioMax = 1.0;
inline constexpr double kPerSecondRatioMin = 1.5;
inline constexpr double kCpuRatioMax = 1.0;
// Metrics, logs and 1 % of traces take under 5 %.
inline constexpr double kObservedPerSecondRatioMin = 0.95;
inline constexpr double kObservedCpuRatioMax = 1.05;

Result<ThroughputResult> measure_throughput(const ThroughputOptions& options);

// Those that this run can tell about: none without nginx.
std::vector<WarmTarget> targets_of(const ThroughputResult& result);
bool promises_kept(const ThroughputResult& result);

nlohmann::ordered_json to_json(const ThroughputResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const ThroughputResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
