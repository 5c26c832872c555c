#include "scheduler/places.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace subito::scheduler {

std::uint32_t Places::clamp(std::uint32_t height) const {
  return std::min({height, kHeightMax, max_ - 1});
}

// Heights may have been raised above what there is room for: none is left then, not fewer.
std::uint32_t Places::room_at(std::uint32_t level) const {
  const std::uint32_t allowed = max_ - level;
  return allowed - std::min(allowed, at_least_[level]);
}

void Places::add(std::uint32_t height, std::uint32_t pods) {
  for (std::uint32_t level = 0; level <= clamp(height); ++level) at_least_[level] += pods;
}

void Places::remove(std::uint32_t height, std::uint32_t pods) {
  for (std::uint32_t level = 0; level <= clamp(height); ++level) {
    CHECK(at_least_[level] >= pods);
    at_least_[level] -= pods;
  }
}

std::uint32_t Places::room(std::uint32_t height) const {
  std::uint32_t room = max_;
  for (std::uint32_t level = 0; level <= clamp(height); ++level) {
    room = std::min(room, room_at(level));
  }
  return room;
}

std::uint32_t Places::helped_from(std::uint32_t height) const {
  for (std::uint32_t level = clamp(height); level > 0; --level) {
    if (room_at(level) == 0) return level;
  }
  return 0;
}

}  // namespace subito::scheduler
