#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"
#include "deploy/cli/top_view.h"
#include "runtime/metrics/exposition.h"

namespace subito::cli {
namespace {

using metrics::label;
using std::chrono::milliseconds;
using testing::HasSubstr;
using Json = nlohmann::json;

// A page with one function, as the node writes it.
std::string page_of(const std::string& name, std::uint64_t good, std::uint64_t bad,
                    milliseconds each) {
  namespace families = metrics::families;
  std::string out;
  metrics::Exposition page(metrics::Format::kOpenMetrics, out);
  const std::string function = label("function", name);
  metrics::DurationBuckets took;
  for (std::uint64_t i = 0; i < good + bad; ++i) took.observe(each);
  page.family(families::kNode);
  page.value(label("version", "1.2.3"), 1);
  page.family(families::kStartTime);
  page.seconds({}, std::chrono::seconds(1'000));
  page.family(families::kRequests);
  page.value(function + "," + label("code", "2xx"), good);
  page.value(function + "," + label("code", "5xx"), bad);
  page.family(families::kDuration);
  page.histogram(function, took);
  page.family(families::kStarts);
  page.value(function + "," + label("mode", "pooled"), 3);
  page.family(families::kPods);
  page.value(function + "," + label("state", "idle"), 1);
  page.value(function + "," + label("state", "busy"), 2);
  page.family(families::kMemory);
  page.value(function, 3 << 20);
  page.end();
  return out;
}

TopSample sample_of(const std::string& page, std::int64_t unix_seconds) {
  TopSample sample;
  sample.unix_ns = unix_seconds * 1'000'000'000;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) sample.add_line(line);
  return sample;
}

TEST(TopView, ShowsWhatWasBetweenTwoLooks) {
  const TopSample before = sample_of(page_of("echo", 1000, 0, milliseconds(400)), 2'000);
  TopSample after = sample_of(page_of("echo", 1000, 0, milliseconds(400)), 2'010);
  // 100 more within ten seconds, of 2 ms, 20 of them failures.
  after.functions["echo"].requests += 100;
  after.functions["echo"].errors += 20;
  for (std::size_t i = 0; i < metrics::kBucketCount; ++i) {
    if (metrics::kBucketBounds[std::min(i, metrics::kBucketBounds.size() - 1)] >= 2'500'000)
      after.functions["echo"].cumulative[i] += 100;
  }
  const TopView view(&before, after);
  ASSERT_EQ(view.rows().size(), 1U);
  const TopRow& row = view.rows()[0];
  EXPECT_DOUBLE_EQ(row.rate, 10);
  EXPECT_DOUBLE_EQ(row.errors, 2);
  EXPECT_DOUBLE_EQ(row.starts, 0);
  EXPECT_DOUBLE_EQ(row.pods, 3);
  EXPECT_GT(row.p99, 0.001);
  EXPECT_LE(row.p99, 0.0025);
}

TEST(TopView, AFunctionThatBeganAnewCountsFromZero) {
  const TopSample before = sample_of(page_of("echo", 1000, 0, milliseconds(1)), 2'000);
  const TopSample after = sample_of(page_of("echo", 50, 0, milliseconds(1)), 2'010);
  EXPECT_DOUBLE_EQ(TopView(&before, after).rows()[0].rate, 5);
}

TEST(TopView, SortsByWhatWasAskedForAndThenByName) {
  TopSample sample;
  sample.unix_ns = 1'000'000'000;
  for (const char* name : {"b", "a", "c"}) sample.functions[name].memory_bytes = 5;
  sample.functions["c"].memory_bytes = 9;
  TopView view(nullptr, sample);
  view.sort(TopSort::kMemory);
  std::string order;
  for (const TopRow& row : view.rows()) order += row.function;
  EXPECT_EQ(order, "cab");
}

TEST(TopView, EveryKeySortsBySomethingElse) {
  std::set<TopSort> sorts;
  for (const char key : std::string("r59espwmn")) sorts.insert(*top_sort_of_key(key));
  EXPECT_EQ(sorts.size(), top_sorts().size());
  EXPECT_EQ(top_sort_of_key('x'), std::nullopt);
}

class TopTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    gateway_reply_ = api::ClientReply{200, {}, page_of("echo", 90, 10, milliseconds(2))};
    now_unix_ns_ = 1'100'000'000'000;
  }
};

TEST_F(TopTest, PrintsATableOnceWhereNoTerminalIs) {
  const Printed output = run({"top", "--interval", "0"});
  EXPECT_EQ(output.code, kOk) << output.err;
  EXPECT_EQ(gateway_request_.url, "http://subito/metrics");
  EXPECT_THAT(output.out, HasSubstr("subito 1.2.3, 1 function, "));
  EXPECT_THAT(output.out, HasSubstr("FUNCTION  RATE/S"));
  EXPECT_THAT(output.out, HasSubstr("echo      1.0"));
  EXPECT_THAT(output.out, HasSubstr("3.0 MiB"));
  EXPECT_THAT(output.out, testing::Not(HasSubstr("\x1b")));
}

TEST_F(TopTest, PrintsJson) {
  const Printed output = run({"top", "--interval", "0", "-o", "json"});
  EXPECT_EQ(output.code, kOk) << output.err;
  const Json json = Json::parse(output.out);
  EXPECT_EQ(json["seconds"], 100);
  EXPECT_EQ(json["items"][0]["function"], "echo");
  EXPECT_EQ(json["items"][0]["requestsPerSecond"], 1);
  EXPECT_EQ(json["items"][0]["errorsPerSecond"], 0.1);
  EXPECT_EQ(json["items"][0]["pods"], 3);
}

TEST_F(TopTest, TellsWhyThereIsNothingToShow) {
  gateway_reply_ = Error{ErrorCode::kUnavailable, "connect to /x: Connection refused", 0};
  const Printed away = run({"top"});
  EXPECT_EQ(away.code, kNoNode);
  gateway_reply_ = api::ClientReply{503, {}, "{}"};
  const Printed busy = run({"top"});
  EXPECT_EQ(busy.code, kFailed);
  EXPECT_THAT(busy.err, HasSubstr("the node answered 503"));
  EXPECT_EQ(run({"top", "--sort", "colour"}).code, kUsage);
}

}  // namespace
}  // namespace subito::cli
