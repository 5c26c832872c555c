// Installs peers: Debian's with apt-get, npm's into a folder of their own. No service is started:
// while packages are installed, a policy-rc.d(8) of ours forbids it. Main thread.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace subito::bench {

struct PeerPackages {
  std::vector<std::string> debian;
  std::vector<std::string> npm;
  bool empty() const { return debian.empty() && npm.empty(); }
};

// What is missing.
PeerPackages missing_packages();

// Shows what apt-get and npm say. kFailedPrecondition when a policy-rc.d is there that allows
// services; npm's packages go to peer_packages().
Status install(const PeerPackages& packages);

}  // namespace subito::bench
