// The shop as a whole on a real Redis: the original services' face, and what must hold.
#include <gtest/gtest.h>
#include <subito/testing.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "functions/shop/test_shop.h"

namespace shop {
namespace {

using subito::Response;

constexpr int kClients = 64;

class ShopTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    shop_ = std::make_unique<TestShop>();
    const Response seeded = shop_->post("shopfront", "/seed");
    ASSERT_EQ(seeded.status(), 200) << seeded.body();
  }

  static std::string line(const std::string& product, int quantity) {
    return R"({"productId":")" + product + R"(","quantity":)" + std::to_string(quantity) + "}";
  }
  static std::string lines(const std::string& product, int quantity) {
    return "[" + line(product, quantity) + "]";
  }

  // received = available + reserved + sold, none negative, for every product.
  void expect_books_right() {
    for (const Json& level : shop_->get_json("stock", "/stocks")) {
      const std::int64_t available = level.at("amountAvailable");
      const std::int64_t reserved = level.at("reserved");
      const std::int64_t sold = level.at("sold");
      EXPECT_EQ(level.at("received"), available + reserved + sold) << level;
      EXPECT_TRUE(available >= 0 && reserved >= 0 && sold >= 0) << level;
    }
  }

  // Runs `ask(client)` on kClients threads and counts the statuses.
  template <typename Ask>
  std::map<int, int> at_once(Ask ask) {
    std::vector<std::map<int, int>> counts(kClients);
    std::vector<std::thread> threads;
    for (int client = 0; client < kClients; ++client) {
      threads.emplace_back([&, client] { ask(client, counts[static_cast<std::size_t>(client)]); });
    }
    for (std::thread& thread : threads) thread.join();
    std::map<int, int> sum;
    for (const auto& count : counts) {
      for (const auto& [status, n] : count) sum[status] += n;
    }
    return sum;
  }

  std::unique_ptr<TestShop> shop_;
};

TEST_F(ShopTest, KeepsTheFaceOfTheCatalogue) {
  const Json products = shop_->get_json("catalogue", "/products");
  ASSERT_EQ(products.size(), 5u);
  EXPECT_EQ(products.at(0).at("id"), "1");
  EXPECT_EQ(products.at(0).at("name"), "Widget");
  EXPECT_EQ(products.at(0).at("description"), "Premium ACME Widgets");
  const Response anvil = shop_->get("catalogue", "/products/3");
  EXPECT_EQ(anvil.body(),
            R"({"id":"3","sku":"54326745","name":"Anvil","description":"Large Anvils",)"
            R"("price":45.5,"priceMinor":4550,"currency":"GBP",)"
            R"("tags":["heavy","tools"],"version":1})"
            "\n");
  const Response unknown = shop_->get("catalogue", "/products/99");
  EXPECT_EQ(unknown.status(), 404);
  EXPECT_EQ(unknown.headers().get("content-type"), "application/problem+json");
  EXPECT_EQ(shop_->get("catalogue", "/products/a%20b").status(), 404);
}

TEST_F(ShopTest, TheCatalogueAnswersAChoiceOfProducts) {
  const Json some = shop_->get_json("catalogue", "/products?ids=3,99,1,3");
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some.at(0).at("id"), "3");
  EXPECT_EQ(shop_->get("catalogue", "/products?ids=a%20b").status(), 400);
}

TEST_F(ShopTest, KeepsTheFaceOfStock) {
  const Json levels = shop_->get_json("stock", "/stocks");
  ASSERT_EQ(levels.size(), 5u);
  EXPECT_EQ(levels.at(2).at("productId"), "3");
  EXPECT_EQ(levels.at(2).at("sku"), "54326745");
  EXPECT_EQ(levels.at(2).at("amountAvailable"), 999);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/5").at("amountAvailable"), 1);
  EXPECT_EQ(shop_->get("stock", "/stocks/99").status(), 404);
  expect_books_right();
}

TEST_F(ShopTest, KeepsTheFaceOfTheShopfront) {
  const Response answer = shop_->get("shopfront", "/products");
  const Json offers = read_answer(answer);
  ASSERT_EQ(offers.size(), 5u);
  EXPECT_EQ(offers.at(0).at("id"), "1");
  EXPECT_EQ(offers.at(0).at("sku"), "12345678");
  EXPECT_EQ(offers.at(0).at("amountAvailable"), 5);
  for (const char* price : {"1.2,", "4.1,", "45.5,", "1.8,", "154.1,"}) {
    EXPECT_NE(answer.body().find(std::string("\"price\":") + price), std::string::npos) << price;
  }
  EXPECT_EQ(answer.body().find("degraded"), std::string::npos);
  const Response page = shop_->get("shopfront", "/");
  EXPECT_NE(page.body().find("Subito Shop"), std::string::npos);
  EXPECT_NE(page.body().find("Multitool"), std::string::npos);
}

