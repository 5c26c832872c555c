// What needs no shop: the book, tables and JSON, manifests, the command line.
#include "bench/patterns/patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/options.h"
#include "bench/patterns/change.h"
#include "bench/patterns/kinds.h"
#include "bench/patterns/memory.h"
#include "bench/patterns/running.h"
#include "bench/reading/report_file.h"

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

PatternsOptions parsed(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "patterns");
  const auto command = parse_bench(std::move(arguments));
  EXPECT_TRUE(command) << command.error().message;
  return command && command->patterns ? *command->patterns : PatternsOptions();
}

TEST(PatternsOptions, HaveDefaultsAndTakeAll) {
  EXPECT_TRUE(parsed({}).build);
  EXPECT_TRUE(parsed({}).only.empty());
  const PatternsOptions options =
      parsed({"--only", "0,5", "--no-build", "--connections", "3", "--rate", "50", "--prices",
              "p.yaml", "--checkout", "there", "--rounds", "2", "--slice", "100ms"});
  EXPECT_THAT(options.only, ElementsAre("0", "5"));
  EXPECT_FALSE(options.build);
  EXPECT_EQ(options.connections, 3U);
  EXPECT_EQ(options.per_second, 50U);
  EXPECT_EQ(options.prices, "p.yaml");
  EXPECT_EQ(options.checkout, "there");
  EXPECT_EQ(options.rounds, 2U);
  EXPECT_TRUE(parsed({"--quick"}).quick);
}

TEST(PatternsOptions, RefuseAPatternThatIsNot) {
  EXPECT_FALSE(parse_bench({"patterns", "--only", "6"}));
}

TEST(PatternsOptions, AFolderWithoutPatternsIsRefused) {
  PatternsOptions options;
  options.checkout = "/nonexistent";
  const auto result = measure_patterns(options);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("--checkout FOLDER"));
}

TEST(Book, KeepsSamplesByPatternMetricAndVariant) {
  Book book;
  for (const double sample : {3.0, 1.0, 0.0, 2.0}) book.add("a", metric::kKillErrors, sample);
  book.add("a", metric::kStart, 7, "fresh");
  EXPECT_EQ(book.all().size(), 2U);
  EXPECT_DOUBLE_EQ(*book.median("a", metric::kKillErrors), 1.5);
  EXPECT_DOUBLE_EQ(book.find("a", metric::kKillErrors)->spread().least, 0);
  EXPECT_FALSE(book.median("a", metric::kStart));
  EXPECT_DOUBLE_EQ(*book.median("a", metric::kStart, "fresh"), 7);
}

TEST(Book, TellsItselfWithWordsAndUnit) {
  Book book;
  book.add("5-serverless", metric::kStart, 2, "pooled");
  const auto json = to_json(book);
  ASSERT_EQ(json.size(), 1U);
  for (const char* key : {"pattern", "variant", "metric", "unit", "what", "n", "median", "least",
                          "most", "samples"}) {
    EXPECT_TRUE(json[0].contains(key)) << key;
  }
  EXPECT_EQ(json[0]["unit"], "ms");
}

TEST(Book, IsReadByPagesAndComparisonsAndKeepsEmulationApart) {
  Book book;
  book.add("5-serverless", metric::kStart, 2, "pooled");
  book.add("3-vm", metric::kThroughput, 50);
  const nlohmann::ordered_json json = {{"benchmark", "patterns"},
                                       {"command", "subito bench patterns"},
                                       {"machine", nlohmann::ordered_json::object()},
                                       {"measures", to_json(book, {"3-vm"})}};
  const auto report = parse_report("a.json", json.dump());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->measures[0].figure, "start");
  EXPECT_EQ(report->measures[0].row, "5-serverless pooled");
  EXPECT_FALSE(report->measures[0].more_is_better);
  EXPECT_EQ(report->measures[1].figure, "throughput, emulated");
  EXPECT_TRUE(report->measures[1].more_is_better);
}

TEST(Manifest, HasOneValueForAKeyOfItsSpec) {
  const std::string manifest = "kind: Function\nspec:\n  binary: ./a\n  scaling: {idle: 5s}  # c\n";
  const std::string changed = with_spec(manifest, "scaling", "{min: 3}");
  EXPECT_EQ(changed, "kind: Function\nspec:\n  scaling: {min: 3}\n  binary: ./a\n");
  EXPECT_EQ(with_spec(changed, "start", "fresh"),
            "kind: Function\nspec:\n  start: fresh\n  scaling: {min: 3}\n  binary: ./a\n");
}

TEST(PatternMemory, OfOurselvesIsSomeMegabytes) {
  EXPECT_GT(memory_of({::getpid()}), 1'000'000U);
  EXPECT_EQ(memory_of({}), 0U);
}

TEST(Ports, AreFreeAndInARow) {
  const std::uint16_t first = free_ports(kFirstPort, 3);
  EXPECT_GE(first, kFirstPort);
}

class PatternsReport : public testing::Test {
 protected:
  PatternsReport() {
    result_.reads.reference = "2-processes";
    for (const char* pattern : {"2-processes", "3-vm", "5-serverless"}) {
      result_.book.add(pattern, metric::kUp, 12);
      result_.book.add(pattern, metric::kThroughput, 1'000);
    }
    result_.book.add("5-serverless", metric::kP50, 300);
    result_.book.add("2-processes", metric::kP50, 100);
    result_.book.add("5-serverless", metric::kStart, 2, "pooled");
  }
  std::string text() const { return to_text(result_, Machine(), "subito bench patterns"); }

  PatternsResult result_;
};

TEST_F(PatternsReport, BeginsWithWhenToUseSomethingElse) {
  EXPECT_EQ(text().find("- Use something else when"), 0U);
  EXPECT_THAT(text(), HasSubstr("3.0 times that of 2-processes"));
}

TEST_F(PatternsReport, EmulatedMachinesStandApart) {
  const auto order = [this] {
    return std::pair{text().find("| 3-vm |"), text().find("| 5-serverless |")};
  };
  EXPECT_LT(order().first, order().second);
  result_.apart = {"3-vm"};
  EXPECT_GT(order().first, order().second);
  EXPECT_LT(text().find("Emulated"), order().first);
  const auto json = to_json(result_, Machine(), "x");
  EXPECT_EQ(json["patterns"][3]["comparable"], false);
  EXPECT_EQ(json["patterns"][2]["comparable"], true);
}

TEST_F(PatternsReport, SaysWhatWasLeftOutAndWhatFailed) {
  EXPECT_THAT(text(), Not(HasSubstr("FAILED")));
  result_.left_out = {{"4-containers", "start, podman", "not installed"}};
  result_.faults = {{"1-host", "bring up", "no wire"}};
  result_.interrupted = true;
  EXPECT_THAT(text(), HasSubstr("- 4-containers, start, podman: not installed\n"));
  EXPECT_THAT(text(), HasSubstr("FAILED\n\n- 1-host, bring up: no wire\n"));
  EXPECT_THAT(text(), HasSubstr("Interrupted"));
  const auto json = to_json(result_, Machine(), "x");
  EXPECT_EQ(json["errors"], 1);
  EXPECT_EQ(json["leftOut"][0]["reason"], "not installed");
}

TEST_F(PatternsReport, AStartHasItsVariant) {
  EXPECT_THAT(text(), HasSubstr("| 5-serverless | pooled | 1 | 2.00 | 2.00 | 2.00 |"));
}

}  // namespace
}  // namespace subito::bench
