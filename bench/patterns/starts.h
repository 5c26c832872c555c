// Starts: an instance of the catalogue that does not run is started, in each way a pattern has,
// until its first right answer, which it reads from the pattern's Redis. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/patterns/book.h"
#include "bench/patterns/running.h"

namespace subito::bench {

// One way, prepared; `run` starts one, measures and ends it.
struct StartWay {
  std::string variant;
  std::function<Result<std::chrono::nanoseconds>()> run;
};
struct MissingWay {
  std::string variant;
  std::string reason;
};
struct StartWays {
  std::vector<StartWay> ways;
  std::vector<MissingWay> missing;
};

// Of everything but containers: a process, or a pod in each start mode.
StartWays start_ways(Running& running);

// Of containers: always on, docker start, pause and unpause, docker run. Those of the low-level
// runtimes, which need no daemon: oci_ways().
StartWays container_ways(Running& running);

// runc, crun and podman: the same binary with a pod's limits and a read-only root, in the network
// of `host`, whose Redis it asks. `folder` outlives the ways. Hides the unified control groups of a
// mixed host from this process, which crun wants: no node and no daemon may be started behind it.
StartWays oci_ways(Running& host, const std::string& folder);

// `count` times; stops at an error.
Status measure_way(const StartWay& way, const std::string& pattern, std::uint32_t count,
                   Book& book);

}  // namespace subito::bench
