// `subito simulate`: a workload through the scheduler that serves live, faster than life, see
// README.md. The hook of the command line (deploy/cli/cli.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace subito::simulate {

// `arguments` behind "simulate". 0: done; 1: failed; 2: wrong command line; 5: a trace, report or
// recording is not in order; 130: interrupted, and what there was is printed.
int run_simulate(const std::vector<std::string>& arguments);
// On no more than so many processors; as run_all() has it.
int run_simulate_on(std::size_t processors, const std::vector<std::string>& arguments);

}  // namespace subito::simulate
