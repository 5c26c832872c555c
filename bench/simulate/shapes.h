// Shapes: small workloads whose rate of calls follows a plain curve: what one function meets in a
// test, a launch, a day, a schedule. All functions are alike and share the rate.
#pragma once

#include "bench/simulate/text.h"
#include "bench/simulate/workload.h"

namespace subito::simulate {

// What the command line says of any workload. 0 or unset: the workload's own default.
struct Size {
  std::uint32_t functions = 0;
  std::uint64_t calls = 0;
  Duration duration{};
  std::uint64_t seed = 1;
};

// `constant`, `poisson`, `step`, `burst`, `sine`, `on-off`; keys and defaults: see `subito simulate
// --help`. kInvalidArgument for another name or a wrong key.
Result<Plan> shaped_plan(Spec spec, const Size& size);

}  // namespace subito::simulate
