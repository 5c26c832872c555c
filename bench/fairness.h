// Fairness: what one function notices of another one that is flooded. Two copies of one function,
// each request of which takes a fixed CPU time, on a private node. Each round asks `quiet` at a
// fixed low rate alone, then at the same rate while `flood` is asked for ten times what the node
// can do. Times are counted from when a request was due. Who asks `quiet` has a thread of its own
// that goes before others (runtime/base/cpu_turns.h), so that it is not late itself; the flood's
// sender is a process like any other. Blocking.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/load.h"
#include "bench/machine.h"
#include "bench/options.h"
#include "bench/statistics.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct FairnessResult {
  FairnessOptions options;
  std::uint64_t seed = 0;
  std::uint32_t rounds = 0;
  double node_per_second = 0;   // what the node can do, measured first on `flood` alone
  double flood_per_second = 0;  // what `flood` was asked for
  // All rounds together.
  LoadResult alone;
  LoadResult beside;
  LoadResult flood;

  // Of `quiet` whatever is not 200, of `flood` whatever is neither 200 nor a refusal.
  std::uint32_t errors() const;
  Ratio ratio(double fraction) const;  // of beside to alone
};

inline constexpr double kP99RatioMax = 2.0;  // the promise
inline constexpr double kFloodFactor = 10;
inline constexpr std::uint32_t kFloodRequestsMax = 200'000;  // a round

Result<FairnessResult> measure_fairness(const FairnessOptions& options);

bool promises_kept(const FairnessResult& result);

nlohmann::ordered_json to_json(const FairnessResult& result, const Machine& machine,
                               const std::string& command);
std::string to_text(const FairnessResult& result, const Machine& machine,
                    const std::string& command);

}  // namespace subito::bench
