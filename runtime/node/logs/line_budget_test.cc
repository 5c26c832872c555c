#include "runtime/node/logs/line_budget.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr LineRates kRates = {10, 20, 1000, 5000};

class LineBudgetTest : public testing::Test {
 protected:
  int taken(int lines, std::size_t bytes) {
    int count = 0;
    for (int i = 0; i < lines; ++i) count += budget.take(bytes, clock.now()) ? 1 : 0;
    return count;
  }
  ManualClock clock;
  LineBudget budget{kRates};
};

TEST_F(LineBudgetTest, ABurstPassesThenSoManyLinesASecond) {
  EXPECT_EQ(taken(100, 1), 20);
  clock.advance(milliseconds(500));
  EXPECT_EQ(taken(100, 1), 5);
  EXPECT_EQ(taken(100, 1), 0);
  clock.advance(seconds(1000));
  EXPECT_EQ(taken(100, 1), 20) << "no more than a burst is saved up";
}

TEST_F(LineBudgetTest, BytesAreCountedToo) {
  EXPECT_EQ(taken(100, 2000), 2);
  EXPECT_EQ(taken(100, 1000), 1) << "a smaller line still fits";
  clock.advance(seconds(2));
  EXPECT_EQ(taken(100, 2000), 1);
}

TEST_F(LineBudgetTest, WhatIsRefusedCostsNothing) {
  EXPECT_FALSE(budget.take(5001, clock.now()));
  EXPECT_EQ(taken(100, 250), 20);
}

TEST_F(LineBudgetTest, AClockThatGoesBackGivesNothing) {
  EXPECT_EQ(taken(100, 1), 20);
  EXPECT_FALSE(budget.take(1, clock.now() - seconds(1)));
  EXPECT_FALSE(budget.take(1, clock.now())) << "that second has been paid out already";
}

}  // namespace
}  // namespace subito::node
