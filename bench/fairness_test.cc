#include "bench/fairness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bench {
namespace {

using testing::HasSubstr;

LoadResult answered(std::uint32_t count, std::int64_t ms) {
  LoadResult result;
  result.sent = count;
  result.statuses[200] = count;
  result.samples.assign(count, ms * 1'000'000);
  return result;
}

struct Told {
  Told() {
    result.rounds = 1;
    result.node_per_second = 100;
    result.flood_per_second = 1000;
    result.alone = answered(100, 5);
    result.beside = answered(100, 10);
    result.flood = answered(50, 400);
    result.flood.sent = 90;
    result.flood.statuses[429] = 40;
    result.flood.with_retry_after = 40;
  }
  std::string text() const { return to_text(result, Machine(), "subito bench fairness"); }
  nlohmann::ordered_json json() const {
    return to_json(result, Machine(), "subito bench fairness");
  }
  FairnessResult result;
};

TEST(Fairness, TellsBothHalvesTheirRatioAndThePromise) {
  Told told;
  EXPECT_THAT(told.text(), HasSubstr("| alone | 100 | 5.00 | 5.00 | 0 |"));
  EXPECT_THAT(told.text(), HasSubstr("| beside the flood | 100 | 10.00 | 10.00 | 0 |"));
  EXPECT_THAT(told.text(), HasSubstr("what it is alone: 2.00, met"));
  EXPECT_EQ(told.json()["p99Ratio"]["middle"], 2.0);
  EXPECT_TRUE(promises_kept(told.result));
  told.result.beside = answered(100, 11);
  EXPECT_FALSE(promises_kept(told.result));
  EXPECT_THAT(told.text(), HasSubstr("2.20, MISSED"));
  EXPECT_EQ(told.json()["targets"][0]["met"], false);
}

TEST(Fairness, TellsWhereTheTimeOfQuietWent) {
  Told told;
  told.result.beside.parts["handler"] = {7'000'000, 7'000'000};
  EXPECT_THAT(told.text(), HasSubstr("- beside the flood: handler 7.00 (7.00)\n"));
  EXPECT_EQ(told.json()["beside"]["serverTimingMillis"]["handler"]["p99"], 7.0);
}

TEST(Fairness, RefusalsOfTheFloodAreCountedAndNoErrors) {
  Told told;
  EXPECT_EQ(told.result.errors(), 0U);
  EXPECT_THAT(told.text(), HasSubstr("200: 50, 429: 40, broken: 0. 40 refused, 40 answers with "));
  EXPECT_EQ(told.json()["flood"]["refused"], 40);
  EXPECT_EQ(told.json()["flood"]["statuses"]["429"], 40);
}

TEST(Fairness, WhateverElseIsAnError) {
  Told told;
  told.result.flood.sent += 2;
  told.result.flood.statuses[502] = 1;
  told.result.flood.broken = 1;
  told.result.flood.first_fault = "read answer: the connection broke off";
  EXPECT_EQ(told.result.errors(), 2U);
  EXPECT_THAT(told.text(), HasSubstr("The first broken one: read answer: the connection"));
  told.result.beside.unsent = 3;
  EXPECT_EQ(told.result.errors(), 5U);
  --told.result.alone.statuses[200];
  ++told.result.alone.statuses[429];
  EXPECT_EQ(told.result.errors(), 6U) << "a refusal of quiet";
}

TEST(Fairness, WithoutAnswersNoPromiseIsKept) {
  Told told;
  told.result.beside = LoadResult();
  EXPECT_FALSE(promises_kept(told.result));
}

}  // namespace
}  // namespace subito::bench
