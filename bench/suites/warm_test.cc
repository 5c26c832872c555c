// What the warm suites tell, of figures made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/suites/latency.h"
#include "bench/suites/throughput.h"
#include "bench/suites/warm_suite.h"

namespace subito::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

// A second of `answers`, each `us` long and `us` of CPU time.
Slice slice(std::uint64_t answers, std::int64_t us) {
  Slice made;
  made.traffic.answers = answers;
  made.traffic.took = std::chrono::seconds(1);
  for (std::uint64_t i = 0; i < answers; ++i) made.traffic.latency.record(us * 1000);
  made.cpu = std::chrono::microseconds(us) * answers;
  return made;
}

WarmRun run(std::uint32_t connections, const Slice& subito, const Slice& nginx) {
  WarmRun made{{kJsonAnswer, connections, 0}, {}};
  made.pairs.series = {{"nginx-again", {{nginx, nginx}}}, {"subito", {{subito, nginx}}}};
  add(made.pairs.reference, nginx.traffic);
  return made;
}

template <typename Outcome>
Outcome told() {
  Outcome result;
  result.suite = "suite";
  result.plan = {1, std::chrono::seconds(1), 7};
  result.reference = "nginx";
  result.peers = {{"nginx", "a proxy"}, {"subito", "a node"}};
  return result;
}

TEST(Throughput, TellsFiguresAndRatiosOfEachPeer) {
  auto result = told<ThroughputResult>();
  result.runs = {run(16, slice(3000, 10), slice(2000, 20))};
  const std::string text = to_text(result, Machine(), "subito bench throughput");
  EXPECT_THAT(text, HasSubstr("| json | 16 | nginx | 2000 | 1 | 20.0 | 1 | 20.0 | 1 | 2000 | 0 |"));
  EXPECT_THAT(text, HasSubstr("| json | 16 | nginx-again | 2000 | 1.00 (1.00 to 1.00) |"));
  EXPECT_THAT(text, HasSubstr("| json | 16 | subito | 3000 | 1.50 (1.50 to 1.50) | 10.0 | 0.50 ("));
  const auto json = to_json(result, Machine(), "subito bench throughput");
  const auto& subito = json["runs"][0]["peers"][2];
  EXPECT_EQ(subito["name"], "subito");
  EXPECT_EQ(subito["perSecondRatio"]["median"], 1.5);
  EXPECT_EQ(subito["cpuRatio"]["median"], 0.5);
  EXPECT_EQ(subito["latencyRatio"]["p99"]["median"], 0.5);
  EXPECT_FALSE(subito["latencyRatio"].contains("p99.9")) << "3,000 answers are too few";
  EXPECT_TRUE(subito["latencyMicros"].contains("p99"));
  EXPECT_FALSE(subito["latencyMicros"].contains("p99.9"));
}

TEST(Throughput, HoldsManyConnectionsToRequestsAndCpu) {
  auto result = told<ThroughputResult>();
  result.runs = {run(16, slice(3000, 10), slice(2000, 20))};
  EXPECT_TRUE(promises_kept(result));
  result.runs = {run(16, slice(2900, 10), slice(2000, 20))};
  EXPECT_FALSE(promises_kept(result)) << "fewer requests";
  EXPECT_THAT(to_text(result, Machine(), ""), HasSubstr("at least 1.5: 1.45, MISSED"));
  result.runs = {run(16, slice(3000, 21), slice(2000, 20))};
  EXPECT_FALSE(promises_kept(result)) << "more CPU time";
}

TEST(Throughput, HoldsOneConnectionToItsMedian) {
  auto result = told<ThroughputResult>();
  result.runs = {run(1, slice(2000, 20), slice(3000, 20))};
  EXPECT_TRUE(promises_kept(result));
  result.runs = {run(1, slice(2000, 21), slice(3000, 20))};
  EXPECT_FALSE(promises_kept(result));
}

TEST(Throughput, PromisesNothingWithoutNginx) {
  auto result = told<ThroughputResult>();
  result.reference = "handler";
  result.missing = {{"nginx", "find nginx: it is not installed"}};
  result.runs = {run(16, slice(1000, 30), slice(2000, 20))};
  EXPECT_TRUE(promises_kept(result));
  const std::string text = to_text(result, Machine(), "");
  EXPECT_THAT(text, HasSubstr("nginx was left out: find nginx: it is not installed"));
  EXPECT_THAT(text, Not(HasSubstr("Targets")));
}

TEST(Throughput, TellsErrorsAndAnInterrupt) {
  auto result = told<ThroughputResult>();
  Slice bad = slice(10, 10);
  bad.traffic.errors = 2;
  bad.traffic.first_error = "oops";
  result.runs = {run(16, bad, slice(2000, 20))};
  result.interrupted = true;
  EXPECT_EQ(result.errors(), 2U);
  const std::string text = to_text(result, Machine(), "");
  EXPECT_THAT(text, HasSubstr("2 errors (json, 16 connections), the first: subito: oops"));
  EXPECT_THAT(text, HasSubstr("Interrupted"));
  EXPECT_EQ(to_json(result, Machine(), "")["runs"][0]["peers"][2]["firstError"], "oops");
}

TEST(Latency, TellsThePercentilesThatItsAnswersAllow) {
  auto result = told<LatencyResult>();
  result.subito_per_second = 5000;
  result.reference_per_second = 4000;
  result.runs = {run(64, slice(999, 10), slice(1000, 20))};
  result.runs[0].scenario.per_second = 400;
  const std::string text = to_text(result, Machine(), "subito bench latency");
  EXPECT_THAT(text, HasSubstr("subito 5000 a second, nginx 4000."));
  EXPECT_THAT(text, HasSubstr("| 400 | nginx | 20 | 20 | 20 | - | - | 1 | 1 | 0 | 1000 | 0 |"));
  EXPECT_THAT(text, HasSubstr("| 400 | subito | 10 | 10 | - | - | - | 0.50 (0.50 to 0.50) | - |"));
  const auto json = to_json(result, Machine(), "");
  EXPECT_EQ(json["capacityPerSecond"]["subito"], 5000);
  EXPECT_EQ(json["runs"][0]["perSecond"], 400);
}

TEST(WarmSuite, TellsHowLongItStillTakes) {
  EXPECT_EQ(progress_words("latency", {kJsonAnswer, 64, 400}, "nginx", std::chrono::seconds(42)),
            "latency, json, 64 connections, 400 a second: nginx; 42 s left");
}

TEST(WarmSlice, AsksThePeerForTheAnswer) {
  const WarmPeer peer = {"subito", "", {"", "127.0.0.1", 80}, "/function/measured", {}};
  const Traffic traffic = traffic_of(peer, {kJsonAnswer, 3, 50});
  EXPECT_EQ(traffic.request.path, "/function/measured/json");
  EXPECT_EQ(traffic.expected.body, kProductJson);
  EXPECT_EQ(traffic.connections, 3U);
  EXPECT_EQ(traffic.per_second, 50);
}

}  // namespace
}  // namespace subito::bench
