#include "runtime/node/logs/log_rotation.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'000'000 * kSecond;
constexpr LogLimits kLimits = {800, 2000, std::chrono::seconds(80)};

LogSegment segment(std::uint64_t number, std::uint64_t bytes, std::int64_t seconds_old = 0) {
  return {number, bytes, kNow - seconds_old * kSecond, kNow - seconds_old * kSecond, true};
}

std::string removed(const LogSegments& segments) {
  std::string words;
  for (const LogRemoval& removal : plan_removals(segments, kLimits, kNow))
    words += removal.function + std::to_string(removal.number) + " ";
  return words;
}

TEST(LogRotationTest, AFileTakesItsShareOfAFunctionsBytes) {
  EXPECT_TRUE(may_append(segment(1, 50), 50, kLimits, kNow));
  EXPECT_FALSE(may_append(segment(1, 50), 51, kLimits, kNow));
}

TEST(LogRotationTest, AFileIsLeftWhenItsFirstLineIsAnEighthOfTheAgeThatIsKept) {
  EXPECT_TRUE(may_append(segment(1, 50, 9), 1, kLimits, kNow));
  EXPECT_FALSE(may_append(segment(1, 50, 10), 1, kLimits, kNow));
}

TEST(LogRotationTest, AFileOfAnEarlierLifeIsNotTouched) {
  LogSegment old = segment(1, 0);
  old.ours = false;
  EXPECT_FALSE(may_append(old, 1, kLimits, kNow));
}

TEST(LogRotationTest, TheOldestOfAFunctionGoBeyondItsBytes) {
  EXPECT_EQ(removed({{"a", {segment(1, 400), segment(2, 400)}}}), "");
  EXPECT_EQ(
      removed({{"a", {segment(1, 400), segment(3, 400), segment(4, 1)}}, {"b", {segment(2, 400)}}}),
      "a1 ");
}

TEST(LogRotationTest, WhatIsTooOldGoesAlsoOfAFunctionThatIsSilent) {
  EXPECT_EQ(removed({{"a", {segment(1, 1, 81), segment(2, 1, 80)}}}), "a1 ");
}

TEST(LogRotationTest, BeyondTheSumOfAllWhoHasMostGivesItsOldest) {
  const LogSegments segments = {{"big", {segment(1, 300), segment(5, 300)}},
                                {"mid", {segment(2, 700)}},
                                {"old", {segment(0, 600)}},
                                {"tiny", {segment(3, 100), segment(4, 100)}}};
  EXPECT_EQ(removed(segments), "mid2 ");
  const LogSegments many = {{"big", {segment(1, 400), segment(5, 400)}},
                            {"mid", {segment(2, 700)}},
                            {"old", {segment(0, 600)}}};
  EXPECT_EQ(removed(many), "big1 ");
}

TEST(LogRotationTest, ANodeThatIsStartedAgainAndAgainLeavesSoManyFiles) {
  LogSegments segments;
  for (std::uint64_t i = 0; i <= kLogFilesMax; ++i) segments["a"].push_back(segment(i, 1));
  EXPECT_EQ(removed(segments), "a0 ");
}

TEST(LogRotationTest, OfNothingNothingGoes) {
  EXPECT_EQ(removed({}), "");
  EXPECT_EQ(removed({{"a", {}}}), "");
}

}  // namespace
}  // namespace subito::node
