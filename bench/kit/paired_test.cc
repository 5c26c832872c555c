#include "bench/kit/paired.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "bench/interrupt.h"

namespace subito::bench {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

Slice slice(std::uint64_t answers, std::uint64_t errors = 0) {
  Slice made;
  made.traffic.answers = answers;
  made.traffic.took = std::chrono::seconds(1);
  made.traffic.errors = errors;
  if (errors > 0) made.traffic.first_error = "oops";
  made.cpu = std::chrono::microseconds(20 * answers);
  return made;
}

double per_second(const Slice& slice) {
  return slice.traffic.per_second();
}

// Keeps who ran, and for how long.
struct Stage {
  Subject subject(const std::string& name, std::uint64_t answers) {
    return {name, [this, name, answers](std::chrono::nanoseconds time) -> Result<Slice> {
              order.push_back(name);
              times.push_back(time);
              return slice(answers);
            }};
  }
  PairProgress watch() {
    return [this](const std::string&, std::uint32_t slices_left) { left.push_back(slices_left); };
  }
  std::vector<std::string> order;
  std::vector<std::chrono::nanoseconds> times;
  std::vector<std::uint32_t> left;
};

TEST(Paired, RunsEachSubjectBesideTheReferenceInEveryRound) {
  Stage stage;
  const auto run =
      run_pairs(stage.subject("r", 100), {stage.subject("a", 150), stage.subject("b", 50)},
                {3, milliseconds(10), 7}, stage.watch());
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->rounds, 3U);
  ASSERT_EQ(run->series.size(), 2U);
  EXPECT_EQ(run->series[0].name, "a");
  EXPECT_EQ(run->series[0].pairs.size(), 3U);
  EXPECT_EQ(run->series[1].pairs.size(), 3U);
  EXPECT_DOUBLE_EQ(ratio_spread(run->series[0], per_second).median, 1.5);
  EXPECT_DOUBLE_EQ(ratio_spread(run->series[1], per_second).median, 0.5);
  EXPECT_EQ(run->reference.answers, 600U) << "six slices beside a subject";
  ASSERT_EQ(stage.order.size(), 15U);
  for (std::size_t i = 3; i < stage.order.size(); i += 2) {
    EXPECT_NE(stage.order[i] == "r", stage.order[i + 1] == "r")
        << "one of the two is the reference";
  }
  EXPECT_EQ(stage.left.front(), 15U);
  EXPECT_EQ(stage.left.back(), 1U);
}

TEST(Paired, WarmsUpApart) {
  Stage stage;
  const auto run = run_pairs(stage.subject("r", 100), {stage.subject("a", 150)},
                             {1, milliseconds(10), 7}, stage.watch());
  ASSERT_TRUE(run);
  EXPECT_THAT(stage.times,
              ElementsAre(milliseconds(5), milliseconds(5), milliseconds(10), milliseconds(10)));
  EXPECT_EQ(run->reference.answers, 100U);
}

TEST(Paired, ShufflesByTheSeed) {
  const auto order_of = [](std::uint64_t seed) {
    Stage stage;
    EXPECT_TRUE(run_pairs(stage.subject("r", 1), {stage.subject("a", 1), stage.subject("b", 1)},
                          {8, milliseconds(1), seed}, stage.watch()));
    return stage.order;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
}

TEST(Paired, AnErrorEndsItAndIsTold) {
  int slices = 0;
  Stage stage;
  const Subject bad = {"bad", [&](std::chrono::nanoseconds) -> Result<Slice> {
                         return slice(100, ++slices == 3 ? 2 : 0);
                       }};
  const auto run =
      run_pairs(stage.subject("r", 100), {bad}, {9, milliseconds(1), 7}, stage.watch());
  ASSERT_TRUE(run);
  EXPECT_EQ(slices, 3);
  EXPECT_EQ(run->errors(), 2U);
  EXPECT_EQ(run->first_error(), "bad: oops");
}

TEST(Paired, WhatIsWrongAtOnceIsNotMeasured) {
  Stage stage;
  const Subject bad = {"bad",
                       [](std::chrono::nanoseconds) -> Result<Slice> { return slice(0, 1); }};
  const auto run =
      run_pairs(stage.subject("r", 100), {bad}, {9, milliseconds(1), 7}, stage.watch());
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().message, HasSubstr("warm up bad: oops"));
}

TEST(Paired, AnInterruptKeepsTheWholePairs) {
  const Interrupt interrupt;
  int slices = 0;
  Stage stage;
  const Subject cut = {"cut", [&](std::chrono::nanoseconds) -> Result<Slice> {
                         Slice made = slice(100);
                         if (++slices == 3) {
                           std::raise(SIGINT);
                           made.traffic.interrupted = true;
                         }
                         return made;
                       }};
  const auto run =
      run_pairs(stage.subject("r", 100), {cut}, {9, milliseconds(1), 7}, stage.watch());
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->interrupted);
  EXPECT_EQ(run->rounds, 1U) << "a round that was cut is not a whole one";
  EXPECT_EQ(run->series[0].pairs.size(), 1U);
}

TEST(Paired, TellsTheMiddleAndTheExtremes) {
  const Spread odd = spread_of({3, 1, 2});
  EXPECT_DOUBLE_EQ(odd.least, 1);
  EXPECT_DOUBLE_EQ(odd.median, 2);
  EXPECT_DOUBLE_EQ(odd.most, 3);
  EXPECT_DOUBLE_EQ(spread_of({4, 1, 2, 3}).median, 2.5);
  EXPECT_DOUBLE_EQ(spread_of({}).median, 0);
  EXPECT_DOUBLE_EQ(spread_of({0, 5, 0}).least, 5) << "0 was not measured";
}

TEST(Paired, AnEmptySliceIsNoRatio) {
  Series series{"a", {{slice(0), slice(100)}, {slice(50), slice(100)}}};
  EXPECT_DOUBLE_EQ(ratio_spread(series, per_second).least, 0.5);
}

TEST(Paired, CountsCpuTimeByTheAnswer) {
  EXPECT_DOUBLE_EQ(slice(100).cpu_us_per_answer(), 20);
  EXPECT_DOUBLE_EQ(slice(0).cpu_us_per_answer(), 0);
}

}  // namespace
}  // namespace subito::bench
