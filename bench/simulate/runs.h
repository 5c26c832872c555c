// Runs: the simulations of a comparison, on as many threads as the machine has processors. They
// share the plan, which nobody changes, and nothing else; so each comes to what it comes to alone.
// With two processors for each, one draws its arrivals (drawn_aside.h).
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "bench/simulate/simulation.h"

namespace subito::simulate {

// Told now and then how far which run is, 0 to 1, by one thread at a time; false: stop all.
using Watch = std::function<bool(std::size_t run, double progress)>;

std::size_t processors_here();

// Of each setup, in their order. After a stop: of those that had begun by then. `processors`: on
// how many it may run; with one everything is done by the thread that calls.
std::vector<Outcome> run_all(const std::vector<Setup>& setups, const Plan& plan, const Watch& watch,
                             std::size_t processors = processors_here());

}  // namespace subito::simulate
