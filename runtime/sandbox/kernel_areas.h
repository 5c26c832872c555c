// Where the kernel's own mappings lie in a process, [vvar] and [vdso]: in the launcher and all its
// children at the same place. What a template is told before it leaves its image
// (ImageHeader::kernel_areas), so that no pod has to move them.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/protocol/image.h"

namespace subito::sandbox {

struct KernelAreas {
  std::uint32_t count = 0;
  protocol::ImageKernelArea areas[protocol::kImageKernelAreasMax];
};

Result<KernelAreas> find_kernel_areas();
Result<KernelAreas> find_kernel_areas(pid_t pid);

// A blank image that says where they are to be.
Status put_kernel_areas(int image, const KernelAreas& areas);

}  // namespace subito::sandbox
