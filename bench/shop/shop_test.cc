#include "bench/shop/shop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/shop/shop_bed.h"
#include "bench/temp_folder.h"

namespace subito::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

LoadResult answered_with(int status, std::uint32_t count, std::int64_t took_ms) {
  LoadResult result;
  result.sent = result.statuses[status] = count;
  if (status / 100 == 2) result.samples.assign(count, took_ms * 1'000'000);
  return result;
}

ShopResult loaded(ShopOptions::Mode mode, std::int64_t took_ms) {
  ShopResult result;
  result.options.mode = mode;
  for (std::size_t i = 0; i < result.kinds().size(); ++i) {
    result.load.kinds.push_back(answered_with(200, 4, took_ms));
    add(result.load, answered_with(200, 4, took_ms));
  }
  return result;
}

std::string text_of(const ShopResult& result) {
  return to_text(result, Machine(), "subito bench shop");
}

nlohmann::ordered_json json_of(const ShopResult& result) {
  return to_json(result, Machine(), "subito bench shop");
}

TEST(BenchShop, TheMixHasTheWeightsOfAShop) {
  std::map<std::string, std::uint32_t> weights;
  for (const ShopKind& kind : kMixKinds) weights[kind.name] = kind.weight;
  const std::uint32_t index = weights["index"];
  EXPECT_EQ(weights["browse"], 10 * index);
  EXPECT_EQ(weights["add to cart"], 2 * index);
  EXPECT_EQ(weights["view cart"], 3 * index);
  EXPECT_EQ(weights["checkout"] + weights["checkout again"], index);
}

TEST(BenchShop, TellsEachKindOfTheMix) {
  ShopResult result = loaded(ShopOptions::Mode::kMix, 3);
  result.ordered.total_minor = 123'450;
  EXPECT_THAT(text_of(result), HasSubstr("mix: 30 a second for 30 s"));
  for (const ShopKind& kind : kMixKinds) {
    EXPECT_THAT(text_of(result), HasSubstr(std::string("| ") + kind.name +
                                           " | 4 | 3.00 | 3.00 | 3.00 | 200: 4 |\n"));
  }
  EXPECT_THAT(text_of(result), HasSubstr("| all | 24 | 3.00 | 3.00 | 3.00 | 200: 24 |\n"));
  EXPECT_THAT(text_of(result), HasSubstr("placed for 1,234.50 GBP"));
  EXPECT_THAT(text_of(result), HasSubstr("no payment is deployed"));
  EXPECT_THAT(text_of(result), HasSubstr("- stock, money and orders add up: 0, met\n"));
  EXPECT_EQ(json_of(result)["mode"], "mix");
  EXPECT_EQ(json_of(result)["kinds"].size(), 6U);
  EXPECT_EQ(json_of(result)["kinds"][0]["statuses"]["200"], 4);
  EXPECT_EQ(json_of(result)["kinds"][0]["errors"], 0);
  EXPECT_TRUE(promises_kept(result));
}

TEST(BenchShop, WhatIsNotAnsweredRightIsAFailure) {
  ShopResult result = loaded(ShopOptions::Mode::kMix, 3);
  LoadResult bad = answered_with(503, 2, 0);
  bad.broken = bad.unsent = 1;
  bad.sent = 3;
  bad.first_fault = "the connection broke off";
  add(result.load.kinds[0], bad);
  bad.kinds.clear();
  add(result.load, bad);
  EXPECT_EQ(result.failures(), 4U);
  EXPECT_EQ(result.errors(), 4U);
  EXPECT_FALSE(promises_kept(result));
  EXPECT_THAT(text_of(result), HasSubstr("200: 4, 503: 2, broken: 1, unsent: 1 |\n"));
  EXPECT_THAT(text_of(result), HasSubstr("The first broken one: the connection broke off\n"));
  EXPECT_THAT(text_of(result), HasSubstr("- no failure: 4, MISSED\n"));
}

TEST(BenchShop, AnOrderThatIsOnTheWayIsNoFailure) {
  ShopResult result = loaded(ShopOptions::Mode::kMix, 3);
  add(result.load, answered_with(409, 2, 0));
  result.in_flight = 2;
  EXPECT_EQ(result.failures(), 0U);
  EXPECT_THAT(text_of(result), HasSubstr("2 of the 409 came for a key asked again"));
  result.in_flight = 1;
  EXPECT_EQ(result.failures(), 1U);
}