TEST_F(ShopTest, TheSeedAddsWhatIsMissingAndChangesNothing) {
  ASSERT_EQ(shop_->order("a", lines("3", 9)).status(), 201);
  EXPECT_EQ(shop_->post("shopfront", "/seed").body(),
            "{\"catalogue\":{\"added\":0},\"stock\":{\"added\":0},\"payment\":{\"added\":0}}\n");
  EXPECT_EQ(shop_->get_json("stock", "/stocks/3").at("amountAvailable"), 990);
}

TEST_F(ShopTest, SellsAnAnvil) {
  const Response answer = shop_->order("a", R"([{"productId":"3","quantity":2,"price":0.01}])");
  ASSERT_EQ(answer.status(), 201) << answer.body();
  const Json order = read_answer(answer);
  EXPECT_EQ(order.at("status"), "COMPLETED");
  EXPECT_EQ(order.at("totalMinor"), 9100);
  EXPECT_EQ(order.at("currency"), "GBP");
  EXPECT_EQ(shop_->get("checkout", "/orders/" + order.at("id").get<std::string>()).body(),
            answer.body());
  EXPECT_EQ(shop_->get_json("stock", "/stocks/3").at("sold"), 2);
  EXPECT_EQ(shop_->get("checkout", "/orders/nobody").status(), 404);
  expect_books_right();
}

TEST_F(ShopTest, AllLinesAreReservedOrNone) {
  const Response answer = shop_->order("a", "[" + line("3", 1) + "," + line("4", 1) + "]");
  EXPECT_EQ(answer.status(), 409);
  const Json problem = read_answer(answer);
  EXPECT_EQ(problem.at("type"), "out-of-stock");
  EXPECT_EQ(problem.at("detail"), "product 4: 1 wanted, 0 available");
  EXPECT_EQ(shop_->get_json("stock", "/stocks/3").at("amountAvailable"), 999);
  // Twice the same product is one line: neither half is checked alone.
  EXPECT_EQ(shop_->order("b", "[" + line("1", 3) + "," + line("1", 3) + "]").status(), 409);
  EXPECT_EQ(shop_->order("c", lines("99", 1)).status(), 422);
  expect_books_right();
}

TEST_F(ShopTest, NeverOversells) {
  constexpr int kPieces = 20;
  ASSERT_EQ(shop_->post("stock", "/stocks/2/restock", R"({"quantity":18})").status(), 200);
  const auto statuses = at_once([&](int client, std::map<int, int>& count) {
    for (int i = 0; i < 3; ++i) {
      const std::string key = std::to_string(client) + "-" + std::to_string(i);
      ++count[shop_->order(key, lines("2", 1)).status()];
    }
  });
  EXPECT_EQ(statuses, (std::map<int, int>{{201, kPieces}, {409, kClients * 3 - kPieces}}));
  const Json level = shop_->get_json("stock", "/stocks/2");
  EXPECT_EQ(level.at("amountAvailable"), 0);
  EXPECT_EQ(level.at("sold"), kPieces);
  expect_books_right();
}

TEST_F(ShopTest, OneKeyIsOneOrderHoweverOftenItIsAsked) {
  std::vector<std::string> bodies(kClients);
  const auto statuses = at_once([&](int client, std::map<int, int>& count) {
    Response answer = shop_->order("one", lines("3", 1));
    while (answer.status() == 409) {
      ++count[409];
      answer = shop_->order("one", lines("3", 1));
    }
    ++count[answer.status()];
    bodies[static_cast<std::size_t>(client)] = answer.body();
  });
  EXPECT_EQ(statuses.at(201), kClients);
  for (const std::string& body : bodies) EXPECT_EQ(body, bodies.front());
  EXPECT_EQ(shop_->get_json("stock", "/stocks/3").at("sold"), 1);
  EXPECT_EQ(shop_->order("one", lines("3", 2)).status(), 422);
  EXPECT_EQ(shop_->post("checkout", "/orders", R"({"lines":[]})").status(), 400);
  expect_books_right();
}

TEST_F(ShopTest, AReservationIsMadeAndEndedOnce) {
  const std::string body = R"({"order":"o1","lines":)" + lines("1", 2) + "}";
  EXPECT_EQ(shop_->post("stock", "/reservations", body).status(), 201);
  EXPECT_EQ(shop_->post("stock", "/reservations", body).status(), 200);
  EXPECT_EQ(shop_->get_json("stock", "/reservations/o1").at("state"), "RESERVED");
  EXPECT_EQ(shop_->get_json("stock", "/stocks/1").at("reserved"), 2);
  EXPECT_EQ(shop_->post("stock", "/reservations", R"({"order":"o1","lines":)" + lines("1", 1) + "}")
                .status(),
            422);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(shop_->post("stock", "/reservations/o1/commit").status(), 200);
  }
  EXPECT_EQ(shop_->get_json("stock", "/stocks/1").at("sold"), 2);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/1").at("amountAvailable"), 3);
  for (int i = 0; i < 2; ++i) {  // the sale is undone
    EXPECT_EQ(shop_->post("stock", "/reservations/o1/release").status(), 200);
  }
  EXPECT_EQ(shop_->post("stock", "/reservations/o1/commit").status(), 409);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/1").at("sold"), 0);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/1").at("amountAvailable"), 5);
  expect_books_right();
}

