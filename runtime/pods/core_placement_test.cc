#include "runtime/pods/core_placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

namespace subito::pods {
namespace {

using scheduler::NearPods;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

struct FakeCores final : Cores {
  int count() const override { return cores; }
  int current() const override { return here; }
  Status move(pid_t pid, int core) override {
    if (forbidden) return fail(ErrorCode::kPermissionDenied, "move: no");
    moves.emplace_back(pid, core);
    return ok();
  }
  Result<scheduler::Running> ran(pid_t pid) const override {
    const auto at = clocks.find(pid);
    if (at == clocks.end()) return fail(ErrorCode::kNotFound, "no such process");
    return scheduler::Running{at->second, stretches};
  }

  Status move_this_thread(int core) override {
    loop_core = core;
    return ok();
  }
  Result<scheduler::Running> ran_this_thread() const override { return loop_ran; }

  int loop_core = kAny;
  scheduler::Running loop_ran;
  int cores = 2;
  int here = 1;
  bool forbidden = false;
  std::map<pid_t, Duration> clocks;
  std::uint64_t stretches = 0;
  std::vector<std::pair<pid_t, int>> moves;
};

constexpr PodId kPod{1};
constexpr pid_t kPid = 101;
constexpr pid_t kRedis = 200;

class CorePlacementTest : public testing::Test {
 protected:
  CorePlacementTest() { cores.clocks[kPid] = {}; }

  void call(Duration cpu = microseconds(20)) {
    placement.on_busy(kPod, now);
    cores.clocks[kPid] += cpu;
    ++cores.stretches;
    now += std::max<Duration>(cpu, microseconds(50));
    placement.on_end(kPod, now);
    placement.on_idle(kPod);
    placement.look(now);
    now += milliseconds(1);
  }
  // Others keep the loop from its core, until it is looked at.
  void starve() {
    now += CorePlacement::kLook;
    cores.loop_ran.on_core += milliseconds(10);
    cores.loop_ran.waited += milliseconds(50);
    call();
  }
  void make_known(Duration cpu = microseconds(20)) {
    const auto calls = NearPods::kCallsUncounted + NearPods::kCallsKnown;
    for (std::uint32_t i = 0; i < calls; ++i) call(cpu);
  }

  std::unique_ptr<FakeCores> owned = std::make_unique<FakeCores>();
  FakeCores& cores = *owned;
  std::map<PodId, pid_t> pids{{kPod, kPid}};
  CorePlacement placement{std::move(owned), [this](PodId pod) { return pids[pod]; }};
  TimePoint now{std::chrono::hours(1)};
};

TEST_F(CorePlacementTest, APodOfShortCallsComesToTheLoopsCoreOnce) {
  make_known();
  EXPECT_THAT(cores.moves, IsEmpty());
  for (int i = 0; i < 100; ++i) call();
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kPid, 1)));
}

TEST_F(CorePlacementTest, ItIsLetGoOfAsSoonAsItComputes) {
  make_known();
  call();
  cores.moves.clear();
  call(milliseconds(5));
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kPid, Cores::kAny)));
  call();
  EXPECT_EQ(cores.moves.size(), 1U);
}

TEST_F(CorePlacementTest, WhileOthersRunALookIsPutOffButNotForLong) {
  make_known();
  call();
  cores.moves.clear();
  placement.on_busy(kPod, now);
  cores.clocks[kPid] += milliseconds(5);
  now += milliseconds(5);
  placement.on_end(kPod, now);
  placement.on_idle(kPod);
  placement.look(now, true);
  now += CorePlacement::kPutOffMax - milliseconds(1);
  placement.look(now, true);
  EXPECT_THAT(cores.moves, IsEmpty());
  now += milliseconds(1);
  placement.look(now, true);
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kPid, Cores::kAny)));
}

TEST_F(CorePlacementTest, ItFollowsTheLoopButNotAtEachTurn) {
  make_known();
  call();
  cores.moves.clear();
  starve();
  cores.here = 0;
  for (int i = 0; i < 3; ++i) call();
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kPid, 0)));
  cores.here = 1;
  call();
  EXPECT_EQ(cores.moves.size(), 1U);
  now += CorePlacement::kMoveGap;
  call();
  EXPECT_THAT(cores.moves.back(), Pair(kPid, 1));
}

