// What tells a node's data folder from any other on the machine, for as long as it exists: names
// of its control groups, consumers and traces, and the uids of its pods, come from it. Plain
// functions.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace subito::node {

// Each node on a machine gives its pods uids of a range of its own, so that no two pods share one.
inline constexpr std::uint32_t kUidsPerNode = 1024;

struct NodeIdentity {
  std::string id;  // hexadecimal
  std::uint32_t uid_base = 0;
};
Result<NodeIdentity> identity_of(const std::string& data_folder);

}  // namespace subito::node
