#include "runtime/node/metrics/host_facts.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

using std::chrono::milliseconds;

TEST(HostFacts, TakeTheTimesOfAllProcessorsTogether) {
  HostFacts facts;
  take_proc_stat("cpu  100 10 20 1000 5 1 2 7 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n", 100, facts);
  EXPECT_EQ(facts.busy, milliseconds(1330));
  EXPECT_EQ(facts.idle, milliseconds(10'050));
  EXPECT_EQ(facts.stolen, milliseconds(70));
  take_proc_stat("nonsense", 100, facts);
  EXPECT_EQ(facts.busy, milliseconds(1330)) << "what cannot be read changes nothing";
}

TEST(HostFacts, TakeMemoryInBytes) {
  HostFacts facts;
  take_meminfo("MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n", facts);
  EXPECT_EQ(facts.memory_total_bytes, 16'000U * 1024);
  EXPECT_EQ(facts.memory_available_bytes, 8000U * 1024);
}

TEST(HostFacts, PressureIsTheTimeInWhichSomeoneWaited) {
  EXPECT_EQ(pressure_total("some avg10=1.00 avg60=0.00 avg300=0.00 total=1500\nfull total=7\n"),
            std::chrono::microseconds(1500));
  EXPECT_EQ(pressure_total(""), std::nullopt);
  EXPECT_EQ(pressure_total("full avg10=0.00 total=3"), std::nullopt);
}

TEST(HostFacts, ThisHostHasProcessorsMemoryAndDescriptors) {
  const HostFacts facts = read_host_facts();
  EXPECT_GE(facts.cpus, 1U);
  EXPECT_GT(facts.resident_bytes, 0U);
  EXPECT_GT(facts.open_fds, 2U);
  EXPECT_LT(facts.open_fds, 1000U);
  EXPECT_GE(facts.max_fds, facts.open_fds);
  EXPECT_GT(facts.memory_total_bytes, facts.memory_available_bytes);
}

}  // namespace
}  // namespace subito::node
