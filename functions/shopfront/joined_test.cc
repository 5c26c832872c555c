#include "functions/shopfront/joined.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

const Json kProducts = Json::parse(R"([
  {"id":"1","name":"Widget","description":"Premium ACME Widgets","price":1.2,"priceMinor":120},
  {"id":"2","name":"<b>","description":"a & b","price":4.1,"priceMinor":410}])");
const Json kLevels = Json::parse(R"([
  {"productId":"9","sku":"9","amountAvailable":9},
  {"productId":"1","sku":"12345678","amountAvailable":5}])");

TEST(JoinedTest, JoinsByIdInTheOrderOfTheCatalogue) {
  EXPECT_EQ(to_json(join(kProducts, &kLevels)),
            R"([{"id":"1","sku":"12345678","name":"Widget",)"
            R"("description":"Premium ACME Widgets","price":1.2,"amountAvailable":5},)"
            R"({"id":"2","sku":null,"name":"<b>","description":"a & b","price":4.1,)"
            R"("amountAvailable":0}])"
            "\n");
}

TEST(JoinedTest, SaysWhatIsNotKnownWithoutStock) {
  EXPECT_EQ(to_json(join(kProducts, nullptr)),
            R"([{"id":"1","sku":null,"name":"Widget",)"
            R"("description":"Premium ACME Widgets","price":1.2,"amountAvailable":null,)"
            R"("degraded":true},)"
            R"({"id":"2","sku":null,"name":"<b>","description":"a & b","price":4.1,)"
            R"("amountAvailable":null,"degraded":true}])"
            "\n");
}

TEST(JoinedTest, WhatStockNoLongerSellsIsNotOffered) {
  const Json levels = Json::parse(
      R"([{"productId":"1","amountAvailable":5,"withdrawn":true},{"productId":"2","sku":"2"}])");
  const Offers offers = join(kProducts, &levels);
  EXPECT_EQ(offers.list.at(0).available, 0);
  EXPECT_EQ(offers.list.at(1).available, std::nullopt) << "it does not say how many";
}

TEST(JoinedTest, TheCatalogueKnowsTheSkuWithoutStock) {
  const Json products = Json::parse(R"([{"id":"1","sku":"77","name":"W"}])");
  EXPECT_EQ(join(products, nullptr).list.at(0).sku, "77");
}

TEST(JoinedTest, KeepsTheTagsForThePage) {
  const Json products = Json::parse(R"([{"id":"1","name":"W","tags":["small",7,"blue"]}])");
  EXPECT_EQ(join(products, nullptr).list.at(0).tags, (std::vector<std::string>{"small", "blue"}));
}

}  // namespace
}  // namespace shop
