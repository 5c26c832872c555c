// `subito bench peers`: what is installed of what Subito can be compared with, and installing the
// rest. Main thread.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace subito::bench {

struct PeersOptions {
  bool install = false;
  bool yes = false;  // asks nothing
  bool json = false;
};

void add_peers(CLI::App& app, PeersOptions& options);
int run_peers(const PeersOptions& options);  // exit code

}  // namespace subito::bench
