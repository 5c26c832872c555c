// LevelGaps: the gaps between uses of a function's first, second, ... n-th pod. Level k is reached
// while k pods are needed at once; its gap is the time from falling below k to rising to k again:
// what the k-th pod would be idle. As pods are taken most recently used first, the one that has
// been idle longest of n is needed when level n is reached. Inside the Instant policy; a value.
//
// Levels share histograms by class: 1, 2, 3-4, 5-8, 9-16, ... What is known of level 1 lies inside:
// most functions reach no other. The rest grows when a level is reached for the first time, and
// then allocates nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "autoscaler/gap_histogram.h"
#include "runtime/base/time.h"

namespace subito::autoscaler {

class LevelGaps {
 public:
  static constexpr std::uint32_t kLevelsMax = 1024;  // what is above counts as this

  // So many pods are needed from `now` on. O(levels passed). Answers the gap that ended if level 1
  // was reached from 0, else a negative one.
  Duration move(TimePoint now, std::uint32_t level);
  std::uint32_t level() const { return level_; }

  // Of the class of a level from 1 on; empty while no gap of it was seen.
  const GapHistogram& of(std::uint32_t level) const;

 private:
  std::uint32_t level_ = 0;
  std::uint32_t highest_ = 0;  // ever reached
  TimePoint fell_{};           // when level 1 was left last
  GapHistogram first_;
  std::vector<TimePoint> fell_above_;  // by level, from 2
  std::vector<GapHistogram> classes_above_;
};

}  // namespace subito::autoscaler
