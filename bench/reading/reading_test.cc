// Reading reports back, comparing two, and the page of them, of reports made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bench/reading/compare.h"
#include "bench/reading/page.h"
#include "bench/reading/plots.h"
#include "bench/temp_folder.h"

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

nlohmann::ordered_json report_json() {
  Measure measure{"start to answer", "pooled", "ms", false, "", {1, 2, 3}};
  return {{"benchmark", "cold-start"},
          {"command", "subito bench cold-start"},
          {"machine", {{"cpu", "one"}, {"cores", 2}, {"commit", "abc"}}},
          {"errors", 0},
          {"interrupted", false},
          {"measures", measures_json({measure})}};
}

std::string told_wrong(const nlohmann::ordered_json& json) {
  const auto report = parse_report("a.json", json.dump());
  return report ? "nothing" : report.error().message;
}

TEST(ReportFile, ReadsWhatTheSuitesWrite) {
  auto json = report_json();
  json["measures"][0]["again"] = "fresh";
  json["measures"][0]["counts"] = false;
  const auto report = parse_report("folder/a.json", json.dump());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->name, "a");
  EXPECT_EQ(report->fact("cores"), "2");
  ASSERT_EQ(report->measures.size(), 1U);
  EXPECT_EQ(report->measures[0].again, "fresh");
  EXPECT_FALSE(report->measures[0].counts);
  EXPECT_THAT(report->measures[0].samples, ElementsAre(1, 2, 3));
}

TEST(ReportFile, ErrorsNameFileFieldAndReason) {
  auto json = report_json();
  json["measures"][0]["samples"][1] = "two";
  EXPECT_EQ(told_wrong(json),
            "read report a.json: measures[0].samples[1]: is a string, it must be a number");
  json["measures"][0]["samples"] = {1, -2};
  EXPECT_THAT(told_wrong(json), HasSubstr("measures[0].samples[1]: must not be below 0"));
  json["measures"][0].erase("unit");
  EXPECT_EQ(told_wrong(json), "read report a.json: measures[0].unit: is missing");
  json["measures"] = 7;
  EXPECT_EQ(told_wrong(json), "read report a.json: measures: must be a list");
  json.erase("measures");
  EXPECT_THAT(told_wrong(json), HasSubstr("run 'subito bench cold-start' again"));
  json.erase("machine");
  EXPECT_EQ(told_wrong(json), "read report a.json: machine: is missing");
  json["benchmark"] = nullptr;
  EXPECT_THAT(told_wrong(json), HasSubstr("benchmark: is a null, it must be a string"));
  const auto text = parse_report("a.json", "# Markdown");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(text.error().message, HasSubstr("it is no JSON object"));
}

TEST(ReportFile, TellsAFileThatIsNotThere) {
  const auto report = read_report_file("/nonexistent/a.json");
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("read report /nonexistent/a.json: No such file"));
}

// Forty samples that spread by 2 % round `middle`.
std::vector<double> samples_round(double middle) {
  std::vector<double> samples;
  for (int i = 0; i < 40; ++i) samples.push_back(middle * (1 + 0.01 * ((i * 7) % 5 - 2)));
  return samples;
}

ReportFile report(double middle, bool more_is_better = false) {
  ReportFile made;
  made.name = "a";
  made.benchmark = "cold-start";
  made.machine = {{"commit", "abc"}};
  made.measures = {{"start", "pooled", "ms", more_is_better, "", samples_round(middle)}};
  return made;
}

Verdict verdict(const ReportFile& a, const ReportFile& b) {
  return compare(a, b).changes.at(0).verdict;
}

TEST(Compare, CallsChangedWhatLiesBeyondTheNoise) {
  EXPECT_EQ(verdict(report(10), report(10)), Verdict::kWithinNoise);
  EXPECT_EQ(verdict(report(10), report(13)), Verdict::kWorse);
  EXPECT_EQ(verdict(report(10), report(7)), Verdict::kBetter);
  EXPECT_EQ(verdict(report(10, true), report(13, true)), Verdict::kBetter);
  EXPECT_TRUE(compare(report(10), report(13)).got_worse());
  EXPECT_FALSE(compare(report(13), report(10)).got_worse());
}

TEST(Compare, ARowThatDiffersFromItselfHidesAChange) {
  ReportFile a = report(10);
  a.measures.push_back({"start", "pooled-again", "ms", false, "pooled", samples_round(14)});
  EXPECT_EQ(verdict(a, report(13)), Verdict::kWithinNoise);
  EXPECT_EQ(verdict(a, report(20)), Verdict::kWorse);
  ReportFile ratios = report(10);
  ratios.measures[0].unit = kRatioUnit;
  ReportFile later = ratios;
  later.measures[0].samples = samples_round(13);
  EXPECT_EQ(verdict(ratios, later), Verdict::kWorse);
  ratios.measures.push_back(
      {"start", "nginx-again", kRatioUnit, false, "nginx", samples_round(1.5)});
  EXPECT_EQ(verdict(ratios, later), Verdict::kWithinNoise);
}

