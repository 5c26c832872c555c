#include "scheduler/near_pods.h"

#include <gtest/gtest.h>

namespace subito::scheduler {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

class NearPodsTest : public testing::Test {
 protected:
  // One call, which runs for `cpu` in so many stretches and takes `wall` of time. Was the pod to be
  // near?
  bool call(std::uint64_t id, Duration cpu, Duration wall = microseconds(50),
            std::uint64_t stretches = 1) {
    const bool near = pods.on_busy(PodId(id), now);
    now += wall;
    total.on_core += cpu;
    total.stretches += stretches;
    end(id);
    pods.on_idle(PodId(id));
    now += milliseconds(1);
    return near;
  }
  void end(std::uint64_t id) {
    if (!pods.on_end(PodId(id), now)) return;
    ++readings;
    pods.ran(PodId(id), total, now);
  }
  void calls(std::uint64_t id, std::uint32_t count, Duration cpu) {
    for (std::uint32_t i = 0; i < count; ++i) call(id, cpu);
  }
  // Its first calls, which have the start in them, and as many as make it known.
  void make_known(std::uint64_t id, Duration cpu) {
    calls(id, NearPods::kCallsUncounted + NearPods::kCallsKnown, cpu);
  }

  NearPods pods;
  TimePoint now;
  Running total;
  int readings = 0;
};

TEST_F(NearPodsTest, APodIsNearOnceItsCallsAreKnownToBeShort) {
  call(1, milliseconds(5));  // its start
  call(1, microseconds(20));
  for (std::uint32_t i = 0; i < NearPods::kCallsKnown; ++i) {
    EXPECT_FALSE(call(1, microseconds(20))) << i;
  }
  EXPECT_TRUE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, ThatComputesIsNotNear) {
  make_known(1, NearPods::kStretchMax + microseconds(1));
  EXPECT_FALSE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, AsLongAsTheLimitIsShort) {
  make_known(1, NearPods::kStretchMax);
  EXPECT_TRUE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, OneLongCallEndsItAtOnce) {
  make_known(1, microseconds(20));
  EXPECT_TRUE(call(1, milliseconds(5), milliseconds(5)));
  EXPECT_FALSE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, ThatWaitedForLongWithoutComputingStaysNear) {
  make_known(1, microseconds(20));
  EXPECT_TRUE(call(1, microseconds(20), milliseconds(50)));
  EXPECT_TRUE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, ThatCallsManyOthersInTurnRunsForShortStretches) {
  make_known(1, microseconds(20));
  EXPECT_TRUE(call(1, milliseconds(5), milliseconds(20), 50));
  EXPECT_TRUE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, ThatIsNeverIdleIsJudgedByWhatItTakesOfACore) {
  make_known(1, microseconds(20));
  EXPECT_TRUE(pods.on_busy(PodId(1), now));
  for (std::uint32_t i = 0; i < 2 * NearPods::kCallsSampled; ++i) {
    now += microseconds(30);
    total.on_core += microseconds(28);
    ++total.stretches;
    end(1);
  }
  pods.on_idle(PodId(1));
  EXPECT_FALSE(pods.on_busy(PodId(1), now));
}

TEST_F(NearPodsTest, ThreadsThatEndedTellNothing) {
  make_known(1, microseconds(20));
  total = {};
  calls(1, NearPods::kCallsSampled, microseconds(20));
  EXPECT_TRUE(call(1, microseconds(20)));
  make_known(2, milliseconds(1));
  total = {};
  calls(2, NearPods::kCallsSampled, Duration::zero());
  EXPECT_FALSE(call(2, microseconds(20)));
}

TEST_F(NearPodsTest, WhatBecomesShortComesNear) {
  make_known(1, milliseconds(1));
  calls(1, NearPods::kCallsSampled, microseconds(20));
  EXPECT_TRUE(call(1, microseconds(20)));
}

TEST_F(NearPodsTest, TheKernelIsAskedOnceInManyCalls) {
  make_known(1, microseconds(20));
  EXPECT_EQ(readings, 2);
  calls(1, 10 * NearPods::kCallsSampled, microseconds(20));
  EXPECT_EQ(readings, 12);
}

TEST_F(NearPodsTest, TheKernelIsNotAskedBeforeTheFirstAnswer) {
  call(1, milliseconds(5));
  EXPECT_EQ(readings, 0);
}

TEST_F(NearPodsTest, NoMoreThanAFewAreBusyNear) {
  constexpr std::uint64_t kPods = NearPods::kBusyMax + 1;
  for (std::uint64_t id = 1; id <= kPods; ++id) {
    total = {};
    make_known(id, microseconds(20));
  }
  for (std::uint64_t id = 1; id < kPods; ++id) EXPECT_TRUE(pods.on_busy(PodId(id), now)) << id;
  EXPECT_FALSE(pods.on_busy(PodId(kPods), now));
  pods.on_idle(PodId(kPods));
  pods.on_idle(PodId(1));
  EXPECT_TRUE(pods.on_busy(PodId(kPods), now));
}

TEST_F(NearPodsTest, ABusyPodThatGoesLeavesItsPlace) {
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (std::uint64_t id = 1; id <= NearPods::kBusyMax; ++id) {
      total = {};
      make_known(id, microseconds(20));
      EXPECT_TRUE(pods.on_busy(PodId(id), now)) << id;
    }
    for (std::uint64_t id = 1; id <= NearPods::kBusyMax; ++id) pods.remove(PodId(id));
  }
}

TEST_F(NearPodsTest, UnknownPodsAreNoConcern) {
  pods.remove(PodId(1));
  EXPECT_FALSE(pods.ran(PodId(1), {milliseconds(1), 1}, now));
}

}  // namespace
}  // namespace subito::scheduler
