// Azure: populations of functions with the published properties of Azure Functions' traffic, for
// who does not have the traces. Where a paper gives a distribution it is used; where it gives
// single figures the curve between them is ours, and said so in azure.cc.
//
// azure-2019: Shahrad et al., Serverless in the Wild, USENIX ATC'20, section 3.
// azure-2021: call shares of the trace published with Zhang et al., SOSP'21.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/simulate/renewal.h"
#include "bench/simulate/shapes.h"
#include "bench/simulate/workload.h"

namespace subito::simulate {

enum class Trigger : std::uint8_t { kHttp, kQueue, kEvent, kTimer, kOrchestration, kOther };

struct AzureFunction {
  std::uint32_t app = 0;
  Trigger trigger = Trigger::kHttp;
  double calls_per_day = 0;
  double run_seconds = 0;  // mean
  std::uint64_t memory_bytes = 0;
  Gaps gaps = Gaps::kPoisson;
};

// The population alone. `calls` a day in all; 0: as many as the published rates make.
std::vector<AzureFunction> azure_2019_functions(std::uint32_t functions, double calls,
                                                std::uint64_t seed);
std::vector<AzureFunction> azure_2021_functions(std::uint32_t functions, double calls,
                                                std::uint64_t seed);

// `azure-2019` (200 functions, a day) or `azure-2021` (424 functions, 1,980,951 calls, 14 days),
// scaled by `size`. kNotFound: another name.
Result<Plan> azure_plan(Spec spec, const Size& size);

}  // namespace subito::simulate
