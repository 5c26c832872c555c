// Exit codes of the command line. `subito --help` tells them; programs rely on them. `bench` and
// `simulate` end with 130 when Ctrl-C interrupted them, `debug` with what its program ended with.
#pragma once

#include <array>
#include <string_view>

namespace subito::cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,    // the node or the function said no; of doctor: this host lacks something
  kUsage = 2,     // the command line is wrong
  kNotFound = 3,  // no such function or pod
  kNoNode = 4,    // no node is reachable
  kRefused = 5,   // a manifest, a binary or a trace is wrong: nothing was sent or changed
};

struct ExitCodeWords {
  int code;
  std::string_view words;
};
inline constexpr std::array kExitCodes = {
    ExitCodeWords{kOk, "done"},
    ExitCodeWords{kFailed, "failed"},
    ExitCodeWords{kUsage, "wrong command line"},
    ExitCodeWords{kNotFound, "no such function or pod"},
    ExitCodeWords{kNoNode, "node not reachable"},
    ExitCodeWords{kRefused, "manifest, binary or trace refused"},
    ExitCodeWords{130, "interrupted"},
};

}  // namespace subito::cli
