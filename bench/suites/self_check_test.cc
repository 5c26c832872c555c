#include "bench/suites/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bench {
namespace {

using testing::HasSubstr;

const std::string kWrk =
    "Running 1s test @ http://127.0.0.1:80/json\n"
    "  1 threads and 16 connections\n"
    "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
    "    Latency   250.00us   80.00us   2.00ms   90.00%\n"
    "  55000 requests in 1.10s, 20.00MB read\n"
    "Requests/sec:  50000.00\n";
const std::string kH2load =
    "starting benchmark...\n"
    "finished in 1.00s, 48000.00 req/s, 18.00MB/s\n"
    "requests: 48000 total, 48016 started, 48000 done, 48000 succeeded, 0 failed, 0 errored, "
    "0 timeout\n";

TEST(SelfCheck, ReadsWrk) {
  const auto slice = parse_wrk(kWrk);
  ASSERT_TRUE(slice) << slice.error().message;
  EXPECT_EQ(slice->traffic.answers, 55'000U);
  EXPECT_EQ(slice->traffic.errors, 0U);
  EXPECT_DOUBLE_EQ(slice->traffic.per_second(), 50'000);
  EXPECT_EQ(parse_wrk(kWrk + "  Non-2xx or 3xx responses: 12\n")->traffic.errors, 1U);
  EXPECT_EQ(parse_wrk(kWrk + "  Socket errors: connect 0, read 1\n")->traffic.errors, 1U);
  EXPECT_FALSE(parse_wrk("wrk: no"));
}

TEST(SelfCheck, ReadsH2load) {
  const auto slice = parse_h2load(kH2load);
  ASSERT_TRUE(slice) << slice.error().message;
  EXPECT_EQ(slice->traffic.answers, 48'000U);
  EXPECT_EQ(slice->traffic.errors, 0U);
  EXPECT_DOUBLE_EQ(slice->traffic.per_second(), 48'000);
  std::string failed = kH2load;
  failed.replace(failed.find("0 failed"), 8, "3 failed");
  EXPECT_EQ(parse_h2load(failed)->traffic.errors, 3U);
  EXPECT_FALSE(parse_h2load(""));
}

TEST(SelfCheck, TenPercentOffIsWithinThePromise) {
  SelfCheckResult result;
  result.reference = "wrk";
  const Slice wrk = *parse_wrk(kWrk);
  Slice ours = wrk;
  ours.traffic.answers = 50'000;
  result.pairs.series = {{"subito", {{ours, wrk}}}, {"wrk-again", {{wrk, wrk}}}};
  EXPECT_TRUE(promises_kept(result));
  EXPECT_THAT(to_text(result, Machine(), ""), HasSubstr("within 10 % of wrk: 0.91, met"));
  result.pairs.series[0].pairs[0].subject.traffic.answers = 49'000;
  EXPECT_FALSE(promises_kept(result));
  result.pairs.series[0].pairs[0].subject.traffic.answers = 61'000;
  EXPECT_FALSE(promises_kept(result));
  EXPECT_EQ(to_json(result, Machine(), "")["targets"][0]["met"], false);
}

}  // namespace
}  // namespace subito::bench
