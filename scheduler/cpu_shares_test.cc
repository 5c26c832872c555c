#include "scheduler/cpu_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace subito::scheduler {
namespace {

using Told = CpuShares::Told;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr FunctionId kFlood{1};
constexpr FunctionId kQuiet{2};

class CpuSharesTest : public testing::Test {
 protected:
  void add(std::uint64_t first, std::uint64_t last, FunctionId function = kFlood,
           std::uint32_t weight = 1) {
    for (std::uint64_t id = first; id <= last; ++id) shares.add(PodId(id), function, weight);
  }
  std::vector<Told> busy(std::uint64_t id) { return took(shares.on_busy(PodId(id), now)); }
  std::vector<Told> idle(std::uint64_t id) { return took(shares.on_idle(PodId(id), now)); }
  std::vector<Told> gone(std::uint64_t id) { return took(shares.remove(PodId(id), now)); }
  void busy(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t id = first; id <= last; ++id) busy(id);
  }
  void idle(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t id = first; id <= last; ++id) idle(id);
  }
  std::vector<Told> took(CpuShares::Tell tell) {
    messages += tell.size();
    for (const Told& told : tell) kernel[told.pod.value()] = told.share;
    return {tell.begin(), tell.end()};
  }
  std::uint32_t has(std::uint64_t id) const {
    return kernel.contains(id) ? kernel.at(id) : CpuShares::kShareAtStart;
  }

  CpuShares shares;
  TimePoint now;
  std::size_t messages = 0;
  std::map<std::uint64_t, std::uint32_t> kernel;  // what each pod was told last
};

TEST_F(CpuSharesTest, ASinglePodIsToldNothing) {
  add(1, 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(busy(1), IsEmpty());
    EXPECT_THAT(idle(1), IsEmpty());
  }
}

TEST_F(CpuSharesTest, BusyPodsShareWhatOneHasUpToTheNextPowerOfTwo) {
  add(1, 5);
  busy(1);
  EXPECT_THAT(busy(2), UnorderedElementsAre(Told{PodId(1), 500}, Told{PodId(2), 500}));
  EXPECT_EQ(busy(3).size(), 3U);
  EXPECT_THAT(busy(4), ElementsAre(Told{PodId(4), 250})) << "the others have it already";
  EXPECT_EQ(busy(5).size(), 5U);
  for (std::uint64_t id = 1; id <= 5; ++id) EXPECT_EQ(has(id), 125U);
}

TEST_F(CpuSharesTest, AFloodWithManyPodsHasNoMoreThanOnePodOfAnother) {
  add(1, 192);
  add(500, 500, kQuiet);
  busy(1, 192);
  busy(500);
  std::uint32_t flood = 0;
  for (std::uint64_t id = 1; id <= 192; ++id) flood += has(id);
  EXPECT_EQ(has(500), 1000U);
  EXPECT_LE(flood, 1000U);
  EXPECT_GE(flood, 500U);
}

TEST_F(CpuSharesTest, AFunctionWithMoreWorkThanItsShareLeavesTheCoresToTheOthers) {
  add(1, 3);
  add(500, 500, kQuiet);
  busy(1, 2);
  busy(500);
  EXPECT_EQ(took(shares.on_busy(PodId(3), now, CpuShares::kCrowdedAfter)).size(), 3U);
  EXPECT_EQ(has(1), 250 / CpuShares::kCrowdedPart);
  EXPECT_EQ(has(500), 1000U);
  idle(3);
  busy(3);  // it waited for nothing
  EXPECT_EQ(has(1), 250U);
  EXPECT_EQ(has(3), 250U);
}

TEST_F(CpuSharesTest, ACrowdThatComesAndGoesIsNotToldOverAndOver) {
  add(1, 8);
  busy(1, 7);
  for (int i = 0; i < 1000; ++i) {
    took(shares.on_busy(PodId(8), now, i % 2 == 0 ? CpuShares::kCrowdedAfter : Duration()));
    idle(8);
  }
  EXPECT_LE(messages, 8U * 2 * (CpuShares::kFallsMax + 2));
  EXPECT_EQ(has(1), 125 / CpuShares::kCrowdedPart) << "less than it might, not more";
}

