// What chain and the suites of starts tell, of figures made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bench/suites/burst.h"
#include "bench/suites/chain.h"
#include "bench/suites/churn.h"
#include "bench/suites/density.h"
#include "bench/temp_folder.h"

namespace subito::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kMs = 1'000'000;

// 100 requests of kChainCalls calls one behind the other, each call `us` long and `us` of CPU time.
Slice chain_slice(std::int64_t us) {
  Slice made;
  made.traffic.answers = 100;
  made.traffic.took = std::chrono::microseconds(us * kChainCalls * 100);
  made.cpu = std::chrono::microseconds(us * kChainCalls * 100);
  return made;
}

ChainResult chain(std::int64_t subito_us, std::int64_t gateway_us) {
  ChainResult result;
  result.reference = "gateway";
  WarmRun run{{kJsonAnswer, 1, 0}, {}};
  run.pairs.series = {{"subito", {{chain_slice(subito_us), chain_slice(gateway_us)}}}};
  add(run.pairs.reference, chain_slice(gateway_us).traffic);
  result.runs.push_back(std::move(run));
  return result;
}

TEST(Chain, TellsTimeAndCpuOfOneCall) {
  const std::string text = to_text(chain(30, 100), Machine(), "");
  EXPECT_THAT(text, HasSubstr("| 1 | gateway | 100.0 | 1 | 100.0 | 1 | 5000 | 0 |"));
  EXPECT_THAT(text, HasSubstr("| 1 | subito | 30.0 | 0.30 (0.30 to 0.30) | 30.0 |"));
  EXPECT_TRUE(promises_kept(chain(33, 100)));
  EXPECT_FALSE(promises_kept(chain(34, 100)));
}

BurstResult burst(std::int64_t all_ms, std::uint32_t pods = 100) {
  BurstResult result;
  result.rounds = 1;
  BurstRow row;
  row.function = {"held-pooled-fixed-100", "pooled", "fixed", 100};
  row.function.what.name = "held";
  for (std::uint32_t pod = 0; pod < pods; ++pod) {
    const std::string name = std::to_string(pod);
    EXPECT_TRUE(
        row.pods.take(R"({"type": "event", "reason": "PodStarted", "pod": ")" + name + "\"}"));
  }
  row.at_once = 100;
  row.calls.sent = 100;
  row.calls.statuses[200] = 100;
  row.first = {5 * kMs};
  row.all = {all_ms * kMs};
  row.refill = {40 * kMs};
  result.kept = {8, 12'300'000, 11, 0.5};
  result.rows.push_back(std::move(row));
  return result;
}

TEST(Burst, TellsInOneRowWhatWasKeptReady) {
  const std::string text = to_text(burst(200), Machine(), "");
  EXPECT_THAT(
      text,
      HasSubstr(
          "| held | pooled | fixed | 100 | 5.0 | 200.0 | 200.0 | 100 | 100 | 0 | 8 sandboxes, "
          "12.3 MB, 11 processes, 0.50 % CPU | 40 |"));
  const auto json = to_json(burst(200), Machine(), "");
  EXPECT_EQ(json["rows"][0]["kept"]["bytes"], 12'300'000);
  EXPECT_EQ(json["rows"][0]["kept"]["refillMillis"]["p50"], 40.0);
}

TEST(Burst, HoldsAHundredPodsToTheirTime) {
  EXPECT_TRUE(promises_kept(burst(250)));
  EXPECT_FALSE(promises_kept(burst(251)));
  EXPECT_FALSE(promises_kept(burst(200, 99))) << "a pod answered two calls";
  BurstResult wrong = burst(200);
  wrong.rows[0].wrong = 1;
  EXPECT_EQ(wrong.errors(), 1U);
  EXPECT_FALSE(promises_kept(wrong));
  BurstResult few = burst(300);
  few.rows[0].at_once = 10;
  EXPECT_TRUE(promises_kept(few)) << "nothing is promised of ten";
  BurstResult empty = burst(300);
  empty.rows[0].function.what.name = "empty";
  EXPECT_TRUE(promises_kept(empty)) << "nor of one that needs fewer pods";
}

