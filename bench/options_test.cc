#include "bench/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/suites/measured_functions.h"

namespace subito::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

ColdStartOptions cold_start(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "cold-start");
  auto parsed = parse_bench(std::move(arguments));
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed && parsed->cold_start ? *parsed->cold_start : ColdStartOptions();
}

TEST(BenchOptions, HaveDefaults) {
  const ColdStartOptions options = cold_start({});
  EXPECT_EQ(options.count, 50U);
  EXPECT_EQ(options.columns, kColumnNames);
  EXPECT_EQ(options.idle, seconds(0));
  EXPECT_TRUE(options.node_socket.empty());
  EXPECT_FALSE(options.json);
  EXPECT_FALSE(options.quiet);
  EXPECT_FALSE(options.check);
}

TEST(BenchOptions, TakeAllOfColdStart) {
  const ColdStartOptions options =
      cold_start({"-n", "7", "--idle", "1.5s", "--node", "/run/api.sock", "--seed", "9", "-o",
                  "json", "--report", "out.md", "--pool", "2", "--quiet", "--check"});
  EXPECT_TRUE(options.check);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.count, 7U);
  EXPECT_EQ(options.idle, milliseconds(1500));
  EXPECT_EQ(options.node_socket, "/run/api.sock");
  EXPECT_EQ(options.seed, 9U);
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.report, "out.md");
  EXPECT_EQ(options.pool_size, 2U);
}

TEST(BenchOptions, ModeLeavesTheFloorsAlone) {
  EXPECT_THAT(cold_start({"--mode", "pooled"}).columns,
              ElementsAre("spawn", "spawn-again", "clone", "crun", "runc", "bwrap", "pooled",
                          "pooled-new", "socket-activate", "lighttpd-cgi"));
  EXPECT_EQ(cold_start({"--mode", "fresh,pooled,template"}).columns, kColumnNames);
}

TEST(BenchOptions, OnlyNamesColumns) {
  EXPECT_THAT(cold_start({"--only", "spawn,fresh"}).columns, ElementsAre("spawn", "fresh"));
}

TEST(BenchOptions, IdleCostIsTheOtherCommand) {
  const auto parsed = parse_bench({"idle-cost", "--functions", "3", "--check"});
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->cold_start);
  ASSERT_TRUE(parsed->idle_cost);
  EXPECT_EQ(parsed->idle_cost->functions, 3U);
  EXPECT_TRUE(parsed->idle_cost->check);
}

TEST(BenchOptions, FairnessHasItsOwn) {
  const auto parsed = parse_bench({"fairness", "--rounds", "2", "--time", "500ms", "--rate", "40",
                                   "--burn", "3", "--pods", "16", "--seed", "9", "--check"});
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->fairness);
  const FairnessOptions& options = *parsed->fairness;
  EXPECT_EQ(options.rounds, 2U);
  EXPECT_EQ(options.time, milliseconds(500));
  EXPECT_EQ(options.per_second, 40U);
  EXPECT_EQ(options.burn_ms, 3U);
  EXPECT_EQ(options.pods, 16U);
  EXPECT_EQ(options.seed, 9U);
  EXPECT_TRUE(options.check);
}

TEST(BenchOptions, StepHasItsOwn) {
  const auto parsed = parse_bench({"step", "--rounds", "2", "--concurrent", "50", "--burn", "3",
                                   "--pods", "16", "--pool", "4", "--seed", "9", "--check"});
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->step);
  const StepOptions& options = *parsed->step;
  EXPECT_EQ(options.rounds, 2U);
  EXPECT_EQ(options.concurrent, 50U);
  EXPECT_EQ(options.burn_ms, 3U);
  EXPECT_EQ(options.pods_max(), 16U);
  EXPECT_EQ(options.pool_size, 4U);
  EXPECT_EQ(options.seed, 9U);
  EXPECT_TRUE(options.check);
}

TEST(BenchOptions, StepMayUseAsManyPodsAsCalls) {
  const auto parsed = parse_bench({"step", "--concurrent", "50"});
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->step);
  EXPECT_EQ(parsed->step->pods_max(), 50U);
}

