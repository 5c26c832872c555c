// The catalogue alone on a real Redis: changes by version, pages while products come, and that each
// change has its event.
#include "functions/catalogue/catalogue.h"

#include <gtest/gtest.h>

#include <atomic>

#include "functions/catalogue/events.pb.h"
#include "functions/shop/test_at_once.h"
#include "functions/shop/test_function.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

class CatalogueTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
    ASSERT_EQ(catalogue_.post("/seed").status(), 200);
  }

  static std::string saw(const std::string& sku, int price = 990) {
    return R"({"sku":")" + sku + R"(","name":"Saw","priceMinor":)" + std::to_string(price) + "}";
  }
  int put(const std::string& id, const std::string& etag, const std::string& body) {
    return catalogue_.ask(Request("PUT", "/products/" + id, {{"If-Match", etag}}, body)).status();
  }
  int remove(const std::string& id, const std::string& etag) {
    return catalogue_.ask(Request("DELETE", "/products/" + id, {{"If-Match", etag}})).status();
  }
  std::map<std::string, int> events() {
    const auto entries = catalogue_.redis({"XRANGE", "catalogue:events", "-", "+"});
    std::map<std::string, int> counts;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      ++counts[std::string(entries[i][1][1].text()).substr(8)];  // behind "shop.v1."
    }
    return counts;
  }

  TestRedis redis_;
  TestFunction catalogue_{"catalogue", catalogue_router(), catalogue_openapi(), &redis_};
};

TEST_F(CatalogueTest, AProductIsAddedChangedAndDeleted) {
  const Response added = catalogue_.post("/products", saw("77"));
  ASSERT_EQ(added.status(), 201) << added.body();
  EXPECT_EQ(added.headers().get("location"), "/products/1001");
  const std::string etag(*added.headers().get("etag"));
  EXPECT_EQ(catalogue_.get("/products/1001").body(), added.body());
  Json body = read_answer(added);
  body["priceMinor"] = 1000;
  EXPECT_EQ(put("1001", etag, body.dump()), 200);
  EXPECT_EQ(put("1001", etag, body.dump()), 412);
  EXPECT_EQ(put("1001", etag + ", \"77\"", body.dump()), 412);
  const Response changed = catalogue_.get("/products/1001");
  EXPECT_EQ(read_answer(changed).at("priceMinor"), 1000);
  EXPECT_EQ(changed.headers().get("etag"), "\"2\"");
  EXPECT_EQ(put("1001", "*", saw("78")), 422);  // another sku
  EXPECT_EQ(remove("1001", etag), 412);
  EXPECT_EQ(remove("1001", "\"9\", \"2\""), 204);
  EXPECT_EQ(catalogue_.get("/products/1001").status(), 404);
  EXPECT_EQ(put("1001", "\"3\"", saw("77")), 404);
  EXPECT_EQ(catalogue_.get_json("/products").size(), 5u);
  // The sku is free again, the id is not.
  EXPECT_EQ(catalogue_.post("/products", saw("77")).headers().get("location"), "/products/1002");
  EXPECT_EQ(events(), (std::map<std::string, int>{
                          {"ProductCreated", 7}, {"ProductChanged", 1}, {"ProductDeleted", 1}}));
}

TEST_F(CatalogueTest, OfManyChangesWithOneEtagOneSucceeds) {
  std::atomic<int> price = 100;
  std::map<int, int> counts;
  for (int round = 0; round < 2; ++round) {
    for (const auto& [status, n] :
         at_once([&](int) { return put("3", "\"1\"", saw("54326745", ++price)); })) {
      counts[status] += n;
    }
  }
  EXPECT_EQ(counts, (std::map<int, int>{{200, 1}, {412, 2 * kClients - 1}}));
  EXPECT_EQ(catalogue_.get("/products/3").headers().get("etag"), "\"2\"");
  EXPECT_EQ(events().at("ProductChanged"), 1);
}

TEST_F(CatalogueTest, ChangesOfAnyVersionAllSucceed) {
  EXPECT_EQ(at_once([&](int client) { return put("3", "*", saw("54326745", client + 1)); }),
            (std::map<int, int>{{200, kClients}}));
  EXPECT_EQ(catalogue_.get_json("/products/3").at("version"), kClients + 1);
  EXPECT_EQ(events().at("ProductChanged"), kClients);
}

