// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include "functions/shop/contract.h"
#include "functions/shop/test_function.h"
#include "functions/shopfront/shopfront.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

Response catalogue_answer(const Request& request) {
  static ContractAnswers says("shopfront", "catalogue");
  if (request.query("cursor") == "wrong") return says("refuses a cursor that it did not give");
  if (const auto type = request.query("q"); type && type->starts_with("bad-")) {
    return Response::problem(400, *type, "as the catalogue says it");
  }
  if (request.path() == "/seed") return says("adds what is missing");
  if (request.path() != "/products") return says("is ready");
  return says("lists the first page and leads to the next");
}

Response stock_answer(const Request& request) {
  static ContractAnswers says("shopfront", "stock");
  return says(request.path() == "/stocks" ? "lists nothing to begin with" : "adds what is missing");
}

Response payment_answer(const Request&) {
  static ContractAnswers says("shopfront", "payment");
  return says("adds what is missing");
}

TEST(ShopfrontOpenApiTest, EveryDocumentedStatusIsProduced) {
  TestFunction shopfront("shopfront", shopfront_router(), shopfront_openapi(), nullptr);
  shopfront.calls["catalogue"] = catalogue_answer;
  shopfront.calls["stock"] = stock_answer;
  shopfront.calls["payment"] = payment_answer;
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json", "/",
                           "/products?ids=1&limit=2", "/?q=a&tag=b&sort=price"}) {
    EXPECT_EQ(shopfront.get(path).status(), 200) << path;
  }
  for (const char* path : {"/assets/page.css", "/assets/page.js", "/assets/icon.svg"}) {
    const Response asset = shopfront.get(path);
    EXPECT_EQ(asset.status(), 200) << path;
    const std::string etag(asset.headers().get("etag").value_or(""));
    EXPECT_EQ(shopfront.ask({"GET", path, {{"If-None-Match", etag}}}).status(), 304) << path;
  }
  EXPECT_EQ(shopfront.get("/?cursor=wrong").status(), 303);
  EXPECT_EQ(shopfront.get("/products?cursor=wrong").status(), 400);
  for (const char* type : {"bad-ids", "bad-query", "bad-tag", "bad-sort", "bad-limit"}) {
    EXPECT_EQ(shopfront.get(std::string("/products?q=") + type).status(), 400) << type;
  }
  EXPECT_EQ(shopfront.post("/seed").status(), 200);
  shopfront.calls.erase("stock");
  EXPECT_EQ(shopfront.get("/products").status(), 200) << "degraded";
  shopfront.calls.erase("catalogue");
  for (const char* path : {"/", "/products", "/health", "/health/ready"}) {
    EXPECT_EQ(shopfront.get(path).status(), 503) << path;
  }
  EXPECT_EQ(shopfront.post("/seed").status(), 503);
  shopfront.settings.clear();
  EXPECT_EQ(shopfront.post("/seed").status(), 404);
  shopfront.expect_all_produced();
}

}  // namespace
}  // namespace shop
