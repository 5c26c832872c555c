// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/catalogue/catalogue.h"
#include "functions/shop/test_function.h"

namespace shop {
namespace {

using subito::Headers;
using subito::Request;

class CatalogueOpenApiTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
  }

  int ask(const std::string& method, const std::string& target, const std::string& body = {},
          Headers headers = {}) {
    return catalogue_.ask(Request(method, target, std::move(headers), body)).status();
  }

  void walk_reading() {
    EXPECT_EQ(ask("GET", "/products"), 200);
    EXPECT_EQ(ask("GET", "/products", {}, {{"If-None-Match", "*"}}), 304);
    EXPECT_EQ(ask("GET", "/products?sort=-price&limit=2&q=e&tag=tools"), 200);
    for (const std::string& wrong :
         std::vector<std::string>{"limit=0", "ids=,", "ids=", "q=" + std::string(101, 'a'),
                                  "tag=a%20b", "sort=age", "cursor=x"}) {
      EXPECT_EQ(ask("GET", "/products?" + wrong), 400) << wrong;
    }
    EXPECT_EQ(ask("GET", "/products/1"), 200);
    EXPECT_EQ(ask("GET", "/products/1", {}, {{"If-None-Match", "\"1\""}}), 304);
    EXPECT_EQ(ask("GET", "/products/99"), 404);
  }

  void walk_writing() {
    const std::string large(65537, ' ');
    EXPECT_EQ(ask("POST", "/products", kSaw), 201);
    EXPECT_EQ(ask("POST", "/products", kSaw), 409);
    EXPECT_EQ(ask("POST", "/products", "{}"), 400);
    EXPECT_EQ(ask("POST", "/products", "{"), 400);
    EXPECT_EQ(ask("POST", "/products", large), 413);
    EXPECT_EQ(ask("POST", "/products", kFree), 422);
    catalogue_.redis({"EVAL",
                      "for i = 1, 995 do redis.call('ZADD', KEYS[1], 2000 + i, 'x' .. i) end", "1",
                      "catalogue:products"});
    EXPECT_EQ(ask("POST", "/products", R"({"sku":"78","name":"a","priceMinor":1})"), 409);
    catalogue_.redis({"ZREMRANGEBYSCORE", "catalogue:products", "2000", "3000"});
    EXPECT_EQ(ask("PUT", "/products/1001", kSaw, {{"If-Match", "\"1\""}}), 200);
    EXPECT_EQ(ask("PUT", "/products/1001", kSaw, {{"If-Match", "\"1\""}}), 412);
    EXPECT_EQ(ask("PUT", "/products/1001", kSaw), 428);
    for (const char* body : {"[]", "{}"}) {
      EXPECT_EQ(ask("PUT", "/products/1001", body, {{"If-Match", "*"}}), 400) << body;
    }
    EXPECT_EQ(ask("PUT", "/products/1001", kFree, {{"If-Match", "*"}}), 422);
    EXPECT_EQ(ask("PUT", "/products/1001", large, {{"If-Match", "*"}}), 413);
    EXPECT_EQ(ask("PUT", "/products/1", kSaw, {{"If-Match", "*"}}), 422);
    EXPECT_EQ(ask("PUT", "/products/99", kSaw, {{"If-Match", "*"}}), 404);
    EXPECT_EQ(ask("DELETE", "/products/1001"), 428);
    EXPECT_EQ(ask("DELETE", "/products/1001", {}, {{"If-Match", "\"1\""}}), 412);
    EXPECT_EQ(ask("DELETE", "/products/1001", {}, {{"If-Match", "\"2\""}}), 204);
    EXPECT_EQ(ask("DELETE", "/products/1001", {}, {{"If-Match", "\"2\""}}), 404);
  }

  void walk_without_redis() {
    redis_.kill();
    for (const char* path : {"/health", "/health/ready", "/products", "/products/1"}) {
      EXPECT_EQ(ask("GET", path), 503) << path;
    }
    EXPECT_EQ(ask("POST", "/seed"), 503);
    EXPECT_EQ(ask("POST", "/products", kSaw), 503);
    EXPECT_EQ(ask("PUT", "/products/1", kSaw, {{"If-Match", "*"}}), 503);
    EXPECT_EQ(ask("DELETE", "/products/1", {}, {{"If-Match", "*"}}), 503);
  }

  const std::string kFree = R"({"sku":"1","name":"a","priceMinor":0})";
  const std::string kSaw = R"({"sku":"77","name":"Saw","priceMinor":990,"tags":["tools"]})";
  TestRedis redis_;
  TestFunction catalogue_{"catalogue", catalogue_router(), catalogue_openapi(), &redis_};
};

TEST_F(CatalogueOpenApiTest, EveryDocumentedStatusIsProduced) {
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json"}) {
    EXPECT_EQ(ask("GET", path), 200) << path;
  }
  EXPECT_EQ(ask("POST", "/seed"), 200);
  walk_reading();
  walk_writing();
  walk_without_redis();
  catalogue_.settings.clear();
  EXPECT_EQ(ask("POST", "/seed"), 404);
  catalogue_.expect_all_produced();
}

}  // namespace
}  // namespace shop