TEST_F(CatalogueTest, AProductIsDeletedOnceHoweverManyAsk) {
  for (const std::string id : {"1", "2", "3", "4", "5"}) {
    const auto statuses = at_once([&](int) { return remove(id, "\"1\""); });
    EXPECT_EQ(statuses.at(204), 1);
  }
  EXPECT_EQ(events().at("ProductDeleted"), 5);
}

TEST_F(CatalogueTest, OneSkuIsOneProductHoweverManyAddIt) {
  EXPECT_EQ(at_once([&](int) { return catalogue_.post("/products", saw("77")).status(); }),
            (std::map<int, int>{{201, 1}, {409, kClients - 1}}));
  EXPECT_EQ(catalogue_.get_json("/products").size(), 6u);
}

TEST_F(CatalogueTest, WalkingPagesWhileOthersAddGivesEachEarlierProductOnce) {
  std::map<std::string, int> met;
  at_once([&](int client) {
    if (client > 0) return catalogue_.post("/products", saw("s" + std::to_string(client))).status();
    std::string next = "/products?sort=price&limit=2";
    while (!next.empty()) {
      const Response page = catalogue_.get(next);
      for (const Json& product : read_answer(page)) ++met[text_of(product, "id")];
      const std::string link(page.headers().get("link").value_or(""));
      next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    }
    return 0;
  });
  for (const char* id : {"1", "2", "3", "4", "5"}) EXPECT_EQ(met[id], 1) << id;
  for (const auto& [id, n] : met) EXPECT_EQ(n, 1) << id;
  EXPECT_EQ(catalogue_.get_json("/products").size(), 5u + kClients - 1);
}

TEST_F(CatalogueTest, WhatDidNotChangeIsNotSentAgain) {
  const auto status = [&](const char* path, std::string_view etag) {
    return catalogue_.ask(Request("GET", path, {{"If-None-Match", std::string(etag)}})).status();
  };
  const std::string list(*catalogue_.get("/products").headers().get("etag"));
  EXPECT_EQ(status("/products", list), 304);
  EXPECT_EQ(status("/products/3", "\"1\""), 304);
  ASSERT_EQ(put("3", "\"1\"", saw("54326745")), 200);
  EXPECT_EQ(status("/products", list), 200);
  EXPECT_EQ(status("/products/3", "\"1\""), 200);
}

TEST_F(CatalogueTest, AFullCatalogueTakesNoMore) {
  catalogue_.redis({"EVAL", "for i = 1, 995 do redis.call('ZADD', KEYS[1], i, 'x' .. i) end", "1",
                    "catalogue:products"});
  const Response refused = catalogue_.post("/products", saw("77"));
  EXPECT_EQ(refused.status(), 409);
  EXPECT_EQ(text_of(read_answer(refused), "type"), "catalogue-full");
}

TEST_F(CatalogueTest, TheSeedAddsWhatIsMissingAndSaysSo) {
  EXPECT_EQ(events(), (std::map<std::string, int>{{"ProductCreated", 5}}));
  catalogue_.redis({"DEL", "catalogue:product:4"});
  catalogue_.redis({"HDEL", "catalogue:skus", "93847614"});
  EXPECT_EQ(catalogue_.post("/seed").body(), "{\"added\":1}\n");
  EXPECT_EQ(events().at("ProductCreated"), 6);
  const auto last = catalogue_.redis({"XREVRANGE", "catalogue:events", "+", "-", "COUNT", "1"});
  v1::ProductCreated created;
  ASSERT_TRUE(created.ParseFromString(std::string(last[0][1][3].text())));
  EXPECT_EQ(created.product_id(), "4");
  EXPECT_EQ(created.sku(), "93847614");
  EXPECT_EQ(created.price_minor(), 180);
}

TEST_F(CatalogueTest, TheSeedBringsNothingBackThatWasDeleted) {
  ASSERT_EQ(remove("4", "*"), 204);
  EXPECT_EQ(catalogue_.post("/seed").body(), "{\"added\":0}\n");
  EXPECT_EQ(catalogue_.get("/products/4").status(), 404);
  EXPECT_EQ(events().at("ProductCreated"), 5);
}

}  // namespace
}  // namespace shop
