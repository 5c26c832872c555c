// Becoming the image of a template (protocol/image.h) in place of an exec: the waiting sandbox
// gives up all of its own memory and takes that of the image, copy on write. Runs in the sandbox,
// behind its seccomp filter, with no right that the function would not have: what an image says can
// harm nobody but the pod that begins as it.
#pragma once

#include "runtime/sandbox/kernel_areas.h"
#include "runtime/sandbox/launch.h"

namespace subito::sandbox {

// What can be done before it is known whether there will be an image, of a sandbox that waits.
void prepare_restore();

// Does not return once it has begun. Returns an errno where this process cannot become the image;
// nothing was done then that exec minds: EBADMSG, it is none; EEXIST, its addresses are taken.
int restore_image(const ReceivedLaunch& launch, const KernelAreas& own);

}  // namespace subito::sandbox
