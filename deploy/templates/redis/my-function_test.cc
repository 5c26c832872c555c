#include "my-function.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

namespace {

using subito::Request;
using subito::testing::answer_of;

TEST(Counters, CountFromOneEachByItsOwnName) {
  subito::testing::TestContext context;
  context.add_redis("redis");  // in memory
  EXPECT_EQ(answer_of(counters(), Request("POST", "/counters/a"), context).body(), "1\n");
  EXPECT_EQ(answer_of(counters(), Request("POST", "/counters/a"), context).body(), "2\n");
  EXPECT_EQ(answer_of(counters(), Request("POST", "/counters/b"), context).body(), "1\n");
  EXPECT_EQ(answer_of(counters(), Request("GET", "/counters/a"), context).body(), "2\n");
}

TEST(Counters, OneThatNobodyCountedIsNotFound) {
  subito::testing::TestContext context;
  context.add_redis("redis");
  EXPECT_EQ(answer_of(counters(), Request("GET", "/counters/a"), context).status(), 404);
}

}  // namespace
