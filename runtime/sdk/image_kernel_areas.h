// Where [vvar] and [vdso] of a template's process are to lie in its pods: whether they can, and
// what the image means by a place in them. Pure; asks malloc for nothing, as ImageWriter must not.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/protocol/image.h"

namespace subito::sdk {

// `wanted` are as many as the image has, all at the same distance, and nothing of the image is
// where they will be.
bool can_move_kernel_areas(const protocol::ImageHeader& header,
                           std::span<const protocol::ImageKernelArea> wanted);

// libc has written down where [vdso] is, and so may others: each of `words`, the content of the
// image, that means a place in there means the same place where they are wanted. (That a number
// means none and is the same has a chance of 2^-50 a word.) Only where they can be moved.
void move_kernel_areas(protocol::ImageHeader& header,
                       std::span<const protocol::ImageKernelArea> wanted,
                       std::span<std::uint64_t> words);

}  // namespace subito::sdk
