// LevelGaps: the gaps between uses of a function's first, second, ... n-th pod. Level k is reached
// while k pods are needed at once; its gap is the time from falling below k to rising to k again:
// what the k-th pod would be idle. As pods are taken most recently used first, the one that has
// been idle longest of n is needed when level n is reached. Inside the Instant policy; a value.
//
// Levels share histograms by class: 1, 2, 3-4, 5-8, 9-16, ... Both grow when a level is reached for
// the first time, and then allocate nothing.
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

  // Asks the caches for what the next move of the first levels reads; it changes nothing.
  void fetch() const;
  // Of the class of a level from 1 on; null: no gap of it was seen yet.
  const GapHistogram* of(std::uint32_t level) const;

 private:
  TimePoint& fell(std::uint32_t level) { return level == 1 ? first_fell_ : fell_[level - 2]; }

  std::uint32_t level_ = 0;
  std::uint32_t highest_ = 0;    // that was reached so far
  TimePoint first_fell_;         // when level 1 was left last: most functions have no other
  std::vector<TimePoint> fell_;  // the same of the levels from 2 on
  std::vector<GapHistogram> classes_;
};

}  // namespace subito::autoscaler
