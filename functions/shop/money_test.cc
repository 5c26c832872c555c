#include "functions/shop/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace shop {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(MoneyTest, IsWrittenExactlyAndWithoutNeedlessDigits) {
  EXPECT_EQ(decimal(120), "1.2");
  EXPECT_EQ(decimal(4550), "45.5");
  EXPECT_EQ(decimal(15410), "154.1");
  EXPECT_EQ(decimal(1), "0.01");
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(10000), "100");
  EXPECT_EQ(decimal(kMost), "92233720368547758.07");
}

TEST(MoneyTest, IsShownToPeopleWithAllItsPence) {
  EXPECT_EQ(pounds(120), "£1.20");
  EXPECT_EQ(pounds(5), "£0.05");
}

TEST(MoneyTest, AddsUpOrSaysThatItCannot) {
  EXPECT_EQ(add_product(10, 120, 3), 370);
  EXPECT_EQ(add_product(0, kMost, 1), kMost);
  EXPECT_EQ(add_product(1, kMost, 1), std::nullopt);
  EXPECT_EQ(add_product(0, kMost / 2 + 1, 2), std::nullopt);
}

}  // namespace
}  // namespace shop
