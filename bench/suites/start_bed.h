// What the suites of starts share: functions deployed so that they sleep at once, what a node keeps
// ready for their starts, and calls whose answers are checked. Plain functions, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/bed.h"
#include "bench/interrupt.h"
#include "bench/load.h"
#include "bench/measures.h"
#include "bench/node_client.h"
#include "bench/pod_events.h"
#include "bench/statistics.h"
#include "bench/suites/measured_functions.h"

namespace subito::bench {

// A copy of one of the measured functions, asleep as soon as it has nothing to do.
struct StartFunction {
  std::string name;
  std::string mode;    // of kStartModes
  std::string policy;  // "instant", or "fixed": a pod for each call that finds none free
  std::uint32_t pods_max = 1;
  std::uint32_t pods_min = 0;
  MeasuredFunction what{};
};
// As YAML; the binary by an absolute path.
std::string manifest_of(const StartFunction& function);
// By way of a manifest in `folder`, for what `subito deploy` has no option.
Status deploy_start(NodeClient& api, const std::string& folder, const StartFunction& function);

// What a node holds while nothing happens, for the starts to come.
struct KeptReady {
  std::uint32_t empty_sandboxes = 0;
  std::uint64_t bytes = 0;      // of node, launcher and sandboxes, with these' kernel memory
  std::uint32_t processes = 0;  // without the private Redis
  double idle_cpu_percent = 0;  // of one core, over kIdleWatch
  std::uint32_t templates = 0;  // initialised processes' memory, in `bytes` too
};
inline constexpr std::chrono::seconds kIdleWatch{2};

// What the suites of starts promise of a start is promised of this function.
inline constexpr const char* kPromisedFunction = "empty";

// When no pod is there and `empty_sandboxes` wait.
Result<KeptReady> measure_kept_ready(NodeClient& api, std::uint32_t empty_sandboxes);
// Of another server, which waits for its next connection.
Result<KeptReady> measure_kept_by(pid_t server);
std::string words(const KeptReady& kept);  // "8 sandboxes, 12.3 MB, 11 processes, 0.1 % CPU"
nlohmann::ordered_json to_json(const KeptReady& kept);

// Calls of it on so many connections; `wrong` counts answers of 200 with another body and outlives
// the load, as the function does.
Load start_load(const StartFunction& function, std::uint32_t connections, std::uint32_t* wrong);

nlohmann::ordered_json millis_json(const Samples& samples);  // p50, max

// What all rounds showed of one function; each suite adds its own figures.
struct StartRow {
  StartFunction function;
  LoadResult calls;         // all rounds
  std::uint32_t wrong = 0;  // answers of 200 with another body
  Samples refill;           // a round: until the pool was full again
  PodTally pods;

  // A pod that crashed or did not start is one, though its call may have been answered by another.
  std::uint32_t errors() const;
};

// Of a suite that takes its rows in turns, round by round.
template <typename Options, typename Row>
struct StartResult {
  Options options;
  std::uint64_t seed = 0;
  KeptReady kept;
  std::vector<Row> rows;
  std::uint32_t rounds = 0;  // whole ones
  bool interrupted = false;

  std::uint32_t errors() const {
    std::uint32_t sum = 0;
    for (const Row& row : rows) sum += row.errors();
    return sum;
  }
};

// The node of such a run, and what it tells of each row's pods.
struct StartBed {
  Bed bed;
  std::vector<PodEvents> events;  // a row
};

// Deploys the functions of all rows, measures what is kept ready, then takes `round(bed, random)`
// again and again: until there are enough, an error came, or an interrupt, which keeps what there
// is.
template <typename Options, typename Row, typename Round>
Status run_start_rounds(StartResult<Options, Row>& result, Round round) {
  const Options& options = result.options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(Bed made, Bed::make("", options.pool_size));
  StartBed bed{std::move(made), {}};
  for (Row& row : result.rows) {
    RETURN_IF_ERROR(deploy_start(bed.bed.api, folder.path(), row.function));
    RETURN_IF_ERROR(seed_function(bed.bed.gateway, row.function.name, row.function.what));
    ASSIGN_OR_RETURN(PodEvents events,
                     PodEvents::open(bed.bed.node.api_socket(), row.function.name));
    bed.events.push_back(std::move(events));
  }
  ASSIGN_OR_RETURN(result.kept, measure_kept_ready(bed.bed.api, options.pool_size));
  std::mt19937_64 random(result.seed);
  while (result.rounds < options.rounds && result.errors() == 0) {
    const Status done = round(bed, random);
    result.rounds += done ? 1 : 0;
    result.interrupted = Interrupt::happened();
    if (result.interrupted) break;
    if (!done) return done;
  }
  for (std::size_t i = 0; i < result.rows.size(); ++i) result.rows[i].pods = bed.events[i].tally();
  return ok();
}

}  // namespace subito::bench
