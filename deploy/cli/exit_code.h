// Exit codes of the command line. `subito --help` tells them; programs rely on them. `bench` ends
// with 130 when Ctrl-C interrupted it, `debug` with what its program ended with.
#pragma once

namespace subito::cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,    // the node or the function said no; of doctor: this host lacks something
  kUsage = 2,     // the command line is wrong
  kNotFound = 3,  // no such function or pod
  kNoNode = 4,    // no node is reachable
  kRefused = 5,   // a manifest or a binary is wrong: nothing was sent or changed
};

}  // namespace subito::cli
