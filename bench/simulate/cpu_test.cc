#include "bench/simulate/cpu.h"

#include <gtest/gtest.h>

#include <string>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since) {
  return TimePoint(since);
}

// Lets all that is there end: "1 at 20 ms, 2 at ..." in units of a microsecond.
std::string ends(Cpu& cpu) {
  std::string out;
  while (cpu.jobs() > 0) {
    const TimePoint when = cpu.next();
    const Slot job = cpu.take_ended(when);
    out += (out.empty() ? "" : ", ") + std::to_string(job) + " at " +
           std::to_string((when.time_since_epoch() + 500ns) / 1us);
  }
  return out;
}

TEST(Cpu, AJobOfItsOwnTakesItsWork) {
  Cpu cpu(1);
  cpu.begin(at(5ms), 1, 10ms);
  EXPECT_EQ(cpu.next(), at(15ms));
  EXPECT_EQ(ends(cpu), "1 at 15000");
  EXPECT_EQ(cpu.next(), TimePoint::max());
}

TEST(Cpu, TwoOnOneCoreTakeTwiceAsLong) {
  Cpu cpu(1);
  cpu.begin(at(0ms), 1, 10ms);
  cpu.begin(at(0ms), 2, 10ms);
  EXPECT_EQ(ends(cpu), "1 at 20000, 2 at 20000");
}

// Alone until 5, shared until both have had 5 more (at 15), then the second alone.
TEST(Cpu, WhoComesLaterEndsLater) {
  Cpu cpu(1);
  cpu.begin(at(0ms), 1, 10ms);
  cpu.begin(at(5ms), 2, 10ms);
  EXPECT_EQ(ends(cpu), "1 at 15000, 2 at 20000");
}

// 3 jobs on 2 cores run at two thirds: the one of 2 ms ends at 3; then each has a core.
TEST(Cpu, CoresAreSharedEquallyOnceTheyAreShort) {
  Cpu cpu(2);
  cpu.begin(at(0ms), 1, 2ms);
  cpu.begin(at(0ms), 2, 4ms);
  cpu.begin(at(0ms), 3, 6ms);
  EXPECT_EQ(ends(cpu), "1 at 3000, 2 at 5000, 3 at 7000");
}

TEST(Cpu, WhoLeavesGivesItsShareBack) {
  Cpu cpu(1);
  cpu.begin(at(0ms), 1, 10ms);
  cpu.begin(at(0ms), 2, 10ms);
  cpu.remove(at(10ms), 2);  // each has had 5
  EXPECT_EQ(ends(cpu), "1 at 15000");
}

TEST(Cpu, WithoutALimitNobodySlowsAnybody) {
  Cpu cpu(0);
  for (Slot job = 0; job < 1000; ++job) cpu.begin(at(0ms), job, 10ms);
  EXPECT_EQ(cpu.next(), at(10ms));
}

// Shares of 3 and 1 on one core: after 8 ms the first has had its 6, and the other 2 of 6.
TEST(Cpu, WhoHasThreeTimesTheShareRunsThreeTimesAsFast) {
  Cpu cpu(1);
  cpu.begin(at(0ms), 1, 6ms, 1);
  cpu.begin(at(0ms), 2, 6ms, 3);
  EXPECT_EQ(ends(cpu), "2 at 8000, 1 at 12000");
}

// 100 of 2 cores would be the first one's: it takes one, and the four others share the second.
TEST(Cpu, NobodyTakesMoreThanACore) {
  Cpu cpu(2);
  cpu.begin(at(0ms), 0, 8ms, 100);
  for (Slot job = 1; job <= 4; ++job) cpu.begin(at(0ms), job, 4ms, 1);
  EXPECT_EQ(ends(cpu), "0 at 8000, 1 at 12000, 2 at 12000, 3 at 12000, 4 at 12000");
}

// 200 that together have half of its share leave a single one its core of two.
TEST(Cpu, ManyOfLittleShareLeaveOneItsCore) {
  Cpu cpu(2);
  for (Slot job = 0; job < 200; ++job) cpu.begin(at(0ms), job, 1s, 3);
  cpu.begin(at(0ms), 200, 20ms, 1000);
  EXPECT_EQ(cpu.next(), at(20ms));
}

// Both at half a core until 4 ms, by when each has had 2 of 6; then at a quarter and three
// quarters.
TEST(Cpu, AShareMayChangeWhileTheJobRuns) {
  Cpu cpu(1);
  cpu.begin(at(0ms), 1, 6ms, 5);
  cpu.begin(at(0ms), 2, 5ms, 5);
  cpu.set_share(at(4ms), 2, 15);
  EXPECT_EQ(ends(cpu), "2 at 8000, 1 at 11000");
}

TEST(Cpu, LargeSharesAndLongTimesDoNotOverflow) {
  Cpu cpu(1'000);
  for (Slot job = 0; job < 10'000; ++job) cpu.begin(at(0ms), job, 24h, 256'000'000 + job % 2);
  const TimePoint first = cpu.next();
  EXPECT_NEAR(std::chrono::duration<double>(first.time_since_epoch()).count(), 864'000, 1);
  EXPECT_EQ(cpu.take_ended(first), 1u);  // of those that have a little more
}

TEST(Cpu, ManyEventsDoNotMoveAnEnd) {
  Cpu cpu(1);
  cpu.begin(at(0ms), 0, 1s);
  cpu.begin(at(0ms), 1, 1s);
  for (int i = 1; i <= 100'000; ++i) {  // comes and leaves at once: takes nothing
    cpu.begin(at(i * 7us), 2, 1s);
    cpu.remove(at(i * 7us), 2);
  }
  EXPECT_EQ(ends(cpu), "0 at 2000000, 1 at 2000000");
}

// As the scheduler takes it: what is due may have been due before anybody looked.
TEST(Cpu, AnEarlierTimeCountsAsTheLatest) {
  Cpu cpu(1);
  cpu.begin(at(5ms), 1, 10ms);
  cpu.begin(at(10ms), 2, 10ms);
  cpu.remove(at(7ms), 2);
  EXPECT_EQ(ends(cpu), "1 at 15000");
}

TEST(Cpu, WorkOfNothingEndsAtOnce) {
  Cpu cpu(1);
  cpu.begin(at(3ms), 1, 0ms);
  EXPECT_EQ(cpu.next(), at(3ms));
}

TEST(Cpu, WhatWasTakenOutOrGotAnotherShareEndsOnceAndInItsTime) {
  Cpu cpu(0);
  for (Slot job = 0; job < 400; ++job) cpu.begin(at(0ms), job, (1 + job) * 1us);
  for (Slot job = 0; job < 400; ++job) {
    if (job % 100 != 99) cpu.remove(at(0ms), job);
  }
  cpu.set_share(at(0ms), 99, 7);
  cpu.set_share(at(0ms), 199, 7);
  cpu.set_share(at(0ms), 199, 1);
  EXPECT_EQ(cpu.jobs(), 4U);
  EXPECT_EQ(ends(cpu), "99 at 100, 199 at 200, 299 at 300, 399 at 400");
  EXPECT_EQ(cpu.next(), TimePoint::max());
}

}  // namespace
}  // namespace subito::simulate
