// `subito up`: runs a node in the foreground until SIGINT or SIGTERM.
#pragma once

#include <string>

#include "deploy/cli/cli.h"
#include "deploy/cli/exit_code.h"

namespace subito::node {

// Returns the exit code of the process: 0 after an orderly end, 1 when the node could not start or
// go on. A second signal while it shuts down ends it at once.
int run_up(const cli::UpOptions& options);

// Where the key of secrets is, absolute: what is told of it holds in any folder. Never in the data
// folder: whoever has a copy of that has no secret. A node of one's own has it beside.
std::string secret_key_file(const cli::UpOptions& options, const std::string& data);

// `subito doctor`: what this host can do and what it lacks. 0: nothing is missing.
int run_doctor(bool json);

}  // namespace subito::node
