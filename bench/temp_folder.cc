#include "bench/temp_folder.h"

#include <cstdlib>
#include <filesystem>

namespace subito::bench {

Result<TempFolder> TempFolder::make() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = std::string(parent != nullptr ? parent : "/tmp") + "/subito-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return errno_error("make temporary folder");
  return TempFolder(path);
}

TempFolder::~TempFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace subito::bench
