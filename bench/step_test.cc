#include "bench/step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

// Two rounds of 100 calls at once on a node that can do 50 a second on average: p99 takes 1.98 s at
// best.
struct Told {
  Told() {
    result.options.concurrent = 100;
    result.rounds = 2;
    result.per_second = {40, 60};
    result.calls = answered(198, 1000, 2, 5940);
    result.to_zero = {4'000'000, 9'000'000};
    (void)result.pods.take(R"({"pod": "step-1", "reason": "PodStarted"})");
    (void)result.pods.take(R"({"pod": "step-2", "reason": "PodStarted"})");
  }
  static LoadResult answered(std::uint32_t most, std::int64_t ms, std::uint32_t last,
                             std::int64_t last_ms) {
    LoadResult result;
    result.sent = result.statuses[200] = most + last;
    result.samples.assign(most, ms * 1'000'000);
    result.samples.insert(result.samples.end(), last, last_ms * 1'000'000);
    return result;
  }
  std::string text() const { return to_text(result, Machine(), "subito bench step"); }
  nlohmann::ordered_json json() const { return to_json(result, Machine(), "subito bench step"); }
  StepResult result;
};

TEST(Step, KnowsWhatTheCpuAllowsAtBest) {
  const Told told;
  EXPECT_EQ(told.result.best_ns(0.5), 1'000'000'000);
  EXPECT_EQ(told.result.best_ns(0.99), 1'980'000'000);
  EXPECT_EQ(told.result.best_ns(1), 2'000'000'000);
  EXPECT_EQ(StepResult().best_ns(0.99), 0) << "not measured";
}

TEST(Step, TellsTimesBesideTheBest) {
  const Told told;
  EXPECT_THAT(told.text(), HasSubstr("2 rounds of 100 calls at once"));
  EXPECT_THAT(told.text(), HasSubstr("the node can do 50.0 a second, measured before each round"));
  EXPECT_THAT(told.text(), HasSubstr("| answers | 200 | 1000.00 | 1000.00 | 5940.00 | 0 |"));
  EXPECT_THAT(told.text(), HasSubstr("| what the CPU allows | | 1000.00 | 1980.00 | 2000.00 | |"));
  EXPECT_THAT(told.text(), HasSubstr("- p50 over what the CPU allows: 1.00 (1.00 to 1.00)"));
  EXPECT_THAT(told.text(), HasSubstr("after the last answer, ms: p50 4.00, max 9.00\n"));
  EXPECT_THAT(told.text(), HasSubstr("Pods: 2 at most at once, 2 started. Answers: 200: 200, "));
  EXPECT_EQ(told.json()["calls"]["maxMillis"], 5940);
  EXPECT_EQ(told.json()["best"]["p99Millis"], 1980);
  EXPECT_EQ(told.json()["toZeroMillis"]["max"], 9);
  EXPECT_EQ(told.json()["pods"]["mostAtOnce"], 2);
}

TEST(Step, PromisesP99WithinThreeTimesTheBest) {
  Told told;
  told.result.calls = Told::answered(190, 1000, 10, 5940);
  EXPECT_THAT(told.text(), HasSubstr("- p99 at most 3 times what the CPU allows: 3.00, met\n"));
  EXPECT_TRUE(promises_kept(told.result));
  told.result.calls = Told::answered(190, 1000, 10, 5941);
  EXPECT_THAT(told.text(), HasSubstr("3.00, MISSED\n- no error: 0, met\n"));
  EXPECT_EQ(told.json()["targets"][0]["met"], false);
  EXPECT_EQ(told.json()["targets"][1]["met"], true);
  EXPECT_FALSE(promises_kept(told.result));
}

TEST(Step, PromisesThatAllAreAnswered200) {
  Told told;
  told.result.calls.statuses = {{200, 197}, {503, 2}};
  told.result.calls.broken = 1;
  told.result.calls.first_fault = "read answer: the connection broke off";
  EXPECT_EQ(told.result.errors(), 3U);
  EXPECT_FALSE(promises_kept(told.result));
  EXPECT_THAT(told.text(), HasSubstr("Answers: 200: 197, 503: 2, broken: 1."));
  EXPECT_THAT(told.text(), HasSubstr("The first broken one: read answer: the connection"));
  EXPECT_THAT(told.text(), HasSubstr("- no error: 3, MISSED\n"));
  EXPECT_EQ(told.json()["calls"]["statuses"]["503"], 2);
  EXPECT_EQ(told.json()["targets"][1]["met"], false);
}

TEST(Step, NamesPodsThatEndedUnasked) {
  Told told;
  EXPECT_THAT(told.text(), Not(HasSubstr("PodCrashed")));
  (void)told.result.pods.take(R"({"pod": "step-1", "reason": "PodCrashed"})");
  EXPECT_THAT(told.text(), HasSubstr("2 started. PodCrashed: 1. Answers"));
  EXPECT_EQ(told.json()["pods"]["faults"]["PodCrashed"], 1);
}

TEST(Step, WithoutAnswersNoPromiseIsKept) {
  Told told;
  told.result.calls = LoadResult();
  EXPECT_FALSE(promises_kept(told.result));
  EXPECT_EQ(told.result.errors(), 200U);
}

}  // namespace
}  // namespace subito::bench
