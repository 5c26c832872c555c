#include "bench/simulate/drawn_aside.h"

#include <gtest/gtest.h>

#include <vector>

#include "bench/simulate/azure.h"
#include "bench/simulate/listed.h"

namespace subito::simulate {
namespace {

std::unique_ptr<Workload> begin(std::uint64_t calls) {
  const Plan plan = azure_plan(Spec::parse("azure-2021").value(), {.calls = calls}).value();
  return plan.begin(TimePoint(plan.duration));
}

std::unique_ptr<Workload> listed(std::size_t count) {
  return std::make_unique<Listed>(std::vector(count, call(Duration(1), Duration(2))));
}

std::size_t count(Workload& workload) {
  Arrival arrival;
  std::size_t count = 0;
  while (workload.next(arrival)) ++count;
  return count;
}

TEST(DrawnAside, GivesTheSameArrivalsInTheSameOrder) {
  const auto alone = begin(100'000);
  double cpu = 0;
  DrawnAside aside(begin(100'000), cpu);
  Arrival expected, got;
  while (alone->next(expected)) {
    ASSERT_TRUE(aside.next(got));
    ASSERT_EQ(std::tuple(got.at, got.function, got.service),
              std::tuple(expected.at, expected.function, expected.service));
  }
  EXPECT_FALSE(aside.next(got));
}

TEST(DrawnAside, EndsWhereTheWorkloadEndsHoweverManyBlocksThatIs) {
  constexpr std::size_t kBlock = DrawnAside::kBlock;
  for (const std::size_t many : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, kBlock + 1,
                                 DrawnAside::kBlocks * kBlock, 20 * kBlock}) {
    double cpu = 0;
    DrawnAside aside(listed(many), cpu);
    EXPECT_EQ(count(aside), many);
    Arrival arrival;
    EXPECT_FALSE(aside.next(arrival));  // as often as it is asked
  }
}

TEST(DrawnAside, MayGoBeforeItIsOver) {
  double cpu = 0;
  Arrival arrival;
  { DrawnAside aside(listed(50 * DrawnAside::kBlock), cpu); }
  EXPECT_GT(cpu, 0);
  DrawnAside aside(listed(50 * DrawnAside::kBlock), cpu);
  EXPECT_TRUE(aside.next(arrival));
}

}  // namespace
}  // namespace subito::simulate
