// What the suites of starts share: functions deployed so that they sleep at once, what a node keeps
// ready for their starts, and calls whose answers are checked. Plain functions, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/load.h"
#include "bench/node_client.h"
#include "bench/statistics.h"

namespace subito::bench {

// A copy of `measured`, asleep as soon as it has nothing to do.
struct StartFunction {
  std::string name;
  std::string mode;    // "fresh", "pooled"
  std::string policy;  // "instant", or "fixed": a pod for each call that finds none free
  std::uint32_t pods_max = 1;
  std::uint32_t pods_min = 0;
};
// As YAML; `binary`: an absolute path.
std::string manifest_of(const StartFunction& function, const std::string& binary);
// By way of a manifest in `folder`, for what `subito deploy` has no option.
Status deploy_start(NodeClient& api, const std::string& folder, const StartFunction& function);

// What a node holds while nothing happens, for the starts to come.
struct KeptReady {
  std::uint32_t empty_sandboxes = 0;
  std::uint64_t bytes = 0;      // of node, launcher and sandboxes, with these' kernel memory
  std::uint32_t processes = 0;  // without the private Redis
  double idle_cpu_percent = 0;  // of one core, over kIdleWatch
};
inline constexpr std::chrono::seconds kIdleWatch{2};

// When no pod is there and `empty_sandboxes` wait.
Result<KeptReady> measure_kept_ready(NodeClient& api, std::uint32_t empty_sandboxes);
std::string words(const KeptReady& kept);  // "8 sandboxes, 12.3 MB, 11 processes, 0.1 % CPU"
nlohmann::ordered_json to_json(const KeptReady& kept);

// Calls of the function's /json on so many connections; `wrong` counts answers of 200 with another
// body and outlives the load.
Load start_load(const std::string& function, std::uint32_t connections, std::uint32_t* wrong);

nlohmann::ordered_json millis_json(const Samples& samples);  // p50, max, samples

}  // namespace subito::bench
