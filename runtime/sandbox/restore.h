// Becoming the image of a template (protocol/image.h) in place of an exec: the waiting sandbox
// gives up all of its own memory and takes that of the image, copy on write. Runs in the sandbox,
// behind its seccomp filter, with no right that the function would not have: what an image says can
// harm nobody but the pod that begins as it.
#pragma once

#include "runtime/base/result.h"
#include "runtime/protocol/image.h"
#include "runtime/sandbox/launch.h"

namespace subito::sandbox {

// Where the kernel's own mappings are in this process and in its children. Read once.
struct KernelAreas {
  std::uint32_t count = 0;
  protocol::ImageKernelArea areas[protocol::kImageKernelAreasMax];
};
Result<KernelAreas> find_kernel_areas();

// Does not return once it has begun. Returns an errno where this process cannot become the image;
// nothing was done then that exec minds: EBADMSG, it is none; EEXIST, its addresses are taken.
int restore_image(const ReceivedLaunch& launch, const KernelAreas& own);

}  // namespace subito::sandbox
