// The shop on a live node, where what it calls misbehaves: a slow stock, a payment whose answers
// are lost, and whoever asks for what is not theirs.
#include <gmock/gmock.h>

#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

constexpr int kFailuresThatOpen = 5;  // the default of a breaker
constexpr int kTriesMax = 100;        // of one order
constexpr milliseconds kPause{50};
constexpr std::int64_t kAnvilMinor = 4550;
constexpr char kRedis[] = "bindings: [{name: redis, redis: {}}]\n";

class ShopLiveTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped()) return;
    const Ran ran = node.cli({"deploy", "-f", SUBITO_SHOP_DIR, "--no-check"}, seconds(60));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    ASSERT_EQ(node.client().post("/seed", "").status, 200);
  }

  // As an operator: whatever the ingress of the function.
  Json invoke(const std::string& function, const std::string& path) const {
    return node.json({"invoke", function, path});
  }
  std::string breaker_of_the_page() const {
    return node.function("shopfront").at("breakers").at(0).at("state");
  }

  void deploy_payment_with_faults() const {
    const Ran ran =
        node.try_deploy("payment", std::string(SUBITO_SHOP_DIR) + "/payment",
                        std::string(kRedis) + "settings: {seed: demo, faults: allow}", {});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }
  void fault(const std::string& step, const std::string& what) const {
    const Ran ran = node.cli({"invoke", "payment", "/faults", "-X", "PUT", "-d",
                              R"({"on": ")" + step + R"(", "fault": ")" + what + R"("})"});
    ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  }

  // Asks with the same key until the answer is final.
  HttpResponse order(const std::string& key, const std::string& customer) const {
    const std::string body =
        R"({"customer": ")" + customer + R"(", "lines": [{"productId": "3", "quantity": 1}]})";
    HttpResponse answer;
    for (int i = 0; i < kTriesMax; ++i) {
      answer =
          node.client().request("POST", "/orders", body,
                                {{"content-type", "application/json"}, {"idempotency-key", key}});
      const bool in_flight = answer.body.find("in-flight") != std::string::npos;
      if (answer.status < 500 && !in_flight) return answer;
      std::this_thread::sleep_for(kPause);
    }
    return answer;
  }

  // Nothing is reserved or held; so many anvils are sold and paid for, by that customer.
  void expect_books(const std::string& customer, std::int64_t sold) const {
    const auto settled = [&] {
      return invoke("stock", "/stocks/3").at("reserved") == 0 &&
             invoke("payment", "/customers/" + customer).at("heldMinor") == 0;
    };
    EXPECT_TRUE(eventually(settled));
    const Json level = invoke("stock", "/stocks/3");
    EXPECT_EQ(level.at("sold"), sold) << level;
    EXPECT_EQ(level.at("amountAvailable"), 999 - sold) << level;
    const Json books = invoke("payment", "/customers/" + customer);
    EXPECT_EQ(books.at("spentMinor"), sold * kAnvilMinor) << books;
  }
};

// Each of the first pages waits as long as a page waits, and is degraded; then stock is not asked.
TEST_F(ShopLiveTest, ASlowStockOpensThePagesBreaker) {
  node.deploy("stock", "echo", "settings: {sleep_ms: '60000'}", {"--no-check"});
  std::vector<std::thread> clients;
  for (int i = 0; i < kFailuresThatOpen; ++i) {
    clients.emplace_back([this] {
      const HttpResponse page = node.client().get("/products");
      EXPECT_EQ(page.status, 200) << page.body;
      EXPECT_THAT(page.body, HasSubstr(R"("degraded":true)"));
    });
  }
  for (std::thread& client : clients) client.join();
  ASSERT_EQ(breaker_of_the_page(), "open");
  EXPECT_THAT(node.events("shopfront"), HasSubstr("CircuitOpened calls to stock: 5 of "));
  EXPECT_THAT(node.events("shopfront"), HasSubstr("it had not answered after "));
  const HttpResponse page = node.client().get("/products");
  EXPECT_THAT(page.body, HasSubstr(R"("amountAvailable":null,"degraded":true)"));
  EXPECT_THAT(node.logs("shopfront"), HasSubstr("the circuit breaker is open"));
}

// A step's work is done, its pod dies, and nobody hears of it. Voiding is done after a decline.
TEST_F(ShopLiveTest, AnAnswerOfPaymentThatIsLostChargesNobodyTwice) {
  deploy_payment_with_faults();
  std::int64_t sold = 0;
  std::uint64_t failed = 0;
  for (const char* step : {"authorise", "capture", "void"}) {
    SCOPED_TRACE(step);
    const bool is_void = std::string(step) == "void";
    fault(step, "lost");
    if (is_void) fault("authorise", "decline");
    const HttpResponse answer = order(std::string("lost-") + step, "ada");
    EXPECT_EQ(answer.status, is_void ? 402 : 201) << answer.body;
    sold += is_void ? 0 : 1;
    const std::uint64_t now = node.function("payment").at("requestsFailed");
    EXPECT_GT(now, failed) << "no answer was lost";
    failed = now;
    expect_books("ada", sold);
  }
}

TEST_F(ShopLiveTest, NobodyForgesItsEventsOrDueWork) {
  for (const char* path : {"/due", "/events"}) {
    HttpClient client = node.client();
    const http::Fields fields{{"ce-id", "1-1"}, {"ce-subject", "a"}, {"ce-type", "x"}};
    const auto post = [&](const std::string& function) {
      return client.request("POST", "/function/" + function + path, "", fields).status;
    };
    EXPECT_EQ(post("stock"), 404) << path << ": it is not for clients";
    EXPECT_EQ(post("checkout"), 404) << path << ": its ingress is its routes";
  }
  EXPECT_EQ(node.pods_started("checkout"), 0U);
}

// Who knows an order's id could give himself the money back, or take everybody's pieces. The
// functions that may ask for it do so through the node, whatever the ingress.
TEST_F(ShopLiveTest, NoClientReachesStockOrPayment) {
  ASSERT_EQ(order("k", "ada").status, 201);
  const auto served = [this] {
    return node.function("stock").at("requestsServed").get<std::uint64_t>() +
           node.function("payment").at("requestsServed").get<std::uint64_t>();
  };
  const std::uint64_t before = served();
  HttpClient client = node.client();
  const http::Fields json{{"content-type", "application/json"}};
  for (const char* path :
       {"/function/payment/authorisations/a/void", "/function/payment/authorisations",
        "/function/stock/reservations", "/function/stock/reservations/a/release",
        "/function/stock/stocks/3/restock", "/function/stock/../stock/stocks/3/restock",
        "/function/%73tock/stocks/3/restock", "/authorisations/a/void", "/stocks/3/restock"}) {
    const HttpResponse answer = client.request("POST", path, R"({"quantity": 1})", json);
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << path << ": " << answer.status;
    if (!client.connected()) client = node.client();
  }
  EXPECT_EQ(client.get("/function/payment/customers/ada").status, 404);
  EXPECT_EQ(client.get("/function/stock/stocks").status, 404);
  EXPECT_EQ(served(), before) << "somebody was asked";
  expect_books("ada", 1);
}

}  // namespace
}  // namespace subito::e2e
