#include "bench/simulate/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(SimulateOptions, HaveDefaults) {
  const Options options = parse_simulate({}).value();
  EXPECT_EQ(options.workload, "azure-2019");
  EXPECT_EQ(options.policies.size(), 5u);
  EXPECT_EQ(options.cold_start, "");
  EXPECT_EQ(options.size.seed, 1u);
  EXPECT_FALSE(options.grid);
}

TEST(SimulateOptions, TakeAll) {
  const Options options = parse_simulate({"--workload",
                                          "step:rate=5",
                                          "--functions",
                                          "10k",
                                          "--duration",
                                          "2h",
                                          "--seed",
                                          "9",
                                          "--policy",
                                          "instant,instant:idle=60s",
                                          "--cold-start",
                                          "huawei-2025",
                                          "--cores",
                                          "2",
                                          "--memory",
                                          "64GB",
                                          "--starts",
                                          "8",
                                          "--max",
                                          "20",
                                          "--concurrency",
                                          "4",
                                          "--timeout",
                                          "30s",
                                          "--idle",
                                          "1m",
                                          "-o",
                                          "json",
                                          "--html",
                                          "page.html",
                                          "--grid"})
                              .value();
  EXPECT_EQ(options.size.functions, 10'000u);
  EXPECT_EQ(options.size.duration, Duration(2h));
  ASSERT_EQ(options.policies.size(), 2u);
  EXPECT_EQ(options.policies[0].idle, std::nullopt);
  EXPECT_EQ(options.policies[1].idle, Duration(60s));
  EXPECT_EQ(options.policies[1].name, "instant:idle=60s");
  EXPECT_EQ(options.memory_bytes, 64'000'000'000u);
  EXPECT_EQ(options.idle, Duration(1min));
  EXPECT_TRUE(options.json);
  EXPECT_TRUE(options.grid);
}

TEST(SimulateOptions, OfTheNode) {
  const Options options =
      parse_simulate({"--pods", "64", "--share-cores", "pods", "--start-cpu", "800us"}).value();
  EXPECT_EQ(options.pods, 64u);
  EXPECT_EQ(options.cores_by_function, false);
  EXPECT_EQ(options.start_cpu, Duration(800us));
  EXPECT_EQ(parse_simulate({"--share-cores", "functions"}).value().cores_by_function, true);
  EXPECT_EQ(parse_simulate({}).value().cores_by_function, std::nullopt);
}

TEST(SimulateOptions, SayWhatIsAllowed) {
  const auto words = [](std::vector<std::string> arguments) {
    const auto options = parse_simulate(std::move(arguments));
    EXPECT_FALSE(options);
    return options ? std::string() : options.error().message;
  };
  EXPECT_THAT(words({"--policy", "best"}), HasSubstr("is 'best', allowed is instant"));
  EXPECT_THAT(words({"--policy", "instant:keep=1s"}), HasSubstr("allowed is idle"));
  EXPECT_THAT(words({"--duration", "5"}), HasSubstr("--duration: is '5', allowed is a time"));
  EXPECT_THAT(words({"--duration", "32d"}), HasSubstr("31d at most"));
  EXPECT_THAT(words({"--functions", "2M"}), HasSubstr("1000000 at most"));
  EXPECT_THAT(words({"--memory", "64"}), HasSubstr("allowed is a size"));
  EXPECT_THAT(words({"--trace-2019", "a", "--trace-2021", "b"}), HasSubstr("only one"));
  EXPECT_THAT(words({"--memory", "1GB", "--pods", "3"}), HasSubstr("only one"));
  EXPECT_THAT(words({"--share-cores", "calls"}), HasSubstr("--share-cores"));
  EXPECT_THAT(words({"--concurrency", "0"}), HasSubstr("--concurrency"));
  EXPECT_FALSE(words({"frob"}).empty());
}

TEST(SimulateOptions, HelpIsNoError) {
  const auto help = parse_simulate({"--help"});
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(help.error().message, HasSubstr("--cold-start"));
}

}  // namespace
}  // namespace subito::simulate
