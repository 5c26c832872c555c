// Burst: no pod there, then N calls at one moment, on connections that are open already; within
// and beyond what is kept ready. By start mode, and by policy: `instant`, the default, and `fixed`,
// a pod for each call that finds none free. Rows take turns in an order shuffled anew each round.
// Single-threaded.
#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/pod_events.h"
#include "bench/suites/start_bed.h"
#include "bench/suites/suite_options.h"

namespace subito::bench {

struct BurstRow {
  StartFunction function;
  std::uint32_t at_once = 0;
  LoadResult calls;         // all rounds
  std::uint32_t wrong = 0;  // answers of 200 with another body
  Samples first;            // a round: until the first was answered
  Samples all;              // until all were
  Samples refill;           // from then until no pod is left and the pool is full again
  PodTally pods;

  std::uint32_t errors() const;
};

struct BurstResult {
  BurstOptions options;
  std::uint64_t seed = 0;
  KeptReady kept;
  std::vector<BurstRow> rows;
  std::uint32_t rounds = 0;
  bool interrupted = false;

  std::uint32_t errors() const;
};

// The promise, with policy `fixed`: so many calls from zero, all answered.
inline constexpr std::uint32_t kBurstCalls = 100;
inline constexpr std::chrono::milliseconds kBurstMax{250};

Result<BurstResult> measure_burst(const BurstOptions& options);

bool promises_kept(const BurstResult& result);

nlohmann::ordered_json to_json(const BurstResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const BurstResult& result, const Machine& machine, const std::string& command);

}  // namespace subito::bench
