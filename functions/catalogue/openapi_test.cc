// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include "functions/catalogue/catalogue.h"
#include "functions/shop/test_function.h"

namespace shop {
namespace {

TEST(CatalogueOpenApiTest, EveryDocumentedStatusIsProduced) {
  if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
  TestRedis redis;
  redis.start();
  TestFunction catalogue("catalogue", catalogue_router(), catalogue_openapi(), &redis);
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json"}) {
    EXPECT_EQ(catalogue.get(path).status(), 200) << path;
  }
  EXPECT_EQ(catalogue.post("/seed").status(), 200);
  EXPECT_EQ(catalogue.get("/products").status(), 200);
  EXPECT_EQ(catalogue.get("/products?ids=,").status(), 400);
  EXPECT_EQ(catalogue.get("/products/1").status(), 200);
  EXPECT_EQ(catalogue.get("/products/99").status(), 404);
  redis.kill();
  for (const char* path : {"/health", "/health/ready", "/products", "/products/1"}) {
    EXPECT_EQ(catalogue.get(path).status(), 503) << path;
  }
  EXPECT_EQ(catalogue.post("/seed").status(), 503);
  catalogue.settings.clear();
  EXPECT_EQ(catalogue.post("/seed").status(), 404);
  catalogue.expect_all_produced();
}

}  // namespace
}  // namespace shop
