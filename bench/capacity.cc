#include "bench/capacity.h"

#include <algorithm>
#include <thread>

#include "bench/load.h"

namespace subito::bench {

// As many callers as cores, twice: enough to keep all cores busy.
Result<double> measure_capacity(const ServerAddress& gateway, const std::string& path) {
  Load load;
  load.path = path;
  load.connections_max = 2 * std::max(1U, std::thread::hardware_concurrency());
  Load first = load;
  first.requests_max = first.connections_max;
  RETURN_IF_ERROR(run_loads(gateway, {first}, kCapacityTime));
  ASSIGN_OR_RETURN(const std::vector<LoadResult> results,
                   run_loads(gateway, {load}, kCapacityTime));
  const std::uint32_t answers = count_of(results[0], 200);
  if (answers == 0) {
    return fail(ErrorCode::kFailedPrecondition, "measure what the node can do: no answer with 200");
  }
  return answers / std::chrono::duration<double>(results[0].took).count();
}

}  // namespace subito::bench
