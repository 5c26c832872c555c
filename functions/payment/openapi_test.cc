// Walks openapi.json: every status that is documented is produced, and TestFunction sees to it that
// nothing else comes back.
#include <gtest/gtest.h>

#include "functions/payment/payment.h"
#include "functions/shop/test_function.h"

namespace shop {
namespace {

using subito::Request;

class PaymentOpenApiTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
  }

  int ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    return payment_.ask(Request(method, target, {}, body)).status();
  }
  static std::string wish(const std::string& order, const std::string& customer, int amount,
                          const std::string& currency = "GBP") {
    return R"({"order":")" + order + R"(","customer":")" + customer + R"(","amountMinor":)" +
           std::to_string(amount) + R"(,"currency":")" + currency + "\"}";
  }

  void walk_authorisations() {
    EXPECT_EQ(ask("POST", "/authorisations", wish("a", "ada", 100)), 201);
    EXPECT_EQ(ask("POST", "/authorisations", wish("a", "ada", 100)), 200);
    for (const char* body : {"", "{}", R"({"order":"x","customer":"ada","amountMinor":0})",
                             R"({"order":"x","customer":"ada","amountMinor":1.5})",
                             R"({"order":"x y","customer":"ada","amountMinor":1})",
                             R"({"order":"x","customer":"a b","amountMinor":1})"}) {
      EXPECT_EQ(ask("POST", "/authorisations", body), 400) << body;
    }
    EXPECT_EQ(ask("POST", "/authorisations", std::string(65537, ' ')), 413);
    EXPECT_EQ(ask("POST", "/authorisations", wish("b", "bob", 201)), 402);
    EXPECT_EQ(ask("POST", "/authorisations", wish("b", "nobody", 1)), 404);
    EXPECT_EQ(ask("POST", "/authorisations", wish("a", "ada", 101)), 422);
    EXPECT_EQ(ask("POST", "/authorisations", wish("b", "bob", 1, "EUR")), 422);
    EXPECT_EQ(ask("GET", "/authorisations/a"), 200);
    EXPECT_EQ(ask("GET", "/authorisations/b"), 404);
    EXPECT_EQ(ask("GET", "/customers/ada"), 200);
    EXPECT_EQ(ask("GET", "/customers/nobody"), 404);
    EXPECT_EQ(ask("POST", "/authorisations/a/capture"), 200);
    EXPECT_EQ(ask("POST", "/authorisations/a/void"), 200);
    EXPECT_EQ(ask("POST", "/authorisations/v/capture"), 404);
    EXPECT_EQ(ask("POST", "/authorisations/v/void"), 200);
    EXPECT_EQ(ask("GET", "/authorisations/v"), 200);
    EXPECT_EQ(ask("POST", "/authorisations/v/capture"), 409);
    EXPECT_EQ(ask("POST", "/authorisations", wish("v", "ada", 100)), 409);
    EXPECT_EQ(ask("GET", "/authorisations/a%20b"), 400);
    EXPECT_EQ(ask("POST", "/authorisations/a%20b/capture"), 400);
    EXPECT_EQ(ask("POST", "/authorisations/a%20b/void"), 400);
  }

  void walk_faults() {
    EXPECT_EQ(ask("PUT", "/faults", R"({"on":"capture","fault":"error"})"), 404);
    EXPECT_EQ(ask("DELETE", "/faults"), 404);
    payment_.settings["faults"] = "allow";
    for (const char* step : {"authorise", "capture", "void"}) {
      const std::string fault = R"({"fault":"error","on":")" + std::string(step) + "\"}";
      EXPECT_EQ(ask("PUT", "/faults", fault), 204);
    }
    EXPECT_EQ(ask("POST", "/authorisations", wish("e", "ada", 1)), 500);
    EXPECT_EQ(ask("POST", "/authorisations/e/capture"), 500);
    EXPECT_EQ(ask("POST", "/authorisations/e/void"), 500);
    EXPECT_EQ(ask("GET", "/authorisations/e"), 404);
    EXPECT_EQ(ask("DELETE", "/faults"), 204);
    for (const char* body :
         {"{", R"({"on":"refund","fault":"error"})", R"({"on":"void","fault":"x"})",
          R"({"on":"void","fault":"decline"})", R"({"on":"void","fault":"slow","times":0})",
          R"({"on":"void","fault":"slow","slowMs":60001})"}) {
      EXPECT_EQ(ask("PUT", "/faults", body), 400) << body;
    }
    EXPECT_EQ(ask("PUT", "/faults", std::string(65537, ' ')), 413);
  }

  void walk_without_redis() {
    redis_.kill();
    for (const char* path : {"/health", "/health/ready", "/authorisations/a", "/customers/ada"}) {
      EXPECT_EQ(ask("GET", path), 503) << path;
    }
    for (const char* path : {"/authorisations/a/capture", "/authorisations/a/void", "/seed"}) {
      EXPECT_EQ(ask("POST", path), 503) << path;
    }
    EXPECT_EQ(ask("POST", "/authorisations", wish("a", "ada", 100)), 503);
    EXPECT_EQ(ask("PUT", "/faults", R"({"on":"capture","fault":"error"})"), 503);
    EXPECT_EQ(ask("DELETE", "/faults"), 503);
  }

  TestRedis redis_;
  TestFunction payment_{"payment", payment_router(), payment_openapi(), &redis_};
};

TEST_F(PaymentOpenApiTest, EveryDocumentedStatusIsProduced) {
  for (const char* path : {"/health", "/health/live", "/health/ready", "/openapi.json"}) {
    EXPECT_EQ(ask("GET", path), 200) << path;
  }
  EXPECT_EQ(ask("POST", "/seed"), 200);
  walk_authorisations();
  walk_faults();
  walk_without_redis();
  payment_.settings.clear();
  EXPECT_EQ(ask("POST", "/seed"), 404);
  payment_.expect_all_produced();
}

}  // namespace
}  // namespace shop
