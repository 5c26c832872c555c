#include "runtime/gateway/routes.h"

#include <gtest/gtest.h>

namespace subito::gateway {
namespace {

constexpr FunctionId kShop(1);
constexpr FunctionId kOrders(2);

Routes shop() {
  Routes routes;
  routes.add_function("shopfront", kShop);
  routes.add_function("checkout", kOrders);
  EXPECT_TRUE(routes.add_route("/", false, "shopfront", kShop));
  EXPECT_TRUE(routes.add_route("/orders", false, "checkout", kOrders));
  EXPECT_TRUE(routes.add_route("/api/v1", true, "checkout", kOrders));
  return routes;
}

TEST(RoutesTest, FindsAFunctionByNameAndGivesItTheRestOfThePath) {
  const Routes routes = shop();
  EXPECT_EQ(routes.find("/function/checkout/orders/7")->function, kOrders);
  EXPECT_EQ(routes.find("/function/checkout/orders/7")->path, "/orders/7");
  EXPECT_EQ(routes.find("/function/checkout")->path, "/");
  EXPECT_EQ(routes.find("/function/checkout.default/x")->path, "/x");
}

TEST(RoutesTest, SaysWhichFunctionIsMissing) {
  const Routes routes = shop();
  EXPECT_EQ(routes.find("/function/chekout/x").error().code, ErrorCode::kNotFound);
  EXPECT_NE(routes.find("/function/chekout").error().message.find("chekout"), std::string::npos);
  EXPECT_FALSE(routes.find("/function/checkout.other/x"));
  EXPECT_FALSE(routes.find("/function/"));
}

TEST(RoutesTest, LetsTheLongestPrefixOfWholeSegmentsWin) {
  const Routes routes = shop();
  EXPECT_EQ(routes.find("/orders")->function, kOrders);
  EXPECT_EQ(routes.find("/orders/1")->path, "/orders/1");
  EXPECT_EQ(routes.find("/ordersX")->function, kShop);
  EXPECT_EQ(routes.find("/")->function, kShop);
  EXPECT_EQ(routes.find("/anything/else")->path, "/anything/else");
}

TEST(RoutesTest, FindsTheRouteOfAPathMuchLongerThanAnyRoute) {
  const Routes routes = shop();
  const std::string slashes(8192, '/');
  EXPECT_EQ(routes.find(slashes)->function, kShop);
  EXPECT_EQ(routes.find("/orders" + slashes)->function, kOrders);
  EXPECT_EQ(routes.find("/ordersX" + slashes)->function, kShop);
  EXPECT_EQ(routes.find("/api/v1" + slashes)->path, slashes);
  EXPECT_EQ(routes.find("/api/v1x" + slashes)->function, kShop);
  EXPECT_FALSE(Routes().find(slashes));
}

TEST(RoutesTest, KeepsTheRoutesOfNamespacesApartByHost) {
  constexpr FunctionId kStaged(3);
  Routes routes = shop();
  routes.add_function("shopfront.staging", kStaged);
  EXPECT_TRUE(routes.add_route("/", false, "shopfront.staging", kStaged)) << "it is another's";
  routes.add_host("staging.localhost", "staging");
  routes.add_host("shop.example", "staging");
  for (const char* host :
       {"staging.localhost:8080", "STAGING.localhost", "staging.localhost.:1", "shop.example"}) {
    EXPECT_EQ(routes.find("/", host)->function, kStaged) << host;
    EXPECT_EQ(routes.find("/orders", host)->function, kStaged) << host;
    EXPECT_EQ(routes.find("/function/shopfront", host)->function, kStaged) << host;
    EXPECT_FALSE(routes.find("/function/checkout", host)) << host;
    EXPECT_EQ(routes.find("/function/checkout.default", host)->function, kOrders) << host;
  }
  for (const char* host :
       {"", "localhost:8080", "127.0.0.1:8080", "other.localhost", "[::1]:8080"}) {
    EXPECT_EQ(routes.find("/", host)->function, kShop) << host;
    EXPECT_EQ(routes.find("/orders", host)->function, kOrders) << host;
    EXPECT_EQ(routes.find("/function/shopfront", host)->function, kShop) << host;
    EXPECT_EQ(routes.find("/function/shopfront.staging/x", host)->path, "/x") << host;
  }
  routes.add_host("empty.localhost", "empty");
  EXPECT_FALSE(routes.find("/", "empty.localhost"));
  EXPECT_EQ(routes.names().back(), "staging:/");
}

TEST(RoutesTest, StripsAPrefixWhenAskedTo) {
  const Routes routes = shop();
  EXPECT_EQ(routes.find("/api/v1/orders")->path, "/orders");
  EXPECT_EQ(routes.find("/api/v1")->path, "/");
}

TEST(RoutesTest, RefusesARouteThatAnotherFunctionHas) {
  Routes routes = shop();
  const auto status = routes.add_route("/orders", false, "shopfront", kShop);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "add route /orders: it belongs to function checkout; delete that one or choose another "
            "path");
  EXPECT_TRUE(routes.add_route("/orders", false, "checkout", kOrders));
}

TEST(RoutesTest, RefusesDotSegmentsHoweverTheyAreWritten) {
  const Routes routes = shop();
  for (const char* path :
       {"/a/../b", "/..", "/a/.", "/%2e%2E/x", "/a/.%2e", "/function/checkout/.."}) {
    const auto found = routes.find(path);
    ASSERT_FALSE(found) << path;
    EXPECT_EQ(found.error().code, ErrorCode::kInvalidArgument) << path;
  }
  EXPECT_TRUE(routes.find("/.well-known/x"));
  EXPECT_TRUE(routes.find("/a/..b"));
  EXPECT_TRUE(routes.find("//"));
}

TEST(RoutesTest, FindsNothingWithoutRoutes) {
  const auto error = Routes().find("/x").error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  for (const char* words : {"no route matches /x;", "/function/NAME",
                            "`subito explain spec.routes`", "`subito get functions -o wide`"})
    EXPECT_NE(error.message.find(words), std::string::npos) << words;
}

}  // namespace
}  // namespace subito::gateway
