#include "deploy/manifest/rules.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/suggest.h"
#include "deploy/manifest/units.h"

namespace subito::manifest {
namespace {

TEST(Rules, EachBelongsToAField) {
  for (const Rule& rule : all_rules()) {
    const Field* field = Function::descriptor()->file()->pool()->FindFieldByName(
        "subito.manifest." + std::string(rule.field));
    ASSERT_NE(field, nullptr) << rule.field;
    EXPECT_EQ(rule_of(*field).field, rule.field);
  }
}

// The comments are what users read: a default or a bound they do not tell is a fault of ours.
TEST(Rules, DefaultsStandInTheComments) {
  std::ifstream file(SUBITO_SOURCE_DIR "/deploy/manifest/function.proto");
  std::stringstream text;
  text << file.rdbuf();
  std::string proto = text.str();
  for (const auto& [field, words] : std::initializer_list<std::pair<std::string, std::string>>{
           {"timeout_ms", format_duration_ms(kTimeoutMs)},
           {"concurrency", std::to_string(kConcurrency)},
           {"int32 min", std::to_string(kScalingMin)},
           {"int32 max", std::to_string(kScalingMax)},
           {"idle_ms", format_duration_ms(kIdleMs)},
           {"queue_limit", std::to_string(kQueueLimit)},
           {"in_flight_max", std::to_string(kInFlightMax)},
           {"weight", std::to_string(kWeight)},
           {"target_utilization", std::to_string(kTargetUtilization)},
           {"stable_window_ms", format_duration_ms(kStableWindowMs)},
           {"panic_window_percentage", std::to_string(kPanicWindowPercentage)},
           {"panic_threshold_percentage", std::to_string(kPanicThresholdPercentage)},
           {"scale_to_zero_grace_ms", format_duration_ms(kScaleToZeroGraceMs)},
           {"scale_down_delay_ms", format_duration_ms(kScaleDownDelayMs)},
           {"max_scale_up_rate", std::to_string(kMaxScaleUpRate)},
           {"max_scale_down_rate", std::to_string(kMaxScaleDownRate)},
           {"initial_scale", std::to_string(kInitialScale)},
           {"activation_scale", std::to_string(kActivationScale)},
           {"target_burst_capacity", std::to_string(kTargetBurstCapacity)},
           {"RolloutStrategy strategy", "at-once"},
           {"max_surge", kMaxSurge},
           {"max_unavailable", kMaxUnavailable},
           {"revisions_kept", std::to_string(kRevisionsKept)},
           {"memory_bytes", format_size_bytes(kMemoryBytes)},
           {"cpu_millicores", std::to_string(kCpuMillicores)},
           {"pids", std::to_string(kPids)},
           {"deliveries =", std::to_string(kTriggerDeliveries)},
           {"in_flight =", std::to_string(kStreamInFlight)},
           {"batch =", std::to_string(kStreamBatch)},
           {"in_flight = 2", std::to_string(kDueInFlight)},
           {"int32 failures", std::to_string(kBreakerFailures)},
           {"int32 failure_rate", std::to_string(kBreakerFailureRate)},
           {"int64 window_ms", format_duration_ms(kBreakerWindowMs)},
           {"int64 open_ms", format_duration_ms(kBreakerOpenMs)},
           {"int32 probes", std::to_string(kBreakerProbes)},
           {"slow_ms", format_duration_ms(kBreakerSlowMs)},
           {"int64 per_ms = 2", format_duration_ms(kRatePerMs)},
           {"int64 per_ms = 3", format_duration_ms(kRatePerMs)},
           {"body_bytes_max =", format_size_bytes(kBodyBytesMax)}}) {
    const std::size_t at = proto.find(" " + field);
    ASSERT_NE(at, proto.npos) << field;
    const std::size_t comment = proto.rfind("Default ", at);
    ASSERT_NE(comment, proto.npos) << field;
    EXPECT_EQ(proto.substr(comment + 8, words.size()), words) << field;
  }
}

TEST(Rules, NamesAreWrittenWithoutTheirUnit) {
  const auto& spec = *FunctionSpec::descriptor();
  EXPECT_EQ(user_name(*spec.FindFieldByName("timeout_ms")), "timeout");
  EXPECT_EQ(user_name(*spec.FindFieldByName("body_bytes_max")), "bodyMax");
  EXPECT_EQ(user_name(*Scaling::descriptor()->FindFieldByName("queue_limit")), "queueLimit");
}

TEST(Rules, NamesOfFunctionsAreChecked) {
  for (const char* right : {"a", "catalogue", "a-1", "a2"})
    EXPECT_FALSE(check_name(right)) << right;
  for (const char* wrong : {"", "A", "1a", "-a", "a-", "a_b", "a.b", "a/b", "ä"})
    EXPECT_TRUE(check_name(wrong)) << wrong;
  EXPECT_FALSE(check_name(std::string(40, 'a')));
  EXPECT_TRUE(check_name(std::string(41, 'a')));
}

TEST(Rules, KeyPrefixesAreCheckedAsRedisUsersAre) {
  const auto check = rule_of(*RedisBinding::descriptor()->FindFieldByName("key_prefix")).text;
  for (const char* right : {"", "a:", "~*", "a[b]"}) EXPECT_FALSE(check(right)) << right;
  for (const char* wrong : {" ", "a b:", "a\n", "\x7f", "\xc3\xa9:"}) EXPECT_TRUE(check(wrong));
  EXPECT_FALSE(check(std::string(128, 'a')));
  EXPECT_TRUE(check(std::string(129, 'a')));
}

TEST(Units, ComeBackTheSame) {
  for (const char* text : {"0s", "1ms", "250ms", "30s", "90s", "5m", "24h"})
    EXPECT_EQ(format_duration_ms(parse_duration_ms(text).value()), text);
  for (const char* text : {"0", "1000", "64Ki", "64Mi", "1Gi", "2Ti"})
    EXPECT_EQ(format_size_bytes(parse_size_bytes(text).value()), text);
  for (const char* text : {"0", "10m", "500m", "1", "64"})
    EXPECT_EQ(format_cpu_millicores(parse_cpu_millicores(text).value()), text);
}

TEST(Units, TakeDecimalsAndSums) {
  EXPECT_EQ(parse_duration_ms("1.5s").value(), 1500);
  EXPECT_EQ(parse_duration_ms("1h1m1s1ms").value(), 3'661'001);
  EXPECT_EQ(parse_size_bytes("1.5Gi").value(), 3LL << 29);
  EXPECT_EQ(parse_size_bytes("1k").value(), 1000);
  EXPECT_EQ(parse_cpu_millicores("0.25").value(), 250);
}

TEST(Units, RefuseWhatIsNotExact) {
  for (const char* text : {"", "s", "1", "1.s", ".5s", "1s ", "-1s", "1S", "1d", "1s1", "0.1ms",
                           "9999999999999999s", "999999999999999h"})
    EXPECT_FALSE(parse_duration_ms(text)) << text;
  for (const char* text : {"", "Mi", "1mi", "1MiB", "0.5", "1e3", "999999999999999Ti"})
    EXPECT_FALSE(parse_size_bytes(text)) << text;
  for (const char* text : {"", "m", "0.0001", "1.5m", "1 "})
    EXPECT_FALSE(parse_cpu_millicores(text)) << text;
}

TEST(Nearest, FindsSlipsAndNothingElse) {
  const std::vector<std::string> words = {"deploy", "delete", "describe", "logs", "up"};
  EXPECT_EQ(nearest("delpoy", words), "deploy");
  EXPECT_EQ(nearest("Describe", words), "describe");
  EXPECT_EQ(nearest("log", words), "logs");
  EXPECT_EQ(nearest("pu", words), "up");
  EXPECT_EQ(nearest("elephant", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'x'), words), std::nullopt);
  EXPECT_EQ(did_you_mean("dleete", words), "; did you mean 'delete'?");
}

}  // namespace
}  // namespace subito::manifest
