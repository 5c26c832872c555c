// Server-Timing (W3C): "queue;dur=0.1, start;desc=pooled;dur=1.1", as the node's answers bear it.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace subito::bench {

struct ServerTiming {
  std::string name;
  std::string description;
  double milliseconds = 0;
};

// Entries in their order; what is not understood of one is left at its default.
std::vector<ServerTiming> parse_server_timing(std::string_view value);

}  // namespace subito::bench
