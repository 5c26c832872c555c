#include "autoscaler/level_gaps.h"

#include <algorithm>
#include <bit>

#include "runtime/base/fetch_lines.h"

namespace subito::autoscaler {
namespace {

std::size_t class_of(std::uint32_t level) {
  return static_cast<std::size_t>(std::bit_width(level - 1));
}

}  // namespace

Duration LevelGaps::move(TimePoint now, std::uint32_t level) {
  level = std::min(level, kLevelsMax);
  Duration first_gap(-1);
  while (level_ < level) {
    ++level_;
    if (level_ > highest_) {
      highest_ = level_;
      if (level_ > 1) fell_.push_back(now);
      continue;
    }
    const Duration gap = now - fell(level_);
    if (class_of(level_) >= classes_.size()) classes_.resize(class_of(level_) + 1);
    classes_[class_of(level_)].add(gap);
    if (level_ == 1) first_gap = gap;
  }
  for (; level_ > level; --level_) fell(level_) = now;
  return first_gap;
}

void LevelGaps::fetch() const {
  if (!classes_.empty()) fetch_lines(classes_.data(), sizeof(GapHistogram));
}

const GapHistogram* LevelGaps::of(std::uint32_t level) const {
  const std::size_t at = class_of(std::min(level, kLevelsMax));
  return at < classes_.size() ? &classes_[at] : nullptr;
}

}  // namespace subito::autoscaler
