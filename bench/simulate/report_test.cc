#include "bench/simulate/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Comparison sample() {
  Outcome fast;
  fast.policy = "instant";
  fast.cold_start = "1 ms";
  fast.duration = fast.covered = 2h;
  fast.arrived = fast.completed = 4;
  fast.cold = 1;
  for (int i = 0; i < 3; ++i) fast.waiting.record(0);
  fast.waiting.record(1'000'000);
  for (int i = 0; i < 4; ++i) fast.response.record(20'000'000);
  for (int i = 0; i < 4; ++i) fast.slowdown.record(1000);
  fast.slowdown_p99_functions = 1.5;
  fast.gb_seconds_used = 3600;
  fast.gb_seconds_idle = 7200;
  fast.pod_seconds = 10'800;
  fast.pods_over_time = {1, 2, 3};
  fast.bucket = 40min;
  fast.starts = 72;
  fast.digest = 5;
  Outcome slow = fast;
  slow.policy = "fixed<60s>";
  slow.refused = {7, 0, 2};
  slow.digest = 6;
  return {"subito simulate", "made by hand", "two cores", 3, {fast, slow}};
}

TEST(SimulateReport, TableHasARunALine) {
  const std::string text = to_text(sample());
  EXPECT_THAT(text, HasSubstr("\ninstant      1 ms  25 %"));
  EXPECT_THAT(text, HasSubstr("fixed<60s>"));
  EXPECT_THAT(text, HasSubstr("seed 3, digest "));
  EXPECT_THAT(text, HasSubstr("refused:\n  7 "));
  EXPECT_THAT(text, Not(HasSubstr("Interrupted")));
}

TEST(SimulateReport, SaysThatItWasInterrupted) {
  Comparison cut = sample();
  cut.outcomes.back().interrupted = true;
  cut.outcomes.back().covered = 90min;
  EXPECT_THAT(to_text(cut), HasSubstr("Interrupted 1.5 h into the last run."));
  EXPECT_EQ(to_json(cut).at("interrupted"), true);
}

TEST(SimulateReport, JsonHasEverything) {
  const auto json = to_json(sample());
  const auto& run = json.at("runs").at(0);
  EXPECT_EQ(run.at("coldShare"), 0.25);
  EXPECT_EQ(run.at("waitingMicros").at("max"), 1000.0);
  EXPECT_EQ(run.at("startsPerSecond"), 0.01);
  EXPECT_EQ(run.at("gbSecondsIdle"), 7200.0);
  EXPECT_EQ(json.at("runs").at(1).at("refused").size(), 2u);
}

TEST(SimulateReport, FunctionsWithNamesHaveALineEach) {
  Comparison named = sample();
  EXPECT_THAT(to_text(named), Not(HasSubstr("by function")));
  EXPECT_TRUE(to_json(named).at("runs").at(0).at("functions").empty());
  FunctionOutcome flood;
  flood.name = "flood";
  flood.arrived = 1100;
  flood.completed = 97;
  flood.failed = 1;
  flood.refused = {{429, 1000}, {508, 2}};
  flood.response.record(20'000'000);
  flood.slowdown.record(1500);
  named.outcomes[0].functions = {flood};
  named.outcomes[0].looped = 2;
  named.outcomes[0].failed = 1;
  const std::string text = to_text(named);
  EXPECT_THAT(text, HasSubstr("\nby function\npolicy   start  function  arrived"));
  EXPECT_THAT(text, HasSubstr("flood    1,100         97  1,000    0    0    2       1"));
  EXPECT_THAT(text, HasSubstr("2 calls of functions went round or too deep"));
  EXPECT_THAT(text, HasSubstr("1 failed with a call of theirs"));
  const auto run = to_json(named).at("runs").at(0);
  EXPECT_EQ(run.at("failed"), 1);
  const auto& function = run.at("functions").at(0);
  EXPECT_EQ(function.at("name"), "flood");
  EXPECT_EQ(function.at("refused").at("429"), 1000);
  EXPECT_EQ(function.at("responseMicros").at("p99"), 20'000.0);
}

TEST(SimulateReport, DigestIsOfAllRunsInOrder) {
  Comparison turned = sample();
  std::swap(turned.outcomes[0], turned.outcomes[1]);
  EXPECT_NE(sample().digest(), turned.digest());
}

TEST(SimulateReport, PageNeedsNothingFromElsewhere) {
  const std::string page = to_html(sample());
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(page, HasSubstr("fixed&lt;60s>"));
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(to_html({}), HasSubstr("</html>"));
}

}  // namespace
}  // namespace subito::simulate