TEST(BenchOptions, ShopHasItsOwn) {
  const auto parsed = parse_bench({"shop", "--shop", "/", "--rate", "50", "--time", "2s", "--seed",
                                   "9", "--rounds", "3", "--check", "--latency"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_TRUE(parsed->shop);
  const ShopOptions& options = *parsed->shop;
  EXPECT_EQ(options.mode, ShopOptions::Mode::kLatency);
  EXPECT_EQ(options.shop, "/");
  EXPECT_EQ(options.per_second, 50U);
  EXPECT_EQ(options.time, seconds(2));
  EXPECT_EQ(options.rounds, 3U);
  EXPECT_EQ(options.seed, 9U);
  EXPECT_TRUE(options.check);
}

TEST(BenchOptions, ShopIsTheMixAtTheOriginalsRateUnlessToldElse) {
  const auto parsed = parse_bench({"shop"});
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->shop);
  EXPECT_EQ(parsed->shop->mode, ShopOptions::Mode::kMix);
  EXPECT_EQ(parsed->shop->per_second, 30U);
  EXPECT_EQ(parsed->shop->time, seconds(30));
  EXPECT_EQ(parsed->shop->rounds, 20U);
  EXPECT_TRUE(parsed->shop->shop.empty());
  const auto original = parse_bench({"shop", "--original"});
  ASSERT_TRUE(original && original->shop);
  EXPECT_EQ(original->shop->mode, ShopOptions::Mode::kOriginal);
}

TEST(BenchOptions, ThroughputHasItsOwn) {
  const auto parsed = parse_bench({"throughput", "--connections", "1,8", "--rounds", "2", "--slice",
                                   "250ms", "--seed", "9", "--pool", "4", "--check"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_TRUE(parsed->throughput);
  const ThroughputOptions& options = *parsed->throughput;
  EXPECT_THAT(options.connections, ElementsAre(1U, 8U));
  EXPECT_EQ(options.rounds, 2U);
  EXPECT_EQ(options.slice, milliseconds(250));
  EXPECT_EQ(options.seed, 9U);
  EXPECT_EQ(options.pool_size, 4U);
  EXPECT_TRUE(options.check);
}

TEST(BenchOptions, LatencyTakesARateOrShares) {
  const auto rate = parse_bench({"latency", "--rate", "500"});
  ASSERT_TRUE(rate && rate->latency);
  EXPECT_EQ(rate->latency->per_second, 500U);
  const auto shares = parse_bench({"latency", "--percents", "20,40"});
  ASSERT_TRUE(shares && shares->latency);
  EXPECT_EQ(shares->latency->per_second, 0U);
  EXPECT_THAT(shares->latency->percents, ElementsAre(20U, 40U));
}

TEST(BenchOptions, StartSuitesHaveTheirOwn) {
  const auto burst = parse_bench({"burst", "--at-once", "5,50", "--quick"});
  ASSERT_TRUE(burst && burst->burst);
  EXPECT_THAT(burst->burst->at_once, ElementsAre(5U, 50U));
  EXPECT_EQ(burst->burst->rounds, kQuickRounds);
  const auto churn =
      parse_bench({"churn", "--time", "2s", "--connections", "8", "--pods", "16", "--rounds", "2"});
  ASSERT_TRUE(churn && churn->churn);
  EXPECT_EQ(churn->churn->time, seconds(2));
  EXPECT_EQ(churn->churn->connections, 8U);
  EXPECT_EQ(churn->churn->pods, 16U);
  EXPECT_EQ(churn->churn->rounds, 2U);
  const auto density = parse_bench({"density", "--pods", "7"});
  ASSERT_TRUE(density && density->density);
  EXPECT_EQ(density->density->pods, 7U);
  const auto chain = parse_bench({"chain", "--connections", "1,4"});
  ASSERT_TRUE(chain && chain->chain);
  EXPECT_THAT(chain->chain->connections, ElementsAre(1U, 4U));
}

TEST(BenchOptions, QuickIsAFewShortRounds) {
  const auto parsed = parse_bench({"self-check", "--quick"});
  ASSERT_TRUE(parsed && parsed->self_check);
  EXPECT_EQ(parsed->self_check->rounds, kQuickRounds);
  EXPECT_EQ(parsed->self_check->slice, kQuickSlice);
}

TEST(BenchOptions, AllStandsForEachFunctionAndEachPeer) {
  EXPECT_TRUE(cold_start({}).functions.empty()) << "the echo";
  EXPECT_EQ(cold_start({"--function", "all"}).functions, kFunctionNames);
  EXPECT_THAT(cold_start({"--function", "json,empty,json"}).functions,
              ElementsAre("empty", "json"));
  const auto burst = parse_bench({"burst"});
  ASSERT_TRUE(burst);
  EXPECT_THAT(burst->burst->functions, ElementsAre("empty", "held"));
  const auto some = parse_bench({"throughput", "--peers", "nginx,caddy"});
  ASSERT_TRUE(some);
  EXPECT_THAT(some->throughput->peers, ElementsAre("caddy")) << "nginx is always there";
  const auto all = parse_bench({"latency", "--peers", "all"});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->latency->peers.size(), 5U) << "a process a connection is no warm peer";
}

TEST(BenchOptions, PageAndCompareTakeFiles) {
  const auto page = parse_bench({"page", "a.json", "b.json", "-o", "p.html"});
  ASSERT_TRUE(page);
  EXPECT_THAT(page->page->reports, ElementsAre("a.json", "b.json"));
  EXPECT_EQ(page->page->output, "p.html");
  const auto compare = parse_bench({"compare", "a.json", "b.json", "--check"});
  ASSERT_TRUE(compare);
  EXPECT_EQ(compare->compare->after, "b.json");
  EXPECT_TRUE(compare->compare->check);
}

TEST(BenchOptions, RefuseWhatIsWrong) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"warm"},
                                             {"cold-start", "-n", "0"},
                                             {"cold-start", "--mode", "warm"},
                                             {"cold-start", "--only", "docker"},
                                             {"cold-start", "--idle", "5"},
                                             {"cold-start", "--idle", "-1s"},
                                             {"cold-start", "--idle", "11m"},
                                             {"cold-start", "--binary", "/nonexistent"},
                                             {"cold-start", "--function", "tiny"},
                                             {"cold-start", "--function", "held"},
                                             {"cold-start", "--breakdown", "--idle", "1s"},
                                             {"cold-start", "--function", "heavy", "--path", "/"},
                                             {"cold-start", "--cold-cache", "--node", "/a.sock"},
                                             {"page", "a.json"},
                                             {"compare", "a.json"},
                                             {"peers", "--yes"},
                                             {"throughput", "--peers", "lighttpd-cgi"},
                                             {"idle-cost", "--functions", "0"},
                                             {"fairness", "--rounds", "0"},
                                             {"fairness", "--time", "5"},
                                             {"step", "--rounds", "0"},
                                             {"step", "--concurrent", "701"},
                                             {"step", "--pods", "0"},
                                             {"shop", "--original", "--latency"},
                                             {"shop", "--rate", "0"},
                                             {"shop", "--time", "30"},
                                             {"shop", "--rounds", "0"},
                                             {"throughput", "--connections", "0"},
                                             {"throughput", "--slice", "10ms"},
                                             {"throughput", "--quick", "--rounds", "2"},
                                             {"throughput", "--binary", "/"},
                                             {"latency", "--rate", "5", "--percents", "10"},
                                             {"latency", "--percents", "96"},
                                             {"self-check", "--connections", "401"},
                                             {"burst", "--at-once", "701"},
                                             {"burst", "--quick", "--rounds", "2"},
                                             {"churn", "--time", "3"},
                                             {"density", "--pods", "0"},
                                             {"chain", "--connections", "0"}}) {
    const auto parsed = parse_bench(arguments);
    ASSERT_FALSE(parsed) << testing::PrintToString(arguments);
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(BenchOptions, HelpIsNoError) {
  const auto parsed = parse_bench({"cold-start", "--help"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(parsed.error().message, HasSubstr("--idle"));
}

TEST(ParseDuration, KnowsItsUnits) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("2m"), seconds(120));
  EXPECT_FALSE(parse_duration("s"));
  EXPECT_FALSE(parse_duration("1h"));
  EXPECT_FALSE(parse_duration(""));
}

}  // namespace
}  // namespace subito::bench
