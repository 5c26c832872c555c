// Recorded: what a live node did, from its recording (`subito up --record`), in the simulator's
// terms: its calls as a workload, its starts as a distribution, and its own figures, to stand
// beside those of a simulation of the same. The recording is replayed first; one that decides
// otherwise tells nothing about pods.
#pragma once

#include <string_view>

#include "bench/simulate/distribution.h"
#include "bench/simulate/outcome.h"
#include "bench/simulate/workload.h"
#include "runtime/base/result.h"

namespace subito::simulate {

struct Recorded {
  Plan plan;  // calls that were completed, with the time that they took in their pod
  Distribution cold_start = Distribution::fixed(Duration());  // decision to hello, of every pod
  Outcome live;
};

// kProtocol: broken, or without a completed call; kFailedPrecondition: it decides otherwise.
Result<Recorded> read_recorded(std::string_view recording);

}  // namespace subito::simulate
