#include "scheduler/backoff.h"

#include <gtest/gtest.h>

#include "scheduler/limits.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesFromItsFirstDelayToItsCap) {
  EXPECT_EQ(backoff_delay(0), 0ms);
  EXPECT_EQ(backoff_delay(1), 100ms);
  EXPECT_EQ(backoff_delay(2), 200ms);
  EXPECT_EQ(backoff_delay(9), 25600ms);
  EXPECT_EQ(backoff_delay(10), 30s);
  EXPECT_EQ(backoff_delay(4'000'000'000), 30s);
}

TEST(Backoff, IsActiveForItsDelayOnly) {
  Backoff backoff;
  const TimePoint now(1s);
  EXPECT_FALSE(backoff.active(now));
  backoff.fail(now);
  EXPECT_TRUE(backoff.active(now + 99ms));
  EXPECT_FALSE(backoff.active(now + 100ms));
}

TEST(Backoff, IsHopelessAfterSoManyFailuresWhileItLasts) {
  Backoff backoff;
  const TimePoint now(1s);
  for (std::uint32_t i = 1; i < kCrashLoopAfter; ++i) backoff.fail(now);
  EXPECT_FALSE(backoff.hopeless(now));
  backoff.fail(now);
  EXPECT_TRUE(backoff.hopeless(now));
  EXPECT_FALSE(backoff.hopeless(now + backoff_delay(kCrashLoopAfter)));
}

TEST(Backoff, ForgivesAll) {
  Backoff backoff;
  backoff.fail(TimePoint(1s));
  backoff.forgive();
  EXPECT_EQ(backoff.failures(), 0u);
  EXPECT_FALSE(backoff.active(TimePoint(1s)));
}

}  // namespace
}  // namespace subito::scheduler
