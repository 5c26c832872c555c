#include "runtime/node/data_folder.h"

#include <sys/stat.h>

#include <cstdio>

namespace subito::node {
namespace {

constexpr std::uint32_t kUidFirst = 700'000;
constexpr std::uint32_t kUidRanges = 1000;

}  // namespace

Result<std::uint64_t> folder_number(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return errno_error("look at " + folder);
  return static_cast<std::uint64_t>(info.st_ino) ^ (static_cast<std::uint64_t>(info.st_dev) << 40);
}

std::string hex(std::uint64_t number) {
  char out[17];
  std::snprintf(out, sizeof out, "%llx", static_cast<unsigned long long>(number));
  return out;
}

std::uint32_t uid_base(std::uint64_t folder_number) {
  return kUidFirst + static_cast<std::uint32_t>(folder_number % kUidRanges) * kUidsPerNode;
}

}  // namespace subito::node
