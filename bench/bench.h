// `subito bench`: measures this machine's Subito from outside, see README.md. The hook of the
// command line (deploy/cli/cli.h).
#pragma once

#include <string>
#include <vector>

namespace subito::bench {

// `arguments` behind "bench". 0: measured, and every answer was right; 1: not so, 2: wrong command
// line, 130: interrupted. Everything it started is gone on return.
int run_bench(const std::vector<std::string>& arguments);

}  // namespace subito::bench
