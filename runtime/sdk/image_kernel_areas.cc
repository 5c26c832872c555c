#include "runtime/sdk/image_kernel_areas.h"

#include <algorithm>

namespace subito::sdk {

using protocol::ImageKernelArea;

bool can_move_kernel_areas(const protocol::ImageHeader& header,
                           std::span<const ImageKernelArea> wanted) {
  const std::uint32_t count = header.kernel_area_count;
  if (count == 0 || wanted.size() != count) return false;
  const std::uint64_t distance = wanted[0].begin - header.kernel_areas[0].begin;
  for (std::uint32_t i = 0; i < count; ++i) {
    const ImageKernelArea& from = header.kernel_areas[i];
    const ImageKernelArea& to = wanted[i];
    if (to.begin - from.begin != distance || to.end - from.end != distance) return false;
    for (std::uint32_t k = 0; k < header.area_count; ++k) {
      if (header.areas[k].begin < to.end && to.begin < header.areas[k].end) return false;
    }
  }
  return true;
}

void move_kernel_areas(protocol::ImageHeader& header, std::span<const ImageKernelArea> wanted,
                       std::span<std::uint64_t> words) {
  const std::uint32_t count = header.kernel_area_count;
  const auto* const from = header.kernel_areas;
  const std::uint64_t distance = wanted[0].begin - from[0].begin;
  for (std::uint64_t& word : words) {
    if (word < from[0].begin || word >= from[count - 1].end) continue;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (word < from[i].begin || word >= from[i].end) continue;
      word += distance;
      break;  // where it is now may be another of them
    }
  }
  std::copy_n(wanted.begin(), count, header.kernel_areas);
}

}  // namespace subito::sdk
