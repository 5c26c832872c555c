// `subito bench` of the built program, whole: does it measure, and is nothing left?
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/node_client.h"
#include "bench/options.h"
#include "bench/smoke_fixture.h"

namespace subito::bench {
namespace {

namespace files = std::filesystem;

TEST_F(BenchSmoke, ColdStartAnswersInJsonWithoutErrors) {
  const auto finished = run({kProgram, {"subito", "bench", "cold-start", "-n", "3", "-o", "json"}});
  ASSERT_TRUE(finished);
  ASSERT_EQ(finished->exit_code, 0) << finished->output;
  const auto json = nlohmann::json::parse(finished->output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << finished->output;
  EXPECT_EQ(json["benchmark"], "cold-start");
  EXPECT_EQ(json["rounds"], 3);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_FALSE(json["machine"]["kernel"].get<std::string>().empty());
  ASSERT_EQ(json["columns"].size(), 14U);
  for (const auto& column : json["columns"]) {
    if (column.contains("missing")) {
      const std::string name = column["name"];
      EXPECT_THAT(
          (std::vector<std::string>{"runc", "crun", "bwrap", "socket-activate", "lighttpd-cgi"}),
          testing::Contains(name))
          << column;
      continue;
    }
    EXPECT_EQ(column["n"], 3) << column;
    EXPECT_GT(column["p50Micros"], 0) << column;
    if (!by_node(column["name"])) continue;
    EXPECT_GE(column["kept"]["emptySandboxes"], 8) << column;
    EXPECT_GT(column["kept"]["bytes"], 0) << column;
    EXPECT_GT(column["kept"]["refillMillis"]["p50"], 0) << column;
  }
}

TEST_F(BenchSmoke, BreakdownTellsEachStep) {
  const auto json = bench({"cold-start", "--breakdown", "-n", "2"});
  ASSERT_TRUE(json.is_object());
  std::vector<std::string> rows;
  for (const auto& measure : json["measures"]) {
    rows.push_back(measure["row"]);
    EXPECT_EQ(measure["samples"].size(), 2U) << measure;
  }
  EXPECT_THAT(rows, testing::IsSupersetOf(
                        {"spawn", "fresh", "pooled", "mount /proc", "install seccomp filter"}));
}

TEST_F(BenchSmoke, ColdStartTakesEachMeasuredFunctionInEachCondition) {
  const auto json = bench({"cold-start", "-n", "1", "--function", "all", "--cold-cache",
                           "--after-deploy", "--only", "spawn,pooled"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  ASSERT_EQ(json["columns"].size(), 8U);
  for (const auto& column : json["columns"]) {
    EXPECT_FALSE(column.contains("missing")) << column;
    EXPECT_EQ(column["n"], 1) << column;
    if (column["function"] == "heavy") {
      EXPECT_GT(column["p50Micros"], 100'000) << column;
    }
  }
}

TEST_F(BenchSmoke, ColdStartOfTheCatalogueNeedsNoNode) {
  const auto json =
      bench({"cold-start", "-n", "2", "--function", "catalogue", "--only", "spawn,clone"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  ASSERT_EQ(json["columns"].size(), 2U);
  for (const auto& column : json["columns"]) EXPECT_EQ(column["n"], 2) << column;
}

TEST_F(BenchSmoke, ColdCacheLeavesOutWhatKeepsTheFileInMemory) {
  const auto json = bench({"cold-start", "-n", "1", "--cold-cache", "--only", "spawn,template"});
  ASSERT_TRUE(json.is_object());
  ASSERT_EQ(json["columns"].size(), 2U);
  EXPECT_EQ(json["columns"][0]["n"], 1);
  EXPECT_THAT(json["columns"][1]["missing"], testing::HasSubstr("keeps the binary in memory"));
}

TEST_F(BenchSmoke, ReportsBecomeAPageAndAreCompared) {
  const std::string report = folder_->path() + "/a.md";
  const std::string data = folder_->path() + "/a.json";
  const std::string page = folder_->path() + "/page.html";
  ASSERT_TRUE(bench({"cold-start", "-n", "4", "--only", "spawn,spawn-again", "--report", report})
                  .is_object());
  const auto ends = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"subito", "bench"});
    const auto finished = run({kProgram, std::move(arguments)});
    return finished ? finished->exit_code : -1;
  };
  EXPECT_EQ(ends({"page", data, "-o", page}), 0);
  EXPECT_GT(files::file_size(page), 1000U);
  const auto compared = bench({"compare", data, data, "--check"});
  EXPECT_EQ(compared["worse"], 0);
  EXPECT_EQ(compared["changes"][0]["row"], "spawn-again") << "of spawn the ratios count";
  EXPECT_EQ(ends({"compare", data, report}), 5) << "Markdown is no report";
  EXPECT_EQ(ends({"page", data}), 2) << "without a file to write";
  for (const std::string& made : {report, data, page}) files::remove(made);
}

TEST_F(BenchSmoke, FairnessAnswersInJsonAndRefusesOnlyTheFlood) {
  const auto finished = run({kProgram,
                             {"subito", "bench", "fairness", "--rounds", "1", "--time", "1s",
                              "--burn", "2", "--pods", "16", "-o", "json"}});
  ASSERT_TRUE(finished);
  ASSERT_EQ(finished->exit_code, 0) << finished->output;
  const auto json = nlohmann::json::parse(finished->output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << finished->output;
  EXPECT_EQ(json["benchmark"], "fairness");
  EXPECT_EQ(json["errors"], 0);
  EXPECT_GT(json["nodePerSecond"], 0);
  for (const char* half : {"alone", "beside"}) {
    EXPECT_GT(json[half]["statuses"]["200"], 0) << half;
    EXPECT_GE(json[half]["p50Millis"], 2) << half << ": that much CPU time is burnt";
  }
  EXPECT_GT(json["flood"]["statuses"]["200"], 0);
  EXPECT_GT(json["p99Ratio"]["middle"], 0);
}

// Not a bench, but a report as the others write it.
TEST_F(BenchSmoke, SimulateWritesItsReport) {
  const files::path report = files::path(folder_->path()) / "report.md";
  const auto finished = run({kProgram,
                             {"subito", "simulate", "--workload", "constant:rate=10", "--duration",
                              "10s", "--policy", "instant", "--report", report}});
  ASSERT_TRUE(finished);
  ASSERT_EQ(finished->exit_code, 0) << finished->output;
  std::ifstream markdown(report);
  const std::string text{std::istreambuf_iterator<char>(markdown), {}};
  EXPECT_THAT(text, testing::HasSubstr("subito simulate --workload constant:rate=10"));
  EXPECT_THAT(text, testing::HasSubstr(finished->output));
  const files::path data = files::path(report).replace_extension(".json");
  std::ifstream stream(data);
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  EXPECT_EQ(json["runs"][0]["completed"], 100);
  EXPECT_FALSE(json["machine"]["kernel"].get<std::string>().empty());
  files::remove(report);
  files::remove(data);
}

TEST_F(BenchSmoke, StepAnswersInJsonWithoutErrorsFromZeroEachRound) {
  const auto finished = run({kProgram,
                             {"subito", "bench", "step", "--rounds", "2", "--concurrent", "8",
                              "--burn", "2", "--pool", "4", "-o", "json"}});
  ASSERT_TRUE(finished);
  ASSERT_EQ(finished->exit_code, 0) << finished->output;
  const auto json = nlohmann::json::parse(finished->output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << finished->output;
  EXPECT_EQ(json["benchmark"], "step");
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["calls"]["statuses"]["200"], 16);
  EXPECT_EQ(json["measures"][0]["samples"].size(), 16U);
  EXPECT_GE(json["calls"]["p50Millis"], 2) << "that much CPU time is burnt";
  EXPECT_GT(json["nodePerSecond"], 0);
  EXPECT_EQ(json["nodePerSecondByRound"].size(), 2U);
  EXPECT_GT(json["p99Ratio"]["middle"], 0);
  EXPECT_GE(json["pods"]["started"], 2) << "each round begins without a pod";
  EXPECT_GE(json["pods"]["mostAtOnce"], 1);
  EXPECT_LE(json["pods"]["mostAtOnce"], 8);
  EXPECT_FALSE(json["pods"].contains("faults")) << json["pods"];
  EXPECT_EQ(json["measures"][1]["samples"].size(), 2U);
}

// A short run of the shop, in which no figure is looked at; its output.
class BenchShopSmoke : public BenchSmoke {
 protected:
  void SetUp() override {
    BenchSmoke::SetUp();
    if (IsSkipped()) return;
    const auto found = run({"/bin/sh", {"sh", "-c", "command -v redis-server"}});
    if (!found || found->exit_code != 0) GTEST_SKIP() << "redis-server is not installed";
  }
  static nlohmann::json shop(std::vector<std::string> options) {
    options.insert(options.begin(), {"shop", "--seed", "7"});
    return bench(std::move(options));
  }
};

TEST_F(BenchShopSmoke, TheMixLeavesBooksThatAddUp) {
  const auto json = shop({"--rate", "40", "--time", "3s"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["benchmark"], "shop");
  EXPECT_EQ(json["errors"], 0);
  EXPECT_TRUE(json["differences"].empty());
  EXPECT_GE(json["orders"]["placed"], 1);
  EXPECT_GE(json["orders"]["sentAgain"], 1) << "the seed draws one";
  ASSERT_EQ(json["kinds"].size(), 6U);
  for (const auto& kind : json["measures"]) EXPECT_GT(kind["samples"].size(), 0) << kind;
}

TEST_F(BenchShopSmoke, TheOriginalsLoadBeginsWithoutAPod) {
  const auto json = shop({"--original", "--time", "1s"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["mode"], "original");
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["orders"]["keys"], 0);
  ASSERT_EQ(json["kinds"].size(), 2U);
  EXPECT_EQ(json["kinds"][0]["statuses"]["200"], 15);
  EXPECT_EQ(json["kinds"][1]["statuses"]["200"], 15);
}

TEST_F(BenchShopSmoke, LatencyTimesOrdersAndFirstPages) {
  const auto json = shop({"--latency", "--rounds", "1"});
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["warmOrder"]["n"], 10);
  EXPECT_EQ(json["warmOrderSynced"]["n"], 10);
  EXPECT_EQ(json["warmEmpty"]["n"], 10);
  EXPECT_EQ(json["firstPage"]["n"], 1);
  EXPECT_EQ(json["coldStart"]["n"], 1);
  EXPECT_GT(json["orderRatio"]["middle"], 0);
  EXPECT_EQ(json["orders"]["placed"], 30);
}

TEST_F(BenchSmoke, AnInterruptLeavesNothingBehind) {
  interrupt({"cold-start", "-n", "100000", "--only", "spawn,pooled"}, std::chrono::seconds(0));
}

}  // namespace
}  // namespace subito::bench
