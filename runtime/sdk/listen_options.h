// The arguments of a binary that serves HTTP by itself, and what --help says of it. Stateless.
#pragma once

#include <optional>

#include "runtime/sdk/listen.h"

namespace subito::sdk {

struct ReadOptions {
  std::optional<ListenOptions> listen;  // not there: exit with `status`, all was said
  int status = 0;
};

// `what` begins the text of --help.
ReadOptions read_listen_options(int argc, char** argv, const char* what);

inline constexpr int kExitUsage = 64;  // EX_USAGE of sysexits.h

}  // namespace subito::sdk
