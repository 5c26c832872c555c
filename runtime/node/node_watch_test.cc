#include "runtime/node/node_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::node {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(ClockWatchTest, TimeThatPassesIsNoStep) {
  ClockWatch clock;
  EXPECT_FALSE(clock.look(TimePoint(seconds(100)), 1'000 * kSecond));
  EXPECT_FALSE(clock.look(TimePoint(seconds(110)), 1'010 * kSecond));
  EXPECT_FALSE(clock.look(TimePoint(seconds(120)), 1'021 * kSecond)) << "slewed";
}

TEST(ClockWatchTest, AClockThatWasSetIsToldOnceWithItsStep) {
  ClockWatch clock;
  clock.look(TimePoint(seconds(100)), 1'000 * kSecond);
  EXPECT_EQ(clock.look(TimePoint(seconds(110)), 4'610 * kSecond), Duration(seconds(3600)));
  EXPECT_FALSE(clock.look(TimePoint(seconds(120)), 4'620 * kSecond));
  EXPECT_EQ(clock.look(TimePoint(seconds(130)), 1'030 * kSecond), Duration(seconds(-3600)));
}

DiskReading good() {
  return {true, "", 1 << 30, 2U << 30, 1000, 2000};
}

TEST(DiskTest, AnOrdinaryDiskHasNoFault) {
  EXPECT_EQ(fault_of(good(), "/data"), "");
  DiskReading uncounted = good();
  uncounted.free_files = uncounted.total_files = 0;
  EXPECT_EQ(fault_of(uncounted, "/data"), "") << "btrfs counts no inodes";
}

TEST(DiskTest, SaysWhatIsWrongAndWhatItMeans) {
  DiskReading disk = good();
  disk.free_bytes = kDiskFreeMin - 1;
  EXPECT_THAT(fault_of(disk, "/data"),
              HasSubstr("/data is nearly full: less than 16 MiB of 2048 are free"));
  EXPECT_THAT(fault_of(disk, "/data"), HasSubstr("once nothing is free"));
  const std::string before = fault_of(disk, "/data");
  disk.free_bytes -= 5 << 20;
  EXPECT_EQ(fault_of(disk, "/data"), before) << "not told anew with every MiB";
  disk.free_bytes = 0;
  EXPECT_THAT(fault_of(disk, "/data"), HasSubstr("/data is full: less than 1 MiB of 2048"));
  disk = good();
  disk.writable = false;
  EXPECT_THAT(fault_of(disk, "/data"), HasSubstr("/data is read-only; what is deployed is served"));
  disk = good();
  disk.free_files = 0;
  EXPECT_THAT(fault_of(disk, "/data"), HasSubstr("no file more"));
}

TEST(DiskTest, AFolderThatIsGoneIsToldWithItsReason) {
  EXPECT_THAT(fault_of(read_disk("/nowhere/at/all"), "/nowhere/at/all"),
              HasSubstr("No such file or directory"));
}

TEST(NodeWatchTest, LooksAtTheDiskAndAtWhatElseThereIsToLookAt) {
  Loop loop;
  Health health([](const api::Condition&) {});
  int others = 0;
  NodeWatch watch({loop, health, "/nowhere/at/all", [] { return std::int64_t{0}; },
                   [&] { ++others; }, [](Duration) {}});
  watch.start();
  EXPECT_EQ(others, 1);
  while (health.conditions().empty()) loop.turn(true);
  EXPECT_EQ(health.conditions().at(0).name, "disk");
  EXPECT_FALSE(health.conditions().at(0).ok);
  watch.stop();
}

}  // namespace
}  // namespace subito::node