TEST_F(CpuSharesTest, WeightMultipliesTheShareAlsoWhenItChanges) {
  add(1, 2, kFlood, 3);
  EXPECT_THAT(busy(1), ElementsAre(Told{PodId(1), 3000}));
  busy(2);
  EXPECT_EQ(has(1), 1500U);
  took(shares.set_weight(kFlood, 1000));
  EXPECT_EQ(has(1), 500'000U);
  EXPECT_EQ(has(2), 500'000U);
  EXPECT_THAT(took(shares.set_weight(kFlood, 1000)), IsEmpty());
  EXPECT_THAT(took(shares.set_weight(kQuiet, 2)), IsEmpty()) << "it has no pods";
}

TEST_F(CpuSharesTest, FallsOnlyWhenAQuarterOrOneAloneIsLeft) {
  add(1, 16);
  busy(1, 16);
  idle(1, 11);
  EXPECT_EQ(has(16), 62U) << "5 of 16";
  EXPECT_EQ(idle(12).size(), 4U);
  EXPECT_EQ(has(16), 250U) << "4 of 16";
  idle(13, 14);
  EXPECT_EQ(has(16), 250U) << "2 of 4";
  EXPECT_THAT(idle(15), ElementsAre(Told{PodId(16), 1000}));
}

TEST_F(CpuSharesTest, AnIdlePodIsToldWhenItIsBusyAgain) {
  add(1, 4);
  busy(1, 4);
  idle(1, 3);
  EXPECT_EQ(has(1), 250U) << "nobody has told it";
  idle(4);
  EXPECT_THAT(busy(1), ElementsAre(Told{PodId(1), 1000}));
  idle(1);
  EXPECT_THAT(busy(1), IsEmpty());
}

TEST_F(CpuSharesTest, APodThatDiesBusyIsCountedNoMore) {
  add(1, 4);
  busy(1, 4);
  gone(2);
  gone(4);
  EXPECT_THAT(gone(1), ElementsAre(Told{PodId(3), 1000}));
  EXPECT_THAT(gone(3), IsEmpty());
  EXPECT_THAT(gone(3), IsEmpty()) << "unknown";
  add(5, 5, kFlood, 2);
  EXPECT_THAT(busy(5), ElementsAre(Told{PodId(5), 2000})) << "its function begins anew";
}

TEST_F(CpuSharesTest, PodsThatSwayTellNobody) {
  add(1, 16);
  busy(1, 12);
  const std::size_t before = messages;
  for (int i = 0; i < 1000; ++i) {
    idle(6, 12);
    busy(6, 12);
  }
  EXPECT_EQ(messages, before) << "between 5 and 12 of 16";
}

TEST_F(CpuSharesTest, EachChangeIsPaidForByPodsThatCameOrWent) {
  add(1, 256);
  std::size_t events = 0;
  // From one beyond a power of two to half of it and back: changes at each turn.
  for (const std::uint64_t top : {256, 65, 33, 9, 5}) {
    busy(1, top);
    for (int round = 0; round < 10; ++round) {
      idle(top / 2 + 1, top);
      busy(top / 2 + 1, top);
      events += top;
      now += CpuShares::kFallsWindow;
    }
    idle(1, top);
    now += CpuShares::kFallsWindow;
    events += 2 * top;
  }
  EXPECT_LE(messages, 3 * events);
  EXPECT_GT(messages, events / 4) << "or it tells nothing";
}

TEST_F(CpuSharesTest, FewPodsWithShortInvocationsAreToldAtMostSoOften) {
  add(1, 2);
  const auto sway = [&](int times) {
    const std::size_t before = messages;
    for (int i = 0; i < times; ++i) {
      busy(1, 2);
      idle(1, 2);
    }
    return messages - before;
  };
  EXPECT_LE(sway(1000), 4 * (CpuShares::kFallsMax + 1));
  EXPECT_EQ(sway(1000), 0U);
  busy(1);
  EXPECT_EQ(has(1), 500U) << "less than it might have, for now";
  idle(1);
  now += CpuShares::kFallsWindow;
  busy(1);
  EXPECT_EQ(has(1), 1000U);
  idle(1);
  EXPECT_GT(sway(1000), 0U);
}

}  // namespace
}  // namespace subito::scheduler
