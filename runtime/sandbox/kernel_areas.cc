#include "runtime/sandbox/kernel_areas.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "runtime/sandbox/cgroup_files.h"

namespace subito::sandbox {
namespace {

Result<KernelAreas> read_kernel_areas(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string maps, read_at(AT_FDCWD, path.c_str()));
  KernelAreas found;
  for (std::size_t at = 0; at < maps.size();) {
    const std::size_t line_end = std::min(maps.find('\n', at), maps.size());
    const std::string line = maps.substr(at, line_end - at);
    at = line_end + 1;
    if (!line.ends_with("[vdso]") && line.find("[vvar") == line.npos) continue;
    if (found.count == protocol::kImageKernelAreasMax) {
      return fail(ErrorCode::kInternal, "read " + path + ": more of the kernel's than is known");
    }
    protocol::ImageKernelArea& area = found.areas[found.count++];
    char* dash = nullptr;
    area.begin = std::strtoull(line.c_str(), &dash, 16);
    area.end = std::strtoull(dash + 1, nullptr, 16);
  }
  return found;
}

}  // namespace

Result<KernelAreas> find_kernel_areas() {
  return read_kernel_areas("/proc/self/maps");
}

Result<KernelAreas> find_kernel_areas(pid_t pid) {
  return read_kernel_areas("/proc/" + std::to_string(pid) + "/maps");
}

Status put_kernel_areas(int image, const KernelAreas& areas) {
  protocol::ImageHeader header;
  header.magic = 0;  // none yet
  header.kernel_area_count = areas.count;
  std::copy(areas.areas, areas.areas + areas.count, header.kernel_areas);
  if (::pwrite(image, &header, sizeof header, 0) != ssize_t{sizeof header}) {
    return errno_error("begin image");
  }
  return ok();
}

}  // namespace subito::sandbox
