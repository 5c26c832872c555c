#include "bench/patterns/costs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "bench/patterns/kinds.h"
#include "bench/temp_folder.h"

namespace subito::bench {
namespace {

using testing::HasSubstr;

constexpr double kGib = 1024.0 * 1024 * 1024;

constexpr const char* kYaml =
    "currency: beads\n"
    "machine: {hour: 0.5, vcpus: 2, memoryGiB: 4}\n"
    "container: {vcpuHour: 1, memoryGiBHour: 0.1, vcpus: 0.25, memoryGiB: 0.5}\n"
    "function: {vcpuSecond: 0.001, memoryGiBSecond: 0.0001, millionRequests: 2}\n"
    "days:\n"
    "  - {name: steady, bursts: 1, seconds: 86400, perSecond: 100}\n"
    "  - {name: bursty, bursts: 10, seconds: 60, perSecond: 100}\n";

Prices prices() {
  auto parsed = parse_prices(kYaml);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *parsed : Prices();
}

TEST(Prices, AreReadWithTheirDays) {
  const Prices read = prices();
  EXPECT_EQ(read.currency, "beads");
  EXPECT_DOUBLE_EQ(read.machine.hour, 0.5);
  EXPECT_DOUBLE_EQ(read.container.memory_gib, 0.5);
  EXPECT_DOUBLE_EQ(read.function.million_requests, 2);
  ASSERT_EQ(read.days.size(), 2U);
  EXPECT_EQ(read.days[1].name, "bursty");
  EXPECT_DOUBLE_EQ(read.days[1].requests(), 60'000);
}

// Each fault is told by the key that bears it.
TEST(Prices, NameTheKeyThatIsWrong) {
  const auto message_of = [](std::string yaml, const std::string& from, const std::string& to) {
    const std::size_t at = yaml.find(from);
    EXPECT_NE(at, yaml.npos);
    const auto parsed = parse_prices(yaml.replace(at, from.size(), to));
    EXPECT_FALSE(parsed) << to;
    return parsed ? "" : parsed.error().message;
  };
  EXPECT_THAT(message_of(kYaml, "hour: 0.5", "hour: much"), HasSubstr("machine.hour"));
  EXPECT_THAT(message_of(kYaml, "hour: 0.5", "hour: -1"), HasSubstr("machine.hour"));
  EXPECT_THAT(message_of(kYaml, "millionRequests: 2", "other: 2"),
              HasSubstr("function.millionRequests"));
  EXPECT_THAT(message_of(kYaml, "container: {", "other: {"), HasSubstr("container.vcpuHour"));
  EXPECT_THAT(message_of(kYaml, "bursts: 10", "bursts: 0"), HasSubstr("days.bursty.bursts"));
  EXPECT_THAT(message_of(kYaml, "seconds: 60", "seconds: 86400"),
              HasSubstr("days.bursty are longer than a day"));
  EXPECT_THAT(message_of(kYaml, "machine: {", "machine: ["), HasSubstr("read prices"));
  EXPECT_FALSE(parse_prices(""));
  EXPECT_FALSE(parse_prices("[1, 2]"));
}

TEST(Prices, OfAFileThatIsNotThereSayHowToNameOne) {
  const auto read = read_prices("/nonexistent/prices.yaml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(read.error().message, HasSubstr("--prices FILE"));
}

TEST(DayCost, OfMachinesIsTheirHoursWhateverTheLoad) {
  const Prices given = prices();
  Usage usage;
  usage.load_bytes = 1 * kGib;
  usage.cpu_us = 1'000;  // 0.1 core at 100 a second
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[0], usage).cost, 24 * 0.5);
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[1], usage).cost, 24 * 0.5);
  usage.parts = 6;
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[0], usage).cost, 6 * 24 * 0.5);
}

// 100 a second of 50 ms each are 5 cores, of which a machine has 2; 9 GiB want three of 4 GiB.
TEST(DayCost, OfMachinesGrowsWithCpuAndMemory) {
  const Prices given = prices();
  Usage usage;
  usage.cpu_us = 50'000;
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[0], usage).cost, 3 * 24 * 0.5);
  usage.cpu_us = 0;
  usage.load_bytes = 9 * kGib;
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[0], usage).cost, 3 * 24 * 0.5);
}

TEST(DayCost, OfContainersIsWhatEachIsGivenOrMore) {
  const Prices given = prices();
  Usage usage;
  usage.tariff = Tariff::kContainers;
  usage.parts = 6;
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[0], usage).cost, 24 * (1.5 * 1 + 3 * 0.1));
  usage.cpu_us = 20'000;  // 2 cores
  usage.load_bytes = 5 * kGib;
  EXPECT_DOUBLE_EQ(cost_of_day(given, given.days[0], usage).cost, 24 * (2 * 1 + 5 * 0.1));
}

// 60,000 requests of 10 ms are 600 s of CPU; 10 bursts with 5 starts of 20 ms are one more; 2 GiB
// for 10 times 60 + 5 s are 1,300 GiB s.
TEST(DayCost, OfFunctionsIsWhatTheyUse) {
  const Prices given = prices();
  Usage usage;
  usage.tariff = Tariff::kFunctions;
  usage.idle_bytes = 1 * kGib;
  usage.load_bytes = 3 * kGib;
  usage.cpu_us = 10'000;
  usage.start_ms = 20;
  usage.starts_per_burst = 5;
  usage.keep_seconds = 5;
  const double cost = 0.06 * 2 + 601 * 0.001 + 1'300 * 0.0001;
  EXPECT_NEAR(cost_of_day(given, given.days[1], usage).cost, cost, 1e-9);
}

TEST(DayCost, OfFunctionsHasNoMoreThanADay) {
  const Prices given = prices();
  Usage usage;
  usage.tariff = Tariff::kFunctions;
  usage.load_bytes = kGib;
  usage.keep_seconds = 600;
  EXPECT_NEAR(cost_of_day(given, given.days[0], usage).cost, 8.64 * 2 + 86'400 * 0.0001, 1e-9);
}

Book measured() {
  Book book;
  for (const PatternKind& kind : kPatternKinds) {
    book.add(kind.name, metric::kIdleMemory, 10);
    book.add(kind.name, metric::kLoadMemory, 20);
    book.add(kind.name, metric::kCpu, 100);
  }
  return book;
}

TEST(Costs, LeaveTheEmulatedMachineOut) {
  Book book = measured();
  book.add(kServerless, metric::kStart, 2, kStartModes.front());
  const std::vector<DayCost> costs = costs_of(prices(), book);
  EXPECT_EQ(costs.size(), 2 * (kPatternKinds.size() - 1));
  for (const DayCost& cost : costs) {
    EXPECT_NE(cost.pattern, kVm);
    EXPECT_GT(cost.cost, 0) << cost.pattern;
  }
}

TEST(Costs, NeedAllMeasures) {
  for (const DayCost& cost : costs_of(prices(), measured())) EXPECT_NE(cost.pattern, kServerless);
  EXPECT_TRUE(costs_of(prices(), Book()).empty());
}

}  // namespace
}  // namespace subito::bench
