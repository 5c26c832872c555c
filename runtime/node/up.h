// `subito up`: runs a node in the foreground until SIGINT or SIGTERM.
#pragma once

#include "deploy/cli/cli.h"
#include "deploy/cli/exit_code.h"

namespace subito::node {

// Returns the exit code of the process: 0 after an orderly end, 1 when the node could not start or
// go on. A second signal while it shuts down ends it at once.
int run_up(const cli::UpOptions& options);

// `subito doctor`: what this host can do and what it lacks. 0: nothing is missing.
int run_doctor(bool json);

}  // namespace subito::node
