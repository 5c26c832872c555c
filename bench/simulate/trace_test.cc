#include "bench/simulate/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;

using testing::HasSubstr;

class TraceTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  void SetUp() override {
    folder_ = testing::TempDir() + "trace-test-" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

// A row of calls: `names`, then 1,440 minutes, 0 but for those given.
std::string calls_row(const std::string& names,
                      const std::vector<std::pair<int, std::string>>& calls) {
  std::vector<std::string> minutes(1440, "0");
  for (const auto& [minute, count] : calls)
    minutes.at(static_cast<std::size_t>(minute - 1)) = count;
  std::string row = names;
  for (const std::string& minute : minutes) row += "," + minute;
  return row + "\n";
}

std::string calls_header() {
  std::string header = "HashOwner,HashApp,HashFunction,Trigger";
  for (int i = 1; i <= 1440; ++i) header += "," + std::to_string(i);
  return header + "\n";
}

constexpr char kDay1[] = "invocations_per_function_md.anon.d01.csv";
constexpr char kDay2[] = "invocations_per_function_md.anon.d02.csv";
constexpr char kRunTimes[] = "function_durations_percentiles.anon.d01.csv";
constexpr char kMemory[] = "app_memory_percentiles.anon.d01.csv";
constexpr char kRunTimesHeader[] =
    "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,"
    "percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,"
    "percentile_Average_99,percentile_Average_100\n";
constexpr char kMemoryHeader[] =
    "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,"
    "AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,"
    "AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,"
    "AverageAllocatedMb_pct100\n";

std::vector<Arrival> all_of(const Plan& plan) {
  std::vector<Arrival> out;
  const auto workload = plan.begin(TimePoint(plan.duration));
  for (Arrival arrival; workload->next(arrival);) out.push_back(arrival);
  return out;
}

TEST_F(TraceTest, Of2019IsReplayedByMinute) {
  write(kDay1, calls_header() + calls_row("o,a,f,http", {{1, "2"}, {1440, "1"}}) +
                   calls_row("o,b,g,timer", {{2, "3"}}));
  write(kDay2, calls_header() + calls_row("o,a,f,http", {{1, "1"}}));
  write(kRunTimes, std::string(kRunTimesHeader) + "o,a,f,2000,4,1,9,1,1,2000,2000,2000,9,9\n");
  write(kMemory, std::string(kMemoryHeader) + "o,b,10,250.5,1,1,1,1,1,1,1,1\n");
  const auto plan = trace_2019_plan({folder_}, 1);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->words, "Azure's trace of 2019, 2 functions, 7 calls in 2 d");
  EXPECT_EQ(plan->functions.at(0).memory_bytes, kMemoryUnknown);
  EXPECT_EQ(plan->functions.at(1).memory_bytes, 250'500'000u);
  const auto calls = all_of(*plan);
  ASSERT_EQ(calls.size(), 7u);
  // The two of the first minute lie in its two halves; then three of the other function.
  EXPECT_LT(calls[0].at, TimePoint(30s));
  EXPECT_GE(calls[1].at, TimePoint(30s));
  EXPECT_LT(calls[1].at, TimePoint(60s));
  EXPECT_EQ(calls[3].function, 1u);
  EXPECT_GE(calls[5].at, TimePoint(1439min));
  EXPECT_GE(calls[6].at, TimePoint(24h));
  EXPECT_NEAR(std::chrono::duration<double>(calls[0].service).count(), 2, 1e-6);
  EXPECT_NEAR(std::chrono::duration<double>(calls[3].service).count(), kRunSecondsUnknown, 1e-6);
}

