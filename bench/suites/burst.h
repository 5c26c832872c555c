// Burst: no pod there, then N calls at one moment, on connections that are open already; within
// and beyond what is kept ready. By start mode, and by policy: `instant`, the default, and `fixed`,
// a pod for each call that finds none free. Short calls free their pods for others; of `held` no
// pod answers two, so that as many pods as calls are there at once. Rows take turns in an order
// shuffled anew each round. Single-threaded.
#pragma once

#include <string>

#include "bench/machine.h"
#include "bench/suites/start_bed.h"
#include "bench/suites/suite_options.h"

namespace subito::bench {

struct BurstRow : StartRow {
  std::uint32_t at_once = 0;
  // Without the time that the function itself holds a call.
  Samples first;  // a round: until the first was answered
  Samples all;    // until all were; `refill` is from then until no pod is left and the pool is full
};

using BurstResult = StartResult<BurstOptions, BurstRow>;

// The promise, of `held` with policy `fixed`: so many pods from zero, all of which have answered.
inline constexpr std::uint32_t kBurstCalls = 100;
inline constexpr std::chrono::milliseconds kBurstMax{250};

Result<BurstResult> measure_burst(const BurstOptions& options);

bool promises_kept(const BurstResult& result);

nlohmann::ordered_json to_json(const BurstResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const BurstResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