TEST_F(CorePlacementTest, OnOneCoreThereIsNothingToDo) {
  cores.cores = 1;
  make_known();
  call();
  EXPECT_THAT(cores.moves, IsEmpty());
}

TEST_F(CorePlacementTest, ASystemThatForbidsItIsLeftAlone) {
  cores.forbidden = true;
  make_known();
  for (int i = 0; i < 100; ++i) call();
  EXPECT_THAT(cores.moves, IsEmpty());
}

TEST_F(CorePlacementTest, APodWhosePidIsNotKnownYetStaysWhereItIs) {
  pids[kPod] = 0;
  make_known();
  call();
  EXPECT_THAT(cores.moves, IsEmpty());
}

TEST_F(CorePlacementTest, ThePodsOfOneIdAreForgottenWithIt) {
  make_known();
  call();
  placement.remove(kPod);
  cores.moves.clear();
  call();
  EXPECT_THAT(cores.moves, IsEmpty());
}

TEST_F(CorePlacementTest, TheLoopStaysOnItsCoreWhileAPodIsNear) {
  make_known();
  EXPECT_EQ(cores.loop_core, Cores::kAny);
  call();
  EXPECT_EQ(cores.loop_core, 1);
  for (int i = 0; i < 1000; ++i) call();
  EXPECT_EQ(cores.loop_core, 1);
}

TEST_F(CorePlacementTest, TheLoopIsFreeWhereOthersKeepItWaiting) {
  make_known();
  call();
  starve();
  EXPECT_EQ(cores.loop_core, Cores::kAny);
  for (int i = 0; i < 500; ++i) call();
  EXPECT_EQ(cores.loop_core, Cores::kAny) << "for a second";
  for (int i = 0; i < 1000; ++i) call();
  EXPECT_EQ(cores.loop_core, 1);
}

TEST_F(CorePlacementTest, WhatTheLoopWaitedBeforeItWasHeldDoesNotCount) {
  cores.loop_ran = {.on_core = milliseconds(10), .stretches = 1, .waited = std::chrono::hours(1)};
  make_known();
  for (int i = 0; i < 1000; ++i) {
    call();
    ASSERT_EQ(cores.loop_core, 1) << i;
  }
}

TEST_F(CorePlacementTest, TheLoopIsFreeOnceNothingIsNear) {
  make_known();
  call();
  for (int i = 0; i < 100; ++i) call(milliseconds(5));
  EXPECT_EQ(cores.loop_core, Cores::kAny);
}

class CompanionTest : public CorePlacementTest {
 protected:
  CompanionTest() {
    cores.clocks[kRedis] = std::chrono::seconds(5);
    placement.set_companion([this] { return redis; });
  }
  // Calls for as long as until it is looked at again, in which it used that part of a core.
  void look(double use) {
    cores.clocks[kRedis] += std::chrono::duration_cast<Duration>(use * CorePlacement::kLook);
    now += CorePlacement::kLook;
    placement.on_busy(kPod, now);
    placement.on_end(kPod, now);
    placement.on_idle(kPod);
    placement.look(now);
  }

  pid_t redis = kRedis;
};

TEST_F(CompanionTest, ComesAlongWhileItUsesLittleAndIsLetGoOfAfter) {
  look(0);
  look(0.2);
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kRedis, 1)));
  look(0.5);
  look(0.9);
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kRedis, 1), Pair(kRedis, Cores::kAny)));
  look(0.1);
  EXPECT_THAT(cores.moves.back(), Pair(kRedis, 1));
  EXPECT_EQ(cores.moves.size(), 3U);
}

TEST_F(CompanionTest, ItsNextProcessIsBroughtAgain) {
  look(0);
  redis = kRedis + 1;
  cores.clocks[redis] = {};
  look(0);
  EXPECT_THAT(cores.moves, ElementsAre(Pair(kRedis, 1), Pair(kRedis + 1, 1)));
}

TEST_F(CompanionTest, IsNoConcernWhileItIsNotThere) {
  redis = 0;
  look(0);
  redis = 4711;  // gone
  look(0);
  EXPECT_THAT(cores.moves, IsEmpty());
}

}  // namespace
}  // namespace subito::pods
