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

TEST(Cpu, WorkOfNothingEndsAtOnce) {
  Cpu cpu(1);
  cpu.begin(at(3ms), 1, 0ms);
  EXPECT_EQ(cpu.next(), at(3ms));
}

}  // namespace
}  // namespace subito::simulate
