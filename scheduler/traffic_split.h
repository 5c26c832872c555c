// TrafficSplit: which revision of a function the next invocation goes to, when more than one
// serves. Smooth weighted round robin: after as many picks as the weights sum up to each was picked
// exactly as often as its weight says, and those of one are spread over the whole round. It needs
// no random device and is not sticky: a client meets all of them.
//
// Owned by whoever owns the scheduler, same thread; pure, so that live node and simulator share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/base/check.h"

namespace subito::scheduler {

class TrafficSplit {
 public:
  // One weight a revision; 0 is never picked. At least one is above 0.
  explicit TrafficSplit(const std::vector<std::uint32_t>& weights) {
    for (const std::uint32_t weight : weights) {
      shares_.push_back({weight, 0});
      total_ += weight;
    }
    CHECK(total_ > 0);
  }

  // The place of the one picked among the weights. O(their number), allocates nothing.
  std::size_t pick() {
    std::size_t best = 0;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      shares_[i].credit += shares_[i].weight;
      // Of a weight of 0 the credit stays 0, and the credits of the others sum up to the total.
      if (shares_[i].credit > shares_[best].credit) best = i;
    }
    shares_[best].credit -= total_;
    return best;
  }

 private:
  struct Share {
    std::int64_t weight;
    std::int64_t credit;
  };
  std::vector<Share> shares_;
  std::int64_t total_ = 0;
};

}  // namespace subito::scheduler