TEST(BenchShop, WhatDoesNotAddUpIsAnErrorWithItsFigures) {
  ShopResult result = loaded(ShopOptions::Mode::kMix, 3);
  result.differences = {"product 3: sold 6, but 2 before and 3 in orders answered 201"};
  EXPECT_EQ(result.errors(), 1U);
  EXPECT_FALSE(promises_kept(result));
  EXPECT_THAT(text_of(result), HasSubstr("\n- product 3: sold 6, but 2 before and 3 in"));
  EXPECT_THAT(text_of(result), HasSubstr("add up: 1, MISSED\n"));
  EXPECT_EQ(json_of(result)["differences"].size(), 1U);
}

TEST(BenchShop, TheOriginalsSlowestAnswerIsUnder50Ms) {
  ShopResult result = loaded(ShopOptions::Mode::kOriginal, 49);
  EXPECT_THAT(text_of(result), HasSubstr("| products | 4 | 49.00 |"));
  EXPECT_THAT(text_of(result), HasSubstr("under 50 ms, from zero pods: 49, met\n"));
  EXPECT_TRUE(promises_kept(result));
  add(result.load, answered_with(200, 1, 50));
  EXPECT_FALSE(promises_kept(result));
  EXPECT_THAT(text_of(result), HasSubstr("under 50 ms, from zero pods: 50, MISSED\n"));
  EXPECT_EQ(json_of(result)["targets"][1]["met"], false);
  EXPECT_FALSE(promises_kept([] {
    ShopResult nothing;
    nothing.options.mode = ShopOptions::Mode::kOriginal;
    return nothing;
  }()));
}

TEST(BenchShop, AnOrderAndAFirstPageTakeSixTimesAnEmptyFunctionAtMost) {
  ShopResult result;
  result.options.mode = ShopOptions::Mode::kLatency;
  EXPECT_FALSE(promises_kept(result)) << "nothing was measured";
  result.empty.assign(20, 1'000'000);
  result.order.assign(20, 6'000'000);
  result.start.assign(20, 2'000'000);
  result.page.assign(20, 12'000'000);
  EXPECT_TRUE(promises_kept(result));
  EXPECT_THAT(text_of(result), HasSubstr("appendfsync no: 6.00 (6.00 to 6.00)\n"));
  EXPECT_THAT(text_of(result),
              HasSubstr("| POST /orders, warm, appendfsync no | 20 | 6.00 | 6.00 | 6.00 |\n"));
  result.order_synced.assign(20, 9'000'000);  // told, and no promise
  EXPECT_TRUE(promises_kept(result));
  EXPECT_THAT(text_of(result), HasSubstr("waits for the disk: 9.00 (9.00 to 9.00)\n"));
  result.order.assign(20, 6'100'000);
  EXPECT_FALSE(promises_kept(result));
  EXPECT_THAT(text_of(result), HasSubstr("appendfsync no: 6.1, MISSED\n"));
  result.order.assign(20, 6'000'000);
  result.page.assign(20, 12'100'000);
  EXPECT_FALSE(promises_kept(result));
  EXPECT_EQ(json_of(result)["targets"][2]["met"], false);
  EXPECT_EQ(json_of(result)["firstPage"]["n"], 20);
  result.wrong = 2;
  result.first_wrong = "status 503";
  EXPECT_EQ(result.failures(), 2U);
  EXPECT_THAT(text_of(result), HasSubstr("2 wrong answers, the first: status 503\n"));
}

TEST(BenchShop, SaysWhenItWasInterrupted) {
  ShopResult result = loaded(ShopOptions::Mode::kMix, 3);
  EXPECT_THAT(text_of(result), Not(HasSubstr("Interrupted")));
  result.interrupted = true;
  EXPECT_THAT(text_of(result), HasSubstr("Interrupted: this is what there was"));
}

TEST(BenchShop, AFolderWithoutTheShopTellsHowToBuildIt) {
  const auto folder = TempFolder::make();
  ASSERT_TRUE(folder);
  const auto checked = check_shop_folder(folder->path());
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr(folder->path() + "/catalogue.yaml; build it"));
  EXPECT_THAT(checked.error().message, HasSubstr(" shop`, or name a built one with --shop"));
  EXPECT_EQ(shop_folder("/a"), "/a");
  EXPECT_TRUE(shop_folder("").ends_with("/shop"));
}

}  // namespace
}  // namespace subito::bench
