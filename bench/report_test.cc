#include "bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/idle_cost.h"

namespace subito::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Column column(const char* name, std::int64_t us, int count = 4) {
  Column made;
  made.name = name;
  made.function = "echo";
  made.samples.assign(static_cast<std::size_t>(count), us * 1000);
  return made;
}

struct Told {
  Told() { result.functions = {"echo"}; }
  ColdStartOptions options;
  ColdStartResult result;
  Machine machine;
  std::string text() const { return to_text({options, result, machine, "subito bench x"}); }
  bool kept() const { return promises_kept({options, result, machine, "subito bench x"}); }
  nlohmann::ordered_json json() const {
    return to_json({options, result, machine, "subito bench x"});
  }
};

TEST(ColdStartReport, SaysWhichTargetsWereMissed) {
  Told told;
  told.result.columns = {column("spawn", 1000), column("fresh", 2200), column("pooled", 1100)};
  EXPECT_THAT(told.text(), HasSubstr("fresh at most 2.2 times spawn: 2.2, met"));
  EXPECT_THAT(told.text(), HasSubstr("pooled at most 1 times spawn: 1.1, MISSED"));
  EXPECT_THAT(told.text(), Not(HasSubstr("runc")));
  EXPECT_EQ(told.json()["targets"][1]["met"], false);
  EXPECT_FALSE(told.kept());
  told.result.columns[2] = column("pooled", 1000);
  EXPECT_TRUE(told.kept());
}

TEST(ColdStartReport, TellsATailOnlyOfEnoughStarts) {
  Told told;
  told.result.columns = {column("pooled", 1000, 980)};
  told.result.columns[0].samples.resize(999, 3'000'000);
  EXPECT_THAT(told.text(), HasSubstr("|  999 |     1000 |     1000 | - |"));
  EXPECT_FALSE(told.json()["columns"][0].contains("p99Micros"));
  told.result.columns[0].samples.resize(1000, 3'000'000);
  EXPECT_THAT(told.text(), HasSubstr("pooled p99 at most 2 times its p50: 3, MISSED"));
  EXPECT_FALSE(told.kept());
}

TEST(ColdStartReport, EachRowTellsWhatWasKeptReadyForIt) {
  Told told;
  told.result.columns = {column("spawn", 1000), column("pooled", 1000), column("lighttpd-cgi", 9)};
  told.result.columns[1].kept = KeptReady{8, 21'000'000, 11, 0.05, 1};
  told.result.columns[1].refill = {7'000'000};
  told.result.columns[2].kept = KeptReady{0, 2'100'000, 1, 0.0};
  EXPECT_THAT(told.text(), HasSubstr("| nothing |  |"));
  EXPECT_THAT(told.text(), HasSubstr("| 8 sandboxes, 1 template, 21.0 MB, 11 processes, "
                                     "0.05 % CPU | 7.0 |"));
  EXPECT_THAT(told.text(), HasSubstr("| 2.1 MB, 1 processes, 0.00 % CPU |  |"));
  EXPECT_EQ(told.json()["columns"][1]["kept"]["refillMillis"]["p50"], 7.0);
}

TEST(ColdStartReport, CountsErrorsAndShowsTheFirst) {
  Told told;
  told.result.columns = {column("spawn", 1000)};
  told.result.columns[0].errors = 2;
  told.result.columns[0].first_error = "check answer: status 502";
  EXPECT_THAT(told.text(), HasSubstr("2 wrong answers of spawn, the first: check answer"));
  EXPECT_EQ(told.json()["errors"], 2);
}

TEST(ColdStartReport, AMissingRuntimeIsAReasonNotAFigure) {
  Told told;
  Column crun = column("crun", 0, 0);
  crun.missing = "find crun: not installed";
  told.result.columns = {column("spawn", 1000), crun};
  EXPECT_THAT(told.text(), HasSubstr("find crun: not installed"));
  EXPECT_EQ(told.json()["columns"][1]["missing"], "find crun: not installed");
  EXPECT_FALSE(told.json()["columns"][1].contains("p50Micros"));
}

TEST(IdleCost, HasTwoPromises) {
  IdleCostResult result;
  result.without.node.rss_bytes = kIdleBytesMax;
  result.with.node.rss_bytes = kIdleBytesMax + static_cast<std::uint64_t>(kFunctionsBytesMax);
  EXPECT_TRUE(promises_kept(result));
  ++result.with.node.rss_bytes;
  EXPECT_FALSE(promises_kept(result));
  --result.with.node.rss_bytes;
  result.without.empty_bytes = 1;
  EXPECT_FALSE(promises_kept(result));
}

TEST(Machine, KnowsCgroupsFromTheMounts) {
  Machine machine;
  read_cgroups("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,favordynmods 0 0\n", machine);
  EXPECT_EQ(machine.cgroups, "version 2");
  EXPECT_TRUE(machine.favordynmods);
  Machine older;
  read_cgroups("tmpfs /x tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n", older);
  EXPECT_EQ(older.cgroups, "version 1");
  EXPECT_FALSE(older.favordynmods);
}

TEST(GatewayUrl, IsAddressAndPort) {
  const auto address = parse_gateway_url("http://127.0.0.1:8080");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 8080);
  EXPECT_FALSE(parse_gateway_url("127.0.0.1:8080"));
  EXPECT_FALSE(parse_gateway_url("http://127.0.0.1:80x"));
}

}  // namespace
}  // namespace subito::bench
