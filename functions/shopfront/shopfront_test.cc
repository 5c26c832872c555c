#include "functions/shopfront/shopfront.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <subito/testing.h>

#include "functions/shop/contract.h"
#include "functions/shopfront/assets.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;
using testing::HasSubstr;

Response catalogue_says(const std::string& description) {
  static ContractAnswers answers("shopfront", "catalogue");
  return answers(description);
}

Response products() {
  return catalogue_says("lists the first page and leads to the next");
}

Response levels() {
  static ContractAnswers answers("shopfront", "stock");
  return answers("lists the levels");
}

class ShopfrontTest : public testing::Test {
 protected:
  ShopfrontTest() {
    context_.on_call("catalogue", [](const Request&) { return products(); });
    context_.on_call("stock", [](const Request&) { return levels(); });
  }

  Response ask(const std::string& target, subito::Headers headers = {}) {
    return answer_of(router_, Request("GET", target, std::move(headers)), context_);
  }
  static std::string field(const Response& response, const char* name) {
    return std::string(response.headers().get(name).value_or(""));
  }
  std::string target_of(const std::string& function) {
    for (const auto& call : context_.calls()) {
      if (call.function == function) return call.target;
    }
    return {};
  }

  subito::testing::TestContext context_;
  subito::Router router_ = shopfront_router();
};

TEST_F(ShopfrontTest, ThePageAsksForWhatIsLookedFor) {
  const Response page = ask("/?q=wid&sort=price");
  EXPECT_EQ(page.status(), 200);
  EXPECT_THAT(page.body(), HasSubstr("7 in stock"));
  EXPECT_THAT(field(page, "content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(field(page, "content-security-policy").find("unsafe"), std::string::npos);
  EXPECT_EQ(field(page, "cache-control"), "no-store");
  EXPECT_EQ(target_of("catalogue"), "/products?limit=48&q=wid&sort=price");
}

TEST_F(ShopfrontTest, ThePageOfAWrongCursorIsTheFirst) {
  context_.on_call("catalogue", [](const Request&) {
    return catalogue_says("refuses a cursor that it did not give");
  });
  const Response page = ask("/?cursor=x");
  EXPECT_EQ(page.status(), 303);
  EXPECT_EQ(field(page, "location"), "/");
  EXPECT_EQ(ask("/").status(), 503) << "never round in a circle";
}

TEST_F(ShopfrontTest, WithoutTheCatalogueThereIsAPageAllTheSame) {
  context_.fail_call("catalogue", "unavailable");
  const Response page = ask("/");
  EXPECT_EQ(page.status(), 503);
  EXPECT_EQ(field(page, "retry-after"), "1");
  EXPECT_THAT(field(page, "content-type"), HasSubstr("text/html"));
  EXPECT_THAT(page.body(), HasSubstr("The products cannot be shown right now."));
  EXPECT_EQ(ask("/products").status(), 503);
}

TEST_F(ShopfrontTest, WithoutStockItIsDegraded) {
  for (int way = 0; way < 2; ++way) {
    if (way == 0) context_.fail_call("stock", "deadline-exceeded");
    if (way == 1) context_.on_call("stock", [](const Request&) { return Response(500); });
    EXPECT_THAT(ask("/products").body(), HasSubstr(R"("amountAvailable":null,"degraded":true)"));
    EXPECT_THAT(ask("/").body(), HasSubstr("Stock not known right now"));
  }
}

TEST_F(ShopfrontTest, ASlowStockDoesNotHoldThePage) {
  context_.on_call("stock", [this](const Request&) {
    context_.advance(std::chrono::seconds(20));
    return levels();
  });
  const auto begun = context_.now();
  EXPECT_THAT(ask("/").body(), HasSubstr("Stock not known right now"));
  EXPECT_LE(context_.now() - begun, std::chrono::seconds(1));
}

// A catalogue that takes its time gives stock as much.
TEST_F(ShopfrontTest, BothAreAskedAtOnce) {
  for (const char* function : {"catalogue", "stock"}) {
    context_.on_call(function, [this, function](const Request&) {
      context_.advance(std::chrono::seconds(5));
      return function == std::string("stock") ? levels() : products();
    });
  }
  const auto begun = context_.now();
  EXPECT_THAT(ask("/").body(), HasSubstr("7 in stock"));
  EXPECT_EQ(context_.now() - begun, std::chrono::seconds(5));
}

TEST_F(ShopfrontTest, ProductsPassTheQueryOnAndTheLinkBack) {
  const Response page = ask("/products?ids=1%2C2&limit=1");
  EXPECT_EQ(target_of("catalogue"), "/products?ids=1%2C2&limit=1");
  EXPECT_NE(field(page, "link"), "");
  EXPECT_EQ(field(page, "link"), field(products(), "link"));
  context_.on_call("catalogue", [](const Request&) {
    return catalogue_says("refuses a cursor that it did not give");
  });
  const Response wrong = ask("/products?cursor=x");
  EXPECT_EQ(wrong.status(), 400);
  EXPECT_THAT(wrong.body(), HasSubstr("bad-cursor"));
}

// What is looked at again and again is sent when a level or a price is another one.
TEST_F(ShopfrontTest, OffersAreSentAgainWhenTheyAreOthers) {
  const std::string etag = field(ask("/products?ids=1%2C2"), "etag");
  const subito::Headers known{{"If-None-Match", etag}};
  const Response same = ask("/products?ids=1%2C2", known);
  EXPECT_EQ(same.status(), 304);
  EXPECT_EQ(same.body(), "");
  EXPECT_EQ(field(same, "etag"), etag);
  EXPECT_EQ(field(same, "cache-control"), "no-store");
  context_.on_call("stock", [](const Request&) { return Response::json("[]"); });
  EXPECT_EQ(ask("/products?ids=1%2C2", known).status(), 200);
  context_.fail_call("stock", "unavailable");
  EXPECT_EQ(ask("/products?ids=1%2C2", known).status(), 200);
}

TEST_F(ShopfrontTest, AssetsAreKeptForAsLongAsTheyAreTheSame) {
  const std::string hash(asset("page.css").hash);
  const Response style = ask("/assets/page.css?v=" + hash);
  EXPECT_EQ(style.status(), 200);
  EXPECT_EQ(style.body(), asset("page.css").text);
  EXPECT_EQ(field(style, "content-type"), "text/css; charset=utf-8");
  EXPECT_THAT(field(style, "cache-control"), HasSubstr("immutable"));
  EXPECT_EQ(field(ask("/assets/page.css?v=old"), "cache-control"), "no-cache");
  const Response again = ask("/assets/page.css", {{"If-None-Match", field(style, "etag")}});
  EXPECT_EQ(again.status(), 304);
  EXPECT_EQ(again.body(), "");
  EXPECT_EQ(ask("/assets/page.js").status(), 200);
  EXPECT_EQ(ask("/assets/icon.svg").status(), 200);
}

}  // namespace
}  // namespace shop
