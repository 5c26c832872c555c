#include "bench/quiet.h"

#include <gtest/gtest.h>

namespace subito::bench {
namespace {

TEST(ProcessorTime, IdleAndDiskWaitsAreNotBusy) {
  const ProcessorTime time = parse_processor_time("cpu  10 20 30 400 50 6 7 8 900 900");
  EXPECT_EQ(time.busy, 10U + 20 + 30 + 6 + 7 + 8);
  EXPECT_EQ(time.all, time.busy + 400 + 50);
}

TEST(ProcessorTime, OfNonsenseIsZero) {
  EXPECT_EQ(parse_processor_time("").all, 0U);
  EXPECT_EQ(parse_processor_time("cpu x").all, 0U);
}

}  // namespace
}  // namespace subito::bench
