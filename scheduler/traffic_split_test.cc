#include "scheduler/traffic_split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace subito::scheduler {
namespace {

std::vector<int> picks(TrafficSplit& split, std::size_t revisions, int calls) {
  std::vector<int> counts(revisions);
  for (int i = 0; i < calls; ++i) ++counts[split.pick()];
  return counts;
}

TEST(TrafficSplit, IsExactAfterEveryRound) {
  for (const std::vector<std::uint32_t>& weights :
       {std::vector<std::uint32_t>{90, 10}, {1, 99}, {33, 33, 34}, {1, 2, 3, 4, 90}}) {
    TrafficSplit split(weights);
    for (int round = 0; round < 100; ++round) {
      const std::vector<int> counts = picks(split, weights.size(), 100);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        EXPECT_EQ(counts[i], static_cast<int>(weights[i]));
      }
    }
  }
}

TEST(TrafficSplit, SpreadsASmallShareOverTheRound) {
  TrafficSplit split({90, 10});
  int since = 0, longest = 0;
  for (int i = 0; i < 1000; ++i) {
    ++since;
    if (split.pick() == 1) since = 0;
    longest = std::max(longest, since);
  }
  EXPECT_LE(longest, 10);
}

TEST(TrafficSplit, NeverPicksAWeightOfZero) {
  TrafficSplit first({0, 5});
  EXPECT_EQ(picks(first, 2, 100), (std::vector<int>{0, 100}));
  TrafficSplit last({5, 0});
  EXPECT_EQ(picks(last, 2, 100), (std::vector<int>{100, 0}));
}

}  // namespace
}  // namespace subito::scheduler
