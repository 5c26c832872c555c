// Bed: what a benchmark of a node needs: a private node, its API, its gateway, and the binary of
// the function to deploy. Owned by the measurement; when it goes, the node goes.
#pragma once

#include <string>
#include <vector>

#include "bench/http_client.h"
#include "bench/node_client.h"
#include "bench/private_node.h"

namespace subito::bench {

// A function that was built, or installed, with the running program; kNotFound with what to build.
Result<std::string> find_function(const std::string& name);

// `asked`, or where that is empty the tiny echo beside the running program.
Result<std::string> function_binary(const std::string& asked);

// What asks a deployed echo to burn that much CPU time.
std::string burn_path(const char* function, std::uint32_t burn_ms);

struct Bed {
  PrivateNode node;
  NodeClient api;
  ServerAddress gateway;
  std::string binary;

  // `more`: other options of `subito up`.
  static Result<Bed> make(const std::string& binary, std::uint32_t pool_size,
                          const std::vector<std::string>& more = {});
};

}  // namespace subito::bench
