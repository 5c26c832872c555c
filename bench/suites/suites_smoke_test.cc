// The suites of the built program, whole and short: counts and structure, never time.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>

#include "bench/node_client.h"
#include "bench/peers/nginx.h"
#include "bench/smoke_fixture.h"

namespace subito::bench {
namespace {

using testing::Contains;

bool nginx_is_there() {
  return Nginx::version().has_value();
}

std::vector<std::string> names_of(const nlohmann::json& peers) {
  std::vector<std::string> names;
  for (const auto& peer : peers) names.push_back(peer["name"]);
  return names;
}

class SuitesSmoke : public BenchSmoke {};

// Without nginx it has the handler alone to compare with, and says so.
TEST_F(SuitesSmoke, ThroughputMeasuresEveryPeerWithoutErrors) {
  const auto json = bench({"throughput", "--connections", "2", "--rounds", "1", "--slice", "50ms"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["benchmark"], "throughput");
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["interrupted"], false);
  EXPECT_EQ(json["reference"], nginx_is_there() ? "nginx" : "handler");
  EXPECT_EQ(json["missing"].size(), nginx_is_there() ? 0U : 3U);
  ASSERT_EQ(json["runs"].size(), 2U) << "empty and json";
  for (const auto& run : json["runs"]) {
    EXPECT_EQ(run["rounds"], 1);
    EXPECT_EQ(run["peers"].size(), nginx_is_there() ? 6U : 3U);
    EXPECT_THAT(names_of(run["peers"]), Contains("subito"));
    for (const auto& peer : run["peers"]) {
      EXPECT_GT(peer["answers"], 0) << peer;
      EXPECT_GT(peer["perSecond"]["median"], 0) << peer;
      EXPECT_GT(peer["cpuMicros"]["median"], 0) << peer;
    }
  }
}

// What is not installed is told, not measured.
TEST_F(SuitesSmoke, ThroughputTakesMorePeers) {
  const auto json = bench(
      {"throughput", "--peers", "all", "--connections", "2", "--rounds", "1", "--slice", "50ms"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  for (const char* name : {"haproxy", "h2o", "caddy", "workerd", "functions-framework"}) {
    EXPECT_NE(json["peers"].contains(name), json["missing"].contains(name)) << name;
  }
  for (const auto& measure : json["measures"]) {
    const bool other = measure["row"] == "workerd" || measure["row"] == "functions-framework";
    const std::string figure = measure["figure"];
    if (measure["row"] == json["reference"]) continue;  // it stands beside both
    EXPECT_EQ(figure.find("other languages") != figure.npos, other) << measure;
  }
}

TEST_F(SuitesSmoke, LatencySendsWhatIsDueAndNoMore) {
  const auto json = bench(
      {"latency", "--rate", "200", "--connections", "4", "--rounds", "2", "--slice", "100ms"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["benchmark"], "latency");
  EXPECT_EQ(json["errors"], 0);
  ASSERT_EQ(json["runs"].size(), 1U);
  const std::size_t others = json["runs"][0]["peers"].size() - 1;
  for (const auto& peer : json["runs"][0]["peers"]) {
    const bool reference = peer["name"] == json["reference"];
    EXPECT_EQ(peer["answers"], 20 * 2 * (reference ? others : 1)) << peer;
    EXPECT_TRUE(peer["latencyMicros"].contains("p50")) << peer;
    EXPECT_FALSE(peer["latencyMicros"].contains("p99.9")) << peer;
  }
}

TEST_F(SuitesSmoke, LatencyFindsItsRatesByItself) {
  const auto json = bench({"latency", "--percents", "5", "--rounds", "1", "--slice", "100ms"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  EXPECT_GT(json["capacityPerSecond"]["subito"], 0);
  EXPECT_GT(json["runs"][0]["perSecond"], 0);
}

TEST_F(SuitesSmoke, ChainCallsInEachWay) {
  const auto json = bench({"chain", "--rounds", "1", "--slice", "100ms"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["callsPerRequest"], 50);
  ASSERT_EQ(json["runs"].size(), 1U);
  const auto& peers = json["runs"][0]["peers"];
  EXPECT_EQ(names_of(peers),
            (std::vector<std::string>{"gateway", "gateway-again", "subito", "direct"}));
  for (const auto& peer : peers) EXPECT_GT(peer["answers"], 0) << peer;
}

TEST_F(SuitesSmoke, BurstBeginsWithoutAPodAndTellsWhatWasKept) {
  const auto json = bench({"burst", "--rounds", "2", "--at-once", "2,6", "--pool", "4"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  ASSERT_EQ(json["rows"].size(), 24U) << "empty and held";
  for (const auto& row : json["rows"]) {
    const unsigned at_once = row["atOnce"];
    EXPECT_EQ(row["calls"]["statuses"]["200"], 2 * at_once) << row;
    EXPECT_EQ(row["wrongBodies"], 0) << row;
    EXPECT_GE(row["podsStarted"], 2) << "each round begins without a pod: " << row;
    EXPECT_LE(row["podsStarted"], 2 * at_once) << row;
    EXPECT_LE(row["podsMostAtOnce"], at_once) << row;
    EXPECT_GE(row["kept"]["emptySandboxes"], 4) << row;
    EXPECT_GT(row["kept"]["bytes"], 0) << row;
    EXPECT_GT(row["kept"]["processes"], 4) << row;
  }
  ASSERT_EQ(json["measures"].size(), 72U) << "first, all and refill of each row";
  for (const auto& measure : json["measures"]) EXPECT_EQ(measure["samples"].size(), 2U) << measure;
}

TEST_F(SuitesSmoke, ChurnCountsPodsThatStartedAndEnded) {
  const auto json = bench({"churn", "--rounds", "1", "--time", "500ms", "--pool", "4"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  ASSERT_EQ(json["rows"].size(), 3U);
  for (const auto& row : json["rows"]) {
    EXPECT_GT(row["podsStarted"], 0) << row;
    EXPECT_LE(row["podsStarted"], row["calls"]["statuses"]["200"]) << row;
    EXPECT_GT(row["podsPerSecondMedian"], 0) << row;
    EXPECT_FALSE(row.contains("faults")) << row;
  }
}

TEST_F(SuitesSmoke, EachMeasuredFunctionAnswersAsItShould) {
  const auto json =
      bench({"burst", "--function", "all", "--rounds", "1", "--at-once", "2", "--pool", "4"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  ASSERT_EQ(json["rows"].size(), 30U);
  for (const auto& row : json["rows"]) {
    EXPECT_EQ(row["calls"]["statuses"]["200"], 2) << row;
    EXPECT_EQ(row["wrongBodies"], 0) << row;
    EXPECT_GE(row["podsStarted"], 1) << row;
    EXPECT_LE(row["podsStarted"], 2) << "what seeds a function is not counted: " << row;
  }
}

TEST_F(SuitesSmoke, DensityReadsTheGroupOfEachPod) {
  const auto json = bench({"density", "--pods", "5", "--pool", "4", "--function", "empty,heavy"});
  ASSERT_TRUE(json.is_object());
  ASSERT_EQ(json["rows"].size(), 6U);
  EXPECT_GT(json["rows"][3]["chargedBytes"], 5 * (64 << 20)) << "heavy touches 64 MiB";
  for (const auto& row : json["rows"]) {
    EXPECT_EQ(row["pods"], 5) << row;
    EXPECT_GT(row["chargedBytes"], 5 * 4096) << row;
    EXPECT_GE(row["chargedBytes"], row["chargedKernelBytes"]) << row;
  }
}

TEST_F(SuitesSmoke, SelfCheckRunsEachGenerator) {
  if (!nginx_is_there()) GTEST_SKIP() << "nginx is not installed";
  for (const char* tool : {"wrk", "h2load"}) {
    const auto found = run({"/bin/sh", {"sh", "-c", "command -v " + std::string(tool)}});
    if (!found || found->exit_code != 0) GTEST_SKIP() << tool << " is not installed";
  }
  const auto json = bench({"self-check", "--rounds", "1", "--slice", "1s"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(names_of(json["tools"]),
            (std::vector<std::string>{"wrk", "subito", "wrk-again", "h2load"}));
  for (const auto& tool : json["tools"]) EXPECT_GT(tool["answers"], 0) << tool;
}

TEST_F(SuitesSmoke, AnInterruptKeepsWhatThereIsAndLeavesNothingBehind) {
  interrupt(
      {"throughput", "--connections", "1", "--slice", "50ms", "--rounds", "1000", "-o", "json"},
      std::chrono::seconds(3));
}

}  // namespace
}  // namespace subito::bench