TEST_F(ShopTest, AReservationThatComesAfterItsReleaseIsTooLate) {
  EXPECT_EQ(shop_->post("stock", "/reservations/o2/commit").status(), 404);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(shop_->post("stock", "/reservations/o2/release").status(), 200);
  }
  const std::string body = R"({"order":"o2","lines":)" + lines("1", 2) + "}";
  EXPECT_EQ(shop_->post("stock", "/reservations", body).status(), 409);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/1").at("amountAvailable"), 5);
  expect_books_right();
}

TEST_F(ShopTest, ReleasedPiecesCanBeSoldAgain) {
  const std::string body = R"({"order":"o3","lines":)" + lines("5", 1) + "}";
  ASSERT_EQ(shop_->post("stock", "/reservations", body).status(), 201);
  EXPECT_EQ(shop_->order("a", lines("5", 1)).status(), 409);
  ASSERT_EQ(shop_->post("stock", "/reservations/o3/release").status(), 200);
  EXPECT_EQ(shop_->order("b", lines("5", 1)).status(), 201);
  expect_books_right();
}

TEST_F(ShopTest, RestockTakesWhatTheBooksCanHold) {
  EXPECT_EQ(shop_->post("stock", "/stocks/4/restock", R"({"quantity":3})").status(), 200);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/4").at("amountAvailable"), 3);
  EXPECT_EQ(shop_->post("stock", "/stocks/99/restock", R"({"quantity":3})").status(), 404);
  for (const char* body : {R"({"quantity":0})", R"({"quantity":-1})", R"({"quantity":1.5})", "{}",
                           "[]", R"({"quantity":1000001})"}) {
    EXPECT_EQ(shop_->post("stock", "/stocks/4/restock", body).status(), 400) << body;
  }
  expect_books_right();
}

TEST_F(ShopTest, WithoutStockTheShopfrontAnswersAndSaysSo) {
  shop_->take_away("stock");
  const Json offers = shop_->get_json("shopfront", "/products");
  ASSERT_EQ(offers.size(), 5u);
  EXPECT_TRUE(offers.at(0).at("amountAvailable").is_null());
  EXPECT_EQ(offers.at(0).at("degraded"), true);
  EXPECT_EQ(shop_->get("shopfront", "/health/ready").status(), 200);
  shop_->bring_back();
  EXPECT_EQ(shop_->get_json("shopfront", "/products").at(0).at("amountAvailable"), 5);
  shop_->take_away("catalogue");
  EXPECT_EQ(shop_->get("shopfront", "/products").status(), 503);
  EXPECT_EQ(shop_->get("shopfront", "/health/ready").status(), 503);
}

TEST_F(ShopTest, RedisAwayIsNotReadyButLiveAndPasses) {
  ASSERT_EQ(shop_->order("a", lines("3", 1)).status(), 201);
  shop_->redis().kill();
  for (const char* function : {"catalogue", "stock", "payment", "checkout", "shopfront"}) {
    EXPECT_EQ(shop_->get(function, "/health/live").status(), 200) << function;
    EXPECT_EQ(shop_->get(function, "/health/ready").status(), 503) << function;
    EXPECT_EQ(shop_->get(function, "/health").status(), 503) << function;
  }
  EXPECT_EQ(shop_->order("b", lines("3", 1)).status(), 503);
  EXPECT_EQ(shop_->get("catalogue", "/products").status(), 503);
  shop_->redis().start();
  EXPECT_EQ(shop_->get("stock", "/health").status(), 200);
  EXPECT_EQ(shop_->order("b", lines("3", 1)).status(), 201);
  EXPECT_EQ(shop_->get_json("stock", "/stocks/3").at("sold"), 2);
  expect_books_right();
}

TEST_F(ShopTest, OneFunctionDoesNotReadTheDataOfAnother) {
  subito::testing::TestContext context;
  auto& checkout = context.use_redis("redis", shop_->redis().address_of("checkout"));
  const auto replies = checkout.pipeline({{"HGETALL", "stock:level:1"}});
  ASSERT_TRUE(replies.front().is_error());
  EXPECT_EQ(replies.front().text().substr(0, 6), "NOPERM");
}

}  // namespace
}  // namespace shop
