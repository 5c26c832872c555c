// What tells a node's data folder from any other on the machine, and what is made of that.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace subito::node {

inline constexpr std::uint32_t kUidsPerNode = 1024;

// For as long as the folder exists.
Result<std::uint64_t> folder_number(const std::string& folder);
std::string hex(std::uint64_t number);
// Each node on a machine gives its pods uids of a range of its own, so that no two pods share one.
std::uint32_t uid_base(std::uint64_t folder_number);

}  // namespace subito::node
