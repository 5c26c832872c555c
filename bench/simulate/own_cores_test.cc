#include "bench/simulate/own_cores.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <tuple>

#include "bench/simulate/cpu.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since) {
  return TimePoint(since);
}

TEST(OwnCores, AJobEndsWhenItsWorkIsDoneWhoeverElseRuns) {
  OwnCores cores;
  EXPECT_EQ(cores.next(), TimePoint::max());
  EXPECT_EQ(cores.next_job(), scheduler::kNoSlot);
  cores.begin(at(0ms), 1, 10ms);
  cores.begin(at(5ms), 2, 2ms);
  EXPECT_EQ(cores.next(), at(7ms));
  EXPECT_EQ(cores.next_job(), 2u);
  EXPECT_EQ(cores.job_after(), 1u);
  EXPECT_EQ(cores.take_ended(at(7ms)), 2u);
  EXPECT_EQ(cores.next(), at(10ms));
  EXPECT_EQ(cores.jobs(), 1u);
}

TEST(OwnCores, OfThoseThatEndTogetherTheFirstBegunIsTheFirst) {
  OwnCores cores;
  cores.begin(at(0ms), 3, 10ms);
  cores.begin(at(4ms), 1, 6ms);
  cores.begin(at(9ms), 2, 1ms);
  EXPECT_EQ(cores.take_ended(at(10ms)), 3u);
  EXPECT_EQ(cores.take_ended(at(10ms)), 1u);
  EXPECT_EQ(cores.take_ended(at(10ms)), 2u);
}

TEST(OwnCores, ARemovedJobDoesNotEndAndMayBeginAnew) {
  OwnCores cores;
  cores.begin(at(0ms), 1, 10ms);
  cores.begin(at(0ms), 2, 20ms);
  cores.remove(2);
  cores.remove(2);
  cores.begin(at(5ms), 2, 1ms);
  EXPECT_EQ(cores.take_ended(at(6ms)), 2u);
  cores.remove(1);
  EXPECT_EQ(cores.jobs(), 0u);
  EXPECT_EQ(cores.next(), TimePoint::max());
}

// Half of all that begin are removed, so that the heap is cleared of them now and then.
TEST(OwnCores, IsRightHoweverManyComeAndGo) {
  OwnCores cores;
  std::map<std::tuple<Duration, int>, scheduler::Slot> expected;  // by end, then beginning
  std::map<scheduler::Slot, std::tuple<Duration, int>> running;
  std::mt19937 random(3);
  Duration now{};
  for (int step = 0; step < 50'000; ++step) {
    const scheduler::Slot job = random() % 500;
    const auto found = running.find(job);
    if (found == running.end()) {
      const Duration work(random() % 200);
      cores.begin(at(now), job, work);
      running[job] = {now + work, step};
      expected[running[job]] = job;
    } else if (random() % 2 == 0) {
      cores.remove(job);
      expected.erase(found->second);
      running.erase(found);
    } else {
      now = std::max(now, std::get<Duration>(expected.begin()->first));
      ASSERT_EQ(cores.take_ended(at(now)), expected.begin()->second);
      running.erase(expected.begin()->second);
      expected.erase(expected.begin());
    }
    ASSERT_EQ(cores.jobs(), expected.size());
    if (expected.empty()) continue;
    ASSERT_EQ(cores.next(), at(std::get<Duration>(expected.begin()->first)));
    ASSERT_EQ(cores.next_job(), expected.begin()->second);
  }
}

// As on more cores than there are jobs, whatever their shares.
TEST(OwnCores, IsWhatACpuWithEnoughCoresIs) {
  Cpu own(0);
  Cpu shared(1000);
  for (scheduler::Slot job = 0; job < 100; ++job) {
    const Duration work(1'000 + job * 7'919 % 5'000);
    own.begin(at(Duration(job * 10)), job, work, 1 + job % 3);
    shared.begin(at(Duration(job * 10)), job, work, 1 + job % 3);
  }
  own.set_share(at(1us), 5, 7);
  shared.set_share(at(1us), 5, 7);
  own.remove(at(1us), 9);
  shared.remove(at(1us), 9);
  while (own.jobs() > 0) {
    const TimePoint next = own.next();
    ASSERT_EQ(next, shared.next());
    ASSERT_EQ(own.take_ended(next), shared.take_ended(next));
  }
  EXPECT_EQ(shared.jobs(), 0u);
}

}  // namespace
}  // namespace subito::simulate