TEST(Compare, ADriftWithinARunIsNoiseToo) {
  ReportFile a = report(10);
  a.measures[0].samples.resize(20);
  for (const double later : samples_round(15)) a.measures[0].samples.push_back(later);
  a.measures[0].samples.resize(40);
  EXPECT_EQ(verdict(a, report(14)), Verdict::kWithinNoise);
}

TEST(Compare, SaysWhatIsInOneAloneAndWhatHasTooFew) {
  ReportFile a = report(10);
  ReportFile b = report(10);
  b.measures[0].row = "fresh";
  const ReportChanges changes = compare(a, b);
  ASSERT_EQ(changes.changes.size(), 2U);
  EXPECT_EQ(changes.changes[0].verdict, Verdict::kOnlyInA);
  EXPECT_EQ(changes.changes[1].verdict, Verdict::kOnlyInB);
  EXPECT_THAT(to_text(changes), HasSubstr("| start | pooled | 10 | - | ms | - | - | only in A |"));
  a.measures[0].samples = {1, 1, 1};
  EXPECT_EQ(verdict(a, report(10)), Verdict::kTooFew);
  a = report(10);
  a.measures[0].counts = false;
  EXPECT_TRUE(compare(a, a).changes.empty()) << "its ratio counts";
}

TEST(Compare, SaysFirstWhatElseDiffers) {
  ReportFile b = report(10);
  b.machine = {{"commit", "def"}, {"cpu", "new"}};
  b.command = "subito bench cold-start -n 9";
  b.errors = 2;
  const std::string text = to_text(compare(report(10), b));
  EXPECT_LT(text.find("differs: commit: abc, then def"), text.find("| figure |"));
  EXPECT_THAT(text, HasSubstr("differs: command: , then subito bench cold-start -n 9"));
  EXPECT_THAT(text, HasSubstr("differs: cpu: , then new"));
  EXPECT_THAT(text, HasSubstr("a had 2 errors"));
}

TEST(ReportPage, NeedsNothingFromElsewhereAndEscapes) {
  ReportFile one = report(10);
  one.command = "subito bench cold-start --path '<b>'";
  const std::string page = to_page({one});
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("&lt;b>"));
  EXPECT_THAT(page, HasSubstr("Limits: One start at a time"));
  EXPECT_THAT(page, HasSubstr("<td>pooled</td><td>40</td>"));
  for (const char* never : {"http", "<script", "nan", "inf,", "<b>"}) {
    EXPECT_THAT(page, Not(HasSubstr(never)));
  }
}

TEST(ReportPage, RowsOfOneFigureAndUnitShareAPicture) {
  ReportFile a = report(10);
  ReportFile b = report(20);
  b.name = "b";
  const auto pictures = [](const std::string& page) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = page.find("<h3>", at)) != page.npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(pictures(to_page({a, b})), 1U);
  EXPECT_THAT(to_page({a, b}), HasSubstr("pooled (b)"));
  b.measures[0].unit = "us";
  EXPECT_EQ(pictures(to_page({a, b})), 2U);
}

TEST(ReportPage, SaysThatARunWithErrorsIsWorthNothing) {
  ReportFile one = report(10);
  EXPECT_THAT(to_page({one}), Not(HasSubstr("class='bad'")));
  one.errors = 3;
  EXPECT_THAT(to_page({one}), HasSubstr("3 errors: its figures are worth nothing"));
}

TEST(ReportPage, ReplacesItsFileAsAWhole) {
  auto folder = TempFolder::make();
  ASSERT_TRUE(folder);
  const std::string file = folder->path() + "/page.html";
  std::ofstream(file) << "before";
  ASSERT_TRUE(write_page(file, "after"));
  std::string text;
  std::ifstream(file) >> text;
  EXPECT_EQ(text, "after");
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  EXPECT_FALSE(write_page("/nonexistent/page.html", "after"));
}

TEST(Plots, AxisIsLogarithmicWhereAFewSamplesAreFarAway) {
  EXPECT_FALSE(wants_logarithm({{"a", 0, {1, 2, 11}}}));
  EXPECT_TRUE(wants_logarithm({{"a", 0, {1, 2, 13}}}));
  EXPECT_TRUE(wants_logarithm({{"a", 0, {1}}, {"b", 0, {100}}}));
  EXPECT_FALSE(wants_logarithm({{"a", 0, {0, 100}}})) << "0 has no logarithm";
}

TEST(Plots, QuantilesAreSamples) {
  EXPECT_EQ(quantile({1, 2, 3, 4}, 0.5), 2);
  EXPECT_EQ(quantile({1, 2, 3, 4}, 1), 4);
  EXPECT_EQ(quantile({5}, 0.05), 5);
}

TEST(Measures, RatiosAreRoundByRound) {
  const Measure measure = ratio_measure("f", "r", {10, 20, 30}, {5, 0, 10});
  EXPECT_THAT(measure.samples, ElementsAre(2, 3)) << "nothing is over 0";
  EXPECT_EQ(measures_json({{"f", "r", "ms", false, "", {}}}).size(), 0U);
}

}  // namespace
}  // namespace subito::bench
