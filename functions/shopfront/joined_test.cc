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

TEST(JoinedTest, ThePageEscapesAndTellsWhatCanBeBought) {
  const std::string page = to_html(join(kProducts, &kLevels));
  EXPECT_NE(page.find("<title>Subito Shop</title>"), std::string::npos);
  EXPECT_NE(page.find("£1.20"), std::string::npos);
  EXPECT_NE(page.find("5 in stock"), std::string::npos);
  EXPECT_NE(page.find("<h2>&lt;b&gt;</h2><p>a &amp; b &middot; sold out"), std::string::npos);
  EXPECT_NE(page.find("aria-label=\"Buy &lt;b&gt;\" disabled"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
}

TEST(JoinedTest, ThePageSaysThatStockIsNotKnown) {
  const std::string page = to_html(join(kProducts, nullptr));
  EXPECT_NE(page.find("stock not known"), std::string::npos);
  EXPECT_NE(page.find("class=\"notice\""), std::string::npos);
}

}  // namespace
}  // namespace shop
