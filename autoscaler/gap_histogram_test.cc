#include "autoscaler/gap_histogram.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace subito::autoscaler {
namespace {

using namespace std::chrono_literals;

void add(GapHistogram& gaps, int count, Duration gap) {
  for (int i = 0; i < count; ++i) gaps.add(gap);
}

TEST(GapHistogram, HasBinsOfHalfAnOctave) {
  EXPECT_EQ(GapHistogram::edge(0), 16ms);
  EXPECT_EQ(GapHistogram::edge(1), 24ms);
  EXPECT_EQ(GapHistogram::edge(2), 32ms);
  EXPECT_EQ(GapHistogram::edge(46), 134'217'728ms);
  for (std::size_t bin = 0; bin < GapHistogram::kEdges; ++bin) {
    EXPECT_EQ(GapHistogram::bin_of(GapHistogram::edge(bin) - 1us), bin);
    EXPECT_EQ(GapHistogram::bin_of(GapHistogram::edge(bin)), bin + 1);
  }
  EXPECT_EQ(GapHistogram::bin_of(0s), 0u);
  EXPECT_EQ(GapHistogram::bin_of(-1s), 0u);
  EXPECT_EQ(GapHistogram::bin_of(24h * 365 * 100), GapHistogram::kEdges);
}

TEST(GapHistogram, KeepsForWhatCostsLeast) {
  // As worked in the header; the bins' middles: 8 ms, and (8.192 s + 12.288 s) / 2 = 10.24 s.
  GapHistogram gaps;
  add(gaps, 90, 5ms);
  add(gaps, 10, 10s);
  EXPECT_EQ(gaps.cheapest(1s, 1h), 16ms);
  EXPECT_EQ(gaps.cheapest(20s, 1h), 12'288ms);
  // The price at which both cost the same: 10 * (16 ms + p) = 10 * 10.24 s, so p = 10.224 s.
  EXPECT_EQ(gaps.cheapest(10'224ms, 1h), 16ms);
  EXPECT_EQ(gaps.cheapest(10'225ms, 1h), 12'288ms);
}

TEST(GapHistogram, DropsAtOnceWhatIsNotWorthAStart) {
  GapHistogram gaps;
  add(gaps, 100, 10s);
  EXPECT_EQ(gaps.cheapest(10s, 1h), 0s);  // the middle of the bin is 10.24 s
  EXPECT_EQ(gaps.cheapest(11s, 1h), 12'288ms);
  EXPECT_EQ(gaps.cheapest(0s, 1h), 0s);
}

TEST(GapHistogram, NeverKeepsLongerThanItsLimit) {
  GapHistogram gaps;
  add(gaps, 100, 10s);
  EXPECT_EQ(gaps.cheapest(1h, 12'287ms), 0s);  // the limit would not catch what it waits for
  EXPECT_EQ(gaps.cheapest(1h, 12'288ms), 12'288ms);
  EXPECT_EQ(gaps.cheapest(1h, 0s), 0s);
}

TEST(GapHistogram, LooksAtAllBinsThatAreLeftAfterHalving) {
  GapHistogram gaps;
  add(gaps, 6'000, 10s);
  add(gaps, 65'536, 5ms);  // the last one halves
  EXPECT_EQ(gaps.count(), 3'000u + 32'767u + 1u);
  EXPECT_EQ(gaps.cheapest(20s, 1h), 12'288ms);
}

TEST(GapHistogram, HalvesWhenFullAndSoFollowsChange) {
  GapHistogram gaps;
  add(gaps, 65'536, 1h);
  EXPECT_EQ(gaps.count(), 32'768u);
  EXPECT_EQ(gaps.cheapest(1min, 24h), 0s);
  add(gaps, 65'536, 100ms);
  EXPECT_EQ(gaps.count(), 32'768u / 2 + 32'768u);
  EXPECT_EQ(gaps.cheapest(1min, 24h), 128ms);
}

// Every T there is, looked at one by one.
Duration cheapest_of_all(const std::vector<Duration>& gaps, Duration price, Duration limit) {
  const auto middle = [](std::size_t bin) {
    return bin == 0 ? GapHistogram::edge(0) / 2
                    : (GapHistogram::edge(bin - 1) + GapHistogram::edge(bin)) / 2;
  };
  const auto cost = [&](Duration keep) {
    Duration sum{};
    for (const Duration gap : gaps)
      sum += gap < keep ? middle(GapHistogram::bin_of(gap)) : keep + price;
    return sum;
  };
  Duration best{};
  for (std::size_t bin = 0; bin < GapHistogram::kEdges && GapHistogram::edge(bin) <= limit; ++bin) {
    if (cost(GapHistogram::edge(bin)) < cost(best)) best = GapHistogram::edge(bin);
  }
  return best;
}

TEST(GapHistogram, FindsWhatALookAtEveryBinFinds) {
  std::mt19937_64 random(1);
  const auto some = [&](unsigned octaves) {
    return std::chrono::milliseconds(static_cast<int>(random() % 8 << random() % octaves));
  };
  for (int round = 0; round < 200; ++round) {
    GapHistogram histogram;
    std::vector<Duration> gaps;
    for (std::uint64_t i = random() % 60; i > 0; --i) {
      gaps.push_back(some(28));
      histogram.add(gaps.back());
    }
    const Duration price = some(24);
    const Duration limit = some(28);
    ASSERT_EQ(histogram.cheapest(price, limit), cheapest_of_all(gaps, price, limit));
    ASSERT_EQ(histogram.cheapest(price, limit), cheapest_of_all(gaps, price, limit));
    ASSERT_EQ(histogram.cheapest(price, limit / 3), cheapest_of_all(gaps, price, limit / 3));
    ASSERT_EQ(histogram.cheapest(price / 3, limit), cheapest_of_all(gaps, price / 3, limit));
    gaps.push_back(some(28));
    histogram.add(gaps.back());
    ASSERT_EQ(histogram.cheapest(price / 3, limit), cheapest_of_all(gaps, price / 3, limit));
  }
}

// The answer is remembered over gaps that cannot change it, and for prices in between; whichever
// those are, it is right.
TEST(GapHistogram, IsRightAfterEachGap) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const auto milliseconds = [&](unsigned octaves) {
      return std::chrono::milliseconds(static_cast<int>(1 + random() % 7) << random() % octaves);
    };
    GapHistogram histogram;
    std::vector<Duration> gaps;
    const Duration price = milliseconds(18);
    const Duration limit = milliseconds(20);
    const unsigned octaves = 1 + static_cast<unsigned>(random() % 24);
    for (int i = 0; i < 40; ++i) {
      gaps.push_back(milliseconds(octaves));
      histogram.add(gaps.back());
      ASSERT_EQ(histogram.cheapest(price, limit), cheapest_of_all(gaps, price, limit));
      const Duration near = price * (80 + random() % 40) / 100;
      ASSERT_EQ(histogram.cheapest(near, limit), cheapest_of_all(gaps, near, limit));
    }
  }
}

TEST(GapHistogram, DoesNotOverflowWithFullBinsAtTheHighestPrice) {
  GapHistogram gaps;
  for (std::size_t bin = 0; bin < GapHistogram::kEdges; ++bin) {
    add(gaps, 65'535, GapHistogram::edge(bin) - 1us);
  }
  EXPECT_EQ(gaps.cheapest(24h * 365, 24h), GapHistogram::edge(44));  // 18.6 h; the next is 28 h
  EXPECT_EQ(sizeof(GapHistogram), 128u);                             // two cache lines
}

}  // namespace
}  // namespace subito::autoscaler
