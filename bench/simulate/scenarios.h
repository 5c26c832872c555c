// Scenarios: small workloads of two functions with names, each for one promise of the node:
// `calls`, checkouts that each wait for stock, all end; `flood`, a flooded function leaves a quiet
// one alone. Their results are told by function.
#pragma once

#include "bench/simulate/shapes.h"
#include "bench/simulate/text.h"
#include "bench/simulate/workload.h"

namespace subito::simulate {

// `calls`, `flood`; keys and defaults: see `subito simulate --help`. `cores` of the node, which
// flood needs. kNotFound for another name, kInvalidArgument for a wrong key.
Result<Plan> scenario_plan(Spec spec, const Size& size, std::uint32_t cores);

}  // namespace subito::simulate
