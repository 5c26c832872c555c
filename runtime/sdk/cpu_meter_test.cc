#include "runtime/sdk/cpu_meter.h"

#include <gtest/gtest.h>
#include <time.h>

#include <thread>

namespace subito::sdk {
namespace {

using std::chrono::milliseconds;

void sleep_for(milliseconds time) {
  const timespec spec{.tv_sec = 0, .tv_nsec = time.count() * 1'000'000};
  ::nanosleep(&spec, nullptr);
}

void burn(milliseconds time) {
  timespec now{};
  const auto so_far = [&] {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  };
  for (const auto until = so_far() + time.count() * 1'000'000; so_far() < until;) {
  }
}

TEST(CpuMeterTest, TellsWorkFromSleep) {
  CpuMeter meter;
  meter.begin();
  sleep_for(milliseconds(1));
  EXPECT_FALSE(meter.end()) << "the first is never measured";
  meter.begin();
  burn(milliseconds(5));
  sleep_for(milliseconds(20));
  const auto use = meter.end();
  if (!use) GTEST_SKIP() << "this kernel has no schedstat";
  EXPECT_GE(use->cpu, milliseconds(5));
  EXPECT_LT(use->cpu, milliseconds(20));
  EXPECT_GE(use->waited, milliseconds(0));
}

TEST(CpuMeterTest, ShortCallsAreLeftAlone) {
  CpuMeter meter;
  for (int i = 0; i < 100; ++i) {
    meter.begin();
    meter.end();
  }
  meter.begin();
  burn(milliseconds(2));
  EXPECT_FALSE(meter.end()) << "the one before was short";
}

TEST(CpuMeterTest, EachThreadHasItsOwn) {
  CpuMeter* other = nullptr;
  std::thread([&] { other = &CpuMeter::of_this_thread(); }).join();
  EXPECT_NE(other, &CpuMeter::of_this_thread());
}

}  // namespace
}  // namespace subito::sdk
