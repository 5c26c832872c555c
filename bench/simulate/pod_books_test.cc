#include "bench/simulate/pod_books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TimePoint at(Duration since) {
  return TimePoint(since);
}

TEST(Series, IsTheMeanOfEachBucket) {
  Series series(4s, 4);
  series.change(at(500ms), 2);    // half of the first
  series.change(at(2500ms), -1);  // the third: half 2, half 1
  EXPECT_THAT(series.means(at(4s)), ElementsAre(1, 2, 1.5, 1));
}

TEST(Series, TellsOnlyWhatBegan) {
  Series series(4s, 4);
  series.change(at(0s), 3);
  EXPECT_THAT(series.means(at(1500ms)), ElementsAre(3, 3));
}

TEST(PodBooks, CountTheBusyAndTheIdleUpToTheEnd) {
  PodBooks books(10s);
  books.started(at(1s));
  books.started(at(2s));
  books.was_busy(at(2s), at(5s), 2'000'000'000);
  books.gone(at(7s), at(1s), 2'000'000'000);
  books.was_busy(at(9s), at(20s), 1'000'000'000);  // only a second of it counts
  books.gone(at(30s), at(2s), 1'000'000'000);
  Outcome outcome;
  books.fill(at(30s), outcome);
  EXPECT_EQ(outcome.starts, 2u);
  EXPECT_EQ(outcome.pods_peak, 2u);
  EXPECT_DOUBLE_EQ(outcome.pod_seconds, 6 + 8);
  EXPECT_DOUBLE_EQ(outcome.gb_seconds_used, 3 * 2 + 1);
  EXPECT_DOUBLE_EQ(outcome.gb_seconds_idle, 3 * 2 + 7);
}

}  // namespace
}  // namespace subito::simulate