TEST(Burst, WhateverWasNotAnsweredIsAnError) {
  BurstResult result = burst(200);
  result.rows[0].calls.statuses[200] = 98;
  result.rows[0].calls.statuses[503] = 1;
  result.rows[0].calls.broken = 1;
  result.rows[0].calls.first_fault = "read answer: the connection broke off";
  EXPECT_EQ(result.errors(), 2U);
  EXPECT_THAT(to_text(result, Machine(), ""), HasSubstr("the connection broke off"));
}

TEST(Churn, HoldsFreshStartsToTheirNumber) {
  ChurnResult result;
  ChurnRow row;
  row.function = {"empty-fresh", "fresh", "fixed", 64};
  row.function.what.name = "empty";
  row.per_second = {499, 500, 700};
  result.rows.push_back(row);
  EXPECT_TRUE(promises_kept(result));
  EXPECT_THAT(to_text(result, Machine(), ""), HasSubstr("| empty | fresh | 500 (499 to 700) |"));
  result.rows[0].per_second = {499, 499, 700};
  EXPECT_FALSE(promises_kept(result));
}

TEST(Churn, APodThatCrashedIsAnError) {
  ChurnRow row;
  row.calls.sent = 1;
  row.calls.statuses[200] = 1;
  EXPECT_EQ(row.errors(), 0U);
  ASSERT_TRUE(row.pods.take(R"({"type": "event", "pod": "a", "reason": "PodCrashed"})"));
  EXPECT_EQ(row.errors(), 1U);
}

TEST(Density, FindsTheMemoryGroupOfEitherVersion) {
  EXPECT_EQ(memory_group("9:cpu,cpuacct:/c\n4:memory:/a/b\n0::/x\n", "/r"), "/r/memory/a/b");
  EXPECT_EQ(memory_group("0::/subito/pod-1\n", "/r"), "/r/subito/pod-1");
  EXPECT_EQ(memory_group("1:name=systemd:/s\n", "/r"), "");
}

TEST(Density, ReadsTheKernelsChargeOfEitherVersion) {
  auto folder = TempFolder::make();
  ASSERT_TRUE(folder);
  EXPECT_FALSE(charged_to(folder->path()));
  std::ofstream(folder->path() + "/memory.current") << "300000\n";
  std::ofstream(folder->path() + "/memory.stat") << "anon 1\nkernel 200000\nkernel_stack 7\n";
  const auto two = charged_to(folder->path());
  ASSERT_TRUE(two);
  EXPECT_EQ(two->bytes, 300'000U);
  EXPECT_EQ(two->kernel_bytes, 200'000U);
  std::ofstream(folder->path() + "/memory.usage_in_bytes") << "400000\n";
  std::ofstream(folder->path() + "/memory.kmem.usage_in_bytes") << "100000\n";
  const auto one = charged_to(folder->path());
  ASSERT_TRUE(one);
  EXPECT_EQ(one->bytes, 400'000U);
  EXPECT_EQ(one->kernel_bytes, 100'000U);
}

TEST(Density, TellsPodsPerGiBAndItsPromise) {
  DensityResult result;
  result.rows.push_back(
      {"empty", "pooled", 10, 10 * 256 * 1024, 10 * 128 * 1024, 10 * 512 * 1024, 0});
  EXPECT_THAT(to_text(result, Machine(), ""),
              HasSubstr("| empty | pooled | 10 | 256 | 128 | 512 | 4096 |"));
  EXPECT_TRUE(promises_kept(result));
  result.rows[0].charged_bytes = 10 * 351 * 1024;
  EXPECT_FALSE(promises_kept(result));
  result.rows[0].function = "heavy";
  EXPECT_TRUE(promises_kept(result));
}

TEST(StartBed, WritesAManifestOfWhatDeployHasNoOptionFor) {
  StartFunction function{"a", "fresh", "fixed", 5, 2};
  function.what.binary = "/bin/measured";
  const std::string manifest = manifest_of(function);
  EXPECT_THAT(manifest, HasSubstr("metadata: {name: a}\n"));
  EXPECT_THAT(manifest, HasSubstr("  binary: /bin/measured\n  start: fresh\n"));
  EXPECT_THAT(manifest, HasSubstr("{min: 2, max: 5, idle: 0s, policy: fixed}"));
  EXPECT_THAT(manifest, Not(HasSubstr("bindings")));
  function.what.redis = true;
  EXPECT_THAT(manifest_of(function), HasSubstr("  bindings: [{name: redis, redis: {}}]\n"));
}

}  // namespace
}  // namespace subito::bench
