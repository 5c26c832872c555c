#include "runtime/node/node_identity.h"

#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

namespace subito::node {
namespace {

constexpr std::uint32_t kUidFirst = 700'000;
constexpr std::uint32_t kUidRanges = 1000;

}  // namespace

Result<NodeIdentity> identity_of(const std::string& data_folder) {
  struct stat info {};
  if (::stat(data_folder.c_str(), &info) != 0) return errno_error("look at " + data_folder);
  const std::uint64_t number =
      static_cast<std::uint64_t>(info.st_ino) ^ (static_cast<std::uint64_t>(info.st_dev) << 40);
  return NodeIdentity{fmt::format("{:x}", number),
                      kUidFirst + static_cast<std::uint32_t>(number % kUidRanges) * kUidsPerNode};
}

}  // namespace subito::node
