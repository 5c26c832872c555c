#include "bench/server_timing.h"

#include <gtest/gtest.h>

namespace subito::bench {
namespace {

TEST(ServerTiming, IsReadEntryByEntry) {
  const auto timings =
      parse_server_timing("queue;dur=0.100, start;desc=pooled;dur=1.250, handler;dur=0.5");
  ASSERT_EQ(timings.size(), 3U);
  EXPECT_EQ(timings[0].name, "queue");
  EXPECT_EQ(timings[0].milliseconds, 0.1);
  EXPECT_EQ(timings[1].description, "pooled");
  EXPECT_EQ(timings[1].milliseconds, 1.25);
  EXPECT_EQ(timings[2].name, "handler");
}

TEST(ServerTiming, OfNonsenseIsHarmless) {
  EXPECT_TRUE(parse_server_timing("").empty());
  EXPECT_TRUE(parse_server_timing(",;,").empty());
  const auto timings = parse_server_timing("a;dur=x;b");
  ASSERT_EQ(timings.size(), 1U);
  EXPECT_EQ(timings[0].milliseconds, 0);
}

}  // namespace
}  // namespace subito::bench
