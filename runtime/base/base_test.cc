#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "runtime/base/check.h"
#include "runtime/base/histogram.h"
#include "runtime/base/id.h"
#include "runtime/base/large_memory.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"
#include "runtime/base/unique_fd.h"

namespace subito {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::kInvalidArgument, "halve value: it is odd");
  return value / 2;
}

Result<int> quarter(int value) {
  ASSIGN_OR_RETURN(const int once, half(value));
  return half(once);
}

TEST(ResultTest, PassesValuesAndErrorsOn) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).error().message, "halve value: it is odd");
  EXPECT_EQ(std::move(half(1).error()).annotate("open shop").message,
            "open shop: halve value: it is odd");
}

TEST(ResultTest, NamesWhatTheSystemRefused) {
  const Error error = errno_error("mount /proc", EPERM);
  EXPECT_EQ(error.message, "mount /proc: Operation not permitted");
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(error.os_errno, EPERM);
}

TEST(CheckDeathTest, EndsTheProcessAndSaysWhere) {
  EXPECT_DEATH(CHECK(1 + 1 == 3), "base_test.cc:.*1 \\+ 1 == 3");
}

TEST(UniqueFdTest, ClosesOnceAndMoves) {
  int raw = -1;
  {
    UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    raw = first.get();
    UniqueFd second = std::move(first);
    EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(second.get(), raw);
  }
  EXPECT_EQ(::fcntl(raw, F_GETFD), -1);
}

TEST(IdTest, CountsFromOneAndZeroMeansNone) {
  IdSource<PodId> ids;
  EXPECT_FALSE(PodId());
  EXPECT_EQ(ids.next(), PodId(1));
  EXPECT_LT(PodId(1), ids.next());
}

TEST(TimeTest, WritesRfc3339) {
  char out[kRfc3339Size];
  format_rfc3339(1'795'471'445'123'456'789LL, out);
  EXPECT_STREQ(out, "2026-11-23T22:04:05.123Z");
}

TEST(HistogramTest, IsExactForSmallValues) {
  Histogram histogram;
  for (int i = 1; i <= 20; ++i) histogram.record(i);
  EXPECT_EQ(histogram.percentile(0.5), 10);
  EXPECT_EQ(histogram.percentile(1.0), 20);
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_DOUBLE_EQ(histogram.mean(), 10.5);
}

TEST(HistogramTest, IsRightToThreeDigitsForAnyMagnitude) {
  for (std::int64_t scale = 1; scale < (std::int64_t{1} << 55); scale *= 7) {
    Histogram histogram;
    for (int i = 1; i <= 100; ++i) histogram.record(i * scale);
    for (const int p : {1, 50, 90, 99}) {
      const auto exact = static_cast<double>(p * scale);
      EXPECT_NEAR(static_cast<double>(histogram.percentile(p / 100.0)), exact, exact / 2048);
    }
  }
}

TEST(HistogramTest, MergesAndForgets) {
  Histogram a;
  Histogram b;
  a.record(10);
  b.record(1000);
  b.record(-5);
  a.merge(b);
  EXPECT_EQ(a.count(), 3U);
  EXPECT_EQ(a.min(), 0);
  EXPECT_EQ(a.max(), 1000);
  a.clear();
  EXPECT_EQ(a.percentile(0.5), 0);
}

TEST(LargeMemoryTest, LargePiecesBeginAtAHugePageAndSmallOnesTakeNoMoreThanTheyAre) {
  std::vector<int, LargeMemory<int>> numbers(kHugePage / sizeof(int) + 1, 7);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(numbers.data()) % kHugePage, 0U);
  EXPECT_EQ(numbers.back(), 7);
  const std::vector<int, LargeMemory<int>> few(3, 5);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(few.data()) % 64, 0U);
  EXPECT_EQ(few.back(), 5);
}

TEST(GrowingMemoryTest, GrowsWithoutMovingAndIsZeroWhereItIsNew) {
  GrowingMemory memory(16 * kHugePage);
  EXPECT_EQ(memory.size(), 0U);
  memory.grow(100);
  char* const begin = static_cast<char*>(memory.begin());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % kHugePage, 0U);
  EXPECT_LT(memory.size(), 5000U);
  begin[99] = 1;
  std::size_t before = memory.size();
  for (std::size_t bytes = 1000; bytes <= 16 * kHugePage; bytes += bytes / 2) {
    memory.grow(bytes);
    ASSERT_GE(memory.size(), bytes);
    ASSERT_EQ(memory.begin(), begin);
    for (; before < memory.size(); before += 512) ASSERT_EQ(begin[before], 0);
    begin[memory.size() - 1] = 1;
  }
  EXPECT_EQ(begin[99], 1);
}

// A flag of the mapping that `address` lies in: proc(5), smaps.
bool has_flag(const void* address, const std::string& flag) {
  std::ifstream maps("/proc/self/smaps");
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2) inside = begin <= at && at < end;
    if (inside && line.starts_with("VmFlags:")) return line.find(" " + flag) != std::string::npos;
  }
  return false;
}

TEST(GrowingMemoryTest, WhatIsOnlyReservedIsInNoCoreDump) {
  GrowingMemory memory(16 * kHugePage);
  memory.grow(100);
  const char* const begin = static_cast<const char*>(memory.begin());
  EXPECT_FALSE(has_flag(begin, "dd"));
  EXPECT_TRUE(has_flag(begin + memory.size(), "dd"));
  memory.grow(3 * kHugePage);
  EXPECT_FALSE(has_flag(begin + memory.size() - 1, "dd"));
  EXPECT_TRUE(has_flag(begin + memory.size(), "dd"));
}

TEST(GrowingMemoryTest, EndsWhereItWasSaidTo) {
  GrowingMemory memory(3 * kHugePage);
  memory.grow(3 * kHugePage);
  EXPECT_THROW(memory.grow(3 * kHugePage + 1), std::bad_alloc);
  EXPECT_EQ(memory.size(), 3 * kHugePage);
}

}  // namespace
}  // namespace subito