TEST_F(TraceTest, Of2019NamesFileLineAndReason) {
  const std::string good = calls_row("o,a,f,http", {});
  const auto words = [&](const std::string& text) {
    const std::string path = write(kDay1, text);
    const auto plan = trace_2019_plan({path}, 1);
    EXPECT_FALSE(plan) << text.substr(0, 40);
    if (plan) return std::string();
    EXPECT_EQ(plan.error().code, ErrorCode::kProtocol);
    EXPECT_THAT(plan.error().message, HasSubstr(path + ":"));
    return plan.error().message.substr(path.size());
  };
  EXPECT_EQ(words(""), ":1: is empty, not a header");
  EXPECT_EQ(words("app,func\n"), ":1: field 1 of the header is 'app', it must be 'HashOwner'");
  EXPECT_EQ(words("HashOwner\n"), ":1: field 2 of the header is 'missing', it must be 'HashApp'");
  EXPECT_EQ(words(calls_header() + good + "o,b,g\n"), ":3: has 3 fields, the header has 1444");
  EXPECT_EQ(words(calls_header() + calls_row("o,a,f,http", {{7, "-2"}})),
            ":2: field 11 (7) is '-2', allowed is a whole number from 0 to 1000000000");
  EXPECT_THAT(words(calls_header() + calls_row("o,a,f,http", {{7, "1.5"}})), HasSubstr("'1.5'"));
  EXPECT_THAT(words(calls_header() + calls_row("o,a,f,http", {{7, ""}})), HasSubstr("is ''"));
  EXPECT_EQ(words(calls_header() + calls_row("o,,f,http", {})),
            ":2: field 2 (HashApp) is '', allowed is a name");
  EXPECT_THAT(words(calls_header() + calls_row("o,a,f,http", {{1, "1"}}) +
                    calls_row("o,a,f,http", {{1, "1"}})),
              HasSubstr(":3: field 3 (HashFunction) is 'f', allowed is a function that stands"));
}

TEST_F(TraceTest, Of2019ChecksRunTimesAndMemoryToo) {
  const std::string calls = write(kDay1, calls_header() + calls_row("o,a,f,http", {}));
  const std::string times =
      write(kRunTimes, std::string(kRunTimesHeader) + "o,a,f,x,4,1,9,1,1,2,2,2,9,9\n");
  EXPECT_THAT(trace_2019_plan({calls, times}, 1).error().message,
              HasSubstr(":2: field 4 (Average) is 'x', allowed is a number from 0 on"));
  const std::string memory = write(kMemory, std::string(kMemoryHeader) + "o,a,10\n");
  EXPECT_THAT(trace_2019_plan({calls, memory}, 1).error().message,
              HasSubstr(":2: has 3 fields, the header has 12"));
  EXPECT_THAT(trace_2019_plan({write("other.csv", "")}, 1).error().message,
              HasSubstr("begins with none of"));
  EXPECT_EQ(trace_2019_plan({memory}, 1).error().code, ErrorCode::kNotFound);
}

TEST_F(TraceTest, Of2021IsReplayedByRow) {
  const std::string file = write("trace.txt",
                                 "app,func,end_timestamp,duration\n"
                                 "a,f,10.5,0.5\n"
                                 "a,g,5.25,4.25\n"
                                 "b,f,0.5,1\n");  // began before the trace did
  const auto plan = trace_2021_plan(file);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->words, "Azure's trace of 2021, 3 functions, 3 calls in 10.5 s");
  const auto calls = all_of(*plan);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].at, TimePoint());
  EXPECT_EQ(calls[0].service, Duration(1s));
  EXPECT_EQ(calls[1].at, TimePoint(1500ms));
  EXPECT_EQ(calls[1].service, Duration(4250ms));
  EXPECT_EQ(calls[2].at, TimePoint(10500ms));
}

TEST_F(TraceTest, Of2021NamesFileLineAndReason) {
  const auto words = [&](const std::string& rows) {
    const std::string path = write("trace.txt", "app,func,end_timestamp,duration\n" + rows);
    const auto plan = trace_2021_plan(path);
    EXPECT_FALSE(plan) << rows;
    return plan ? std::string() : plan.error().message.substr(path.size());
  };
  EXPECT_EQ(words(""), ":2: there are no rows");
  EXPECT_EQ(words("a,f,1\n"), ":2: has 3 fields, the header has 4");
  EXPECT_EQ(words("a,f,1,1\na,f,1,x\n"),
            ":3: field 4 (duration) is 'x', allowed is a number from 0 on");
  EXPECT_THAT(words("a,f,nan,1\n"), HasSubstr("field 3 (end_timestamp) is 'nan'"));
  EXPECT_THAT(words("a,f,-1,1\n"), HasSubstr("is '-1'"));
  EXPECT_THAT(words("a,f,99999999,1\n"), HasSubstr("at most 31 days"));
  EXPECT_THAT(words(",f,1,1\n"), HasSubstr("field 1 (app) is ''"));
  EXPECT_THAT(trace_2021_plan("/nonexistent").error().message,
              HasSubstr("open trace /nonexistent"));
}

}  // namespace
}  // namespace subito::simulate
