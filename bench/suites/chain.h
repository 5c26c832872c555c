// Chain: what it costs that a function calls a function. The same handler asks another one
// kChainCalls times within one request, by way of the node (Context::call), over HTTP between two
// plain processes, and over HTTP through the gateway. Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/suites/suite_options.h"
#include "bench/suites/warm_report.h"

namespace subito::bench {

struct ChainResult : WarmResult {};

// One request in so many calls is shared out among them: a fiftieth of it is in each figure.
inline constexpr int kChainCalls = 50;
inline constexpr double kChainRatioMax = 1.0 / 3;  // the promise: of the call through the gateway

Result<ChainResult> measure_chain(const ChainOptions& options);

bool promises_kept(const ChainResult& result);

nlohmann::ordered_json to_json(const ChainResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const ChainResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
