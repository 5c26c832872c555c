#include "autoscaler/level_gaps.h"

#include <algorithm>
#include <bit>

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
      if (level_ > 1) fell_above_.push_back(now);
    } else if (level_ == 1) {
      first_gap = now - fell_;
      first_.add(first_gap);
    } else {
      const std::size_t at = class_of(level_) - 1;
      if (at >= classes_above_.size()) classes_above_.resize(at + 1);
      classes_above_[at].add(now - fell_above_[level_ - 2]);
    }
  }
  for (; level_ > level; --level_) (level_ == 1 ? fell_ : fell_above_[level_ - 2]) = now;
  return first_gap;
}

const GapHistogram& LevelGaps::of(std::uint32_t level) const {
  static const GapHistogram kNone;
  const std::size_t at = class_of(std::min(level, kLevelsMax));
  if (at == 0) return first_;
  return at <= classes_above_.size() ? classes_above_[at - 1] : kNone;
}

}  // namespace subito::autoscaler
