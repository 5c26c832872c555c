// The shop's own binaries, each a process that serves HTTP by itself (--listen), on one Redis: what
// holds in one process must hold with kill -9 between them. Every answer is held against the
// OpenAPI document that the binary serves.
#include <gtest/gtest.h>
#include <subito/testing.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "functions/checkout/events.pb.h"
#include "functions/shop/json.h"
#include "functions/shop/test_http.h"
#include "functions/shop/test_redis.h"
#include "functions/shop/test_triggers.h"

namespace shop {
namespace {

constexpr int kClients = 64;
constexpr std::chrono::seconds kPatience{20};

class ShopProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    std::signal(SIGPIPE, SIG_IGN);  // a Redis that is killed while we write
    redis_.start();
    for (const char* function : {"catalogue", "stock", "payment", "checkout", "shopfront"})
      start(function);
    ASSERT_EQ(http(at("shopfront"), "POST", "/seed").status, 200);
  }

  std::string at(const std::string& function) const {
    return folder_.path() + "/" + function + ".sock";
  }

  // Instead of shop::http(): the answer must be as documented.
  HttpAnswer http(const std::string& socket_path, const std::string& method,
                  const std::string& path, const std::string& extra_headers = {},
                  const std::string& body = {}) {
    const HttpAnswer answer = shop::http(socket_path, method, path, extra_headers, body);
    const auto check = checks_.find(socket_path);
    if (check != checks_.end()) {
      EXPECT_EQ(http_fault(check->second, method, path, extra_headers, body, answer), "")
          << socket_path << " answers what its openapi.json does not say";
    }
    return answer;
  }

  void start(const std::string& function) {
    unlink(at(function).c_str());
    processes_[function] = TestProcess(
        {SUBITO_SHOP_DIR "/" + function, "--listen", "unix:" + at(function)},
        {"REDIS_URL=unix:" + redis_.socket_path(), "SETTING_SEED=demo",
         "CALL_CATALOGUE_URL=unix:" + at("catalogue"), "CALL_STOCK_URL=unix:" + at("stock"),
         "CALL_PAYMENT_URL=unix:" + at("payment")});
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (http(at(function), "GET", "/health/live").status != 200) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << function << " does not start";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const HttpAnswer document = shop::http(at(function), "GET", "/openapi.json");
    if (document.status == 200 && !checks_.contains(at(function))) {
      checks_.try_emplace(at(function), document.body);
    }
  }

  HttpAnswer order(const std::string& key, const std::string& product) {
    return http(at("checkout"), "POST", "/orders", "Idempotency-Key: " + key + "\r\n",
                R"({"lines":[{"productId":")" + product + R"(","quantity":1}]})");
  }

  // An anvil; every other client wants an answer at once, every eighth is bob.
  HttpAnswer order_once(int client, int n) {
    const std::string headers = "Idempotency-Key: " + std::to_string(client) + "-" +
                                std::to_string(n) + "\r\n" +
                                (client % 2 == 0 ? "Prefer: respond-async\r\n" : "");
    const std::string customer = client % 8 == 7 ? "bob" : "guest";
    return http(at("checkout"), "POST", "/orders", headers,
                R"({"customer":")" + customer + R"(","lines":[{"productId":"3","quantity":1}]})");
  }

  Json level(const std::string& product) {
    return Json::parse(http(at("stock"), "GET", "/stocks/" + product).body, nullptr, false);
  }

  void expect_books_right(const std::string& product, std::int64_t sold) {
    const Json books = level(product);
    ASSERT_TRUE(books.is_object());
    EXPECT_EQ(books.at("sold"), sold);
    EXPECT_EQ(books.at("reserved"), 0);
    EXPECT_EQ(books.at("received"), books.at("amountAvailable").get<std::int64_t>() + sold);
  }

  // The node's triggers of checkout, in the hands of one thread.
  TestTriggers triggers(subito::Redis& redis) {
    return TestTriggers(
        "checkout",
        [&redis](const std::vector<std::string>& command) { return redis.command(command); },
        [this](const subito::Request& request) {
          std::string headers;
          for (const auto& [name, value] : request.headers().fields()) {
            headers.append(name).append(": ").append(value).append("\r\n");
          }
          return http(at("checkout"), "POST", request.path(), headers, request.body()).status;
        });
  }

  // All orders that were ever placed, as checkout tells them.
  std::vector<Json> orders(subito::Redis& redis) {
    std::set<std::string> ids;
    const auto entries = redis.command({"XRANGE", "checkout:events", "-", "+"});
    for (std::size_t i = 0; i < entries.size(); ++i) {
      v1::OrderPlaced event;  // all have the order first
      EXPECT_TRUE(event.ParseFromString(std::string(entries[i][1][3].text())));
      ids.insert(event.order().order());
    }
    std::vector<Json> orders;
    for (const std::string& id : ids) {
      orders.push_back(Json::parse(http(at("checkout"), "GET", "/orders/" + id).body));
    }
    return orders;
  }

  // Due work until every order is final; then stock and money are what the orders make them.
  void settle(int completed_min) {
    subito::testing::TestContext context;
    subito::Redis& redis = context.use_redis("redis", "unix:" + redis_.socket_path(), "checkout:");
    TestTriggers last = triggers(redis);
    const auto end = std::chrono::steady_clock::now() + kPatience;
    do {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "an order stays open";
      last.let_time_pass();
    } while (last.deliver_due() > 0);
    std::int64_t completed = 0;
    for (const Json& order : orders(redis)) {
      const std::string status = order.at("status");
      EXPECT_TRUE(status == "COMPLETED" || status == "CANCELLED") << order;
      EXPECT_FALSE(order.at("customer") == "bob" && status == "COMPLETED") << order;
      completed += status == "COMPLETED";
    }
    EXPECT_GE(completed, completed_min);
    EXPECT_GT(completed, 0);
    expect_books_right("3", completed);
    const Json guest = Json::parse(http(at("payment"), "GET", "/customers/guest").body);
    EXPECT_EQ(guest.at("heldMinor"), 0);
    EXPECT_EQ(guest.at("spentMinor"), completed * 4550);
  }

  static void wait_for(const std::atomic<int>& count, int wanted) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (count < wanted && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_GE(count, wanted);
  }

  TestRedis redis_{true};
  TestFolder folder_;
  std::map<std::string, TestProcess> processes_;
  std::map<std::string, OpenApiCheck> checks_;  // by socket; complete before threads ask
};

TEST_F(ShopProcessTest, KeepsTheOriginalFaceOverHttp) {
  const HttpAnswer products = http(at("shopfront"), "GET", "/products");
  ASSERT_EQ(products.status, 200);
  const Json offers = Json::parse(products.body);
  ASSERT_EQ(offers.size(), 5u);
  EXPECT_EQ(offers.at(0).at("id"), "1");
  EXPECT_EQ(offers.at(0).at("sku"), "12345678");
  EXPECT_EQ(offers.at(0).at("amountAvailable"), 5);
  EXPECT_NE(http(at("shopfront"), "GET", "/").body.find("Subito Shop"), std::string::npos);
  const HttpAnswer unknown = http(at("catalogue"), "GET", "/products/99");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.head.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(http(at("catalogue"), "DELETE", "/products").status, 405);
}

TEST_F(ShopProcessTest, NeverOversellsAndReplaysTheSameAnswer) {
  constexpr int kPieces = 20;
  ASSERT_EQ(http(at("stock"), "POST", "/stocks/2/restock", {}, R"({"quantity":18})").status, 200);
  std::atomic<int> sold = 0;
  std::atomic<int> short_of = 0;
  std::atomic<int> other = 0;
  std::vector<std::thread> threads;
  for (int client = 0; client < kClients; ++client) {
    threads.emplace_back([&, client] {
      const std::string key = std::to_string(client);
      const HttpAnswer answer = order(key, "2");
      ++(answer.status == 201 ? sold : answer.status == 409 ? short_of : other);
      EXPECT_EQ(order(key, "2").body, answer.body);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sold, kPieces);
  EXPECT_EQ(short_of, kClients - kPieces);
  EXPECT_EQ(other, 0);
  expect_books_right("2", kPieces);
}

TEST_F(ShopProcessTest, AKilledStockDegradesTheViewAndComesBack) {
  processes_.at("stock").kill();
  const Json offers = Json::parse(http(at("shopfront"), "GET", "/products").body);
  EXPECT_TRUE(offers.at(0).at("amountAvailable").is_null());
  EXPECT_EQ(offers.at(0).at("degraded"), true);
  EXPECT_EQ(order("a", "3").status, 503);
  start("stock");
  // It was decided to cancel that order: so it is, and its key is free for another.
  EXPECT_EQ(order("a", "3").status, 503);
  EXPECT_EQ(order("a", "3").status, 201);
  EXPECT_EQ(Json::parse(http(at("shopfront"), "GET", "/products").body).at(2).at("amountAvailable"),
            998);
  expect_books_right("3", 1);
}

// Clients ask again with their key until they have an answer; stock and Redis are killed meanwhile.
TEST_F(ShopProcessTest, EveryOrderIsPlacedOnceWhoeverIsKilled) {
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int client = 0; client < kClients; ++client) {
    threads.emplace_back([&, client] {
      const auto end = std::chrono::steady_clock::now() + kPatience;
      while (order(std::to_string(client), "3").status != 201) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << "an order is never placed";
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      ++done;
    });
  }
  wait_for(done, kClients / 4);
  processes_.at("stock").kill();
  start("stock");
  wait_for(done, kClients / 2);
  redis_.kill();
  redis_.start();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, kClients);
  expect_books_right("3", kClients);
}

// Clients ask once and never again, the half of them for an answer at once; what the kills leave
// open is for due work alone.
TEST_F(ShopProcessTest, DueWorkEndsEveryOrderWhoeverIsKilledWhenever) {
  constexpr int kOrdersEach = 4;
  constexpr int kOrders = kClients * kOrdersEach;
  std::atomic<int> answered = 0;
  std::atomic<int> told_completed = 0;
  std::atomic<bool> running = true;
  std::thread node([&] {
    subito::testing::TestContext context;
    TestTriggers node_triggers =
        triggers(context.use_redis("redis", "unix:" + redis_.socket_path(), "checkout:"));
    while (running) {
      try {
        node_triggers.deliver_due();
        node_triggers.deliver_events();
      } catch (const subito::RedisError&) {  // killed
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < kOrdersEach; ++i) {
        told_completed += order_once(client, i).status == 201;
        ++answered;
      }
    });
  }
  std::mt19937 random(1126);
  int moment = 0;
  for (const char* victim : {"checkout", "stock", "redis", "payment", "checkout", "redis"}) {
    moment += 10 + static_cast<int>(random() % 30);
    wait_for(answered, std::min(moment, kOrders));
    if (victim == std::string("redis")) {
      redis_.kill();
      redis_.start();
    } else {
      processes_.at(victim).kill();
      start(victim);
    }
  }
  for (std::thread& client : clients) client.join();
  running = false;
  node.join();

  settle(told_completed);
}

TEST_F(ShopProcessTest, RedisAwayIsNotReadyButLiveAndPasses) {
  redis_.kill();
  for (const char* function : {"catalogue", "stock", "payment", "checkout", "shopfront"}) {
    EXPECT_EQ(http(at(function), "GET", "/health/live").status, 200) << function;
    EXPECT_EQ(http(at(function), "GET", "/health/ready").status, 503) << function;
  }
  redis_.start();
  for (const char* function : {"catalogue", "stock", "payment", "checkout", "shopfront"}) {
    EXPECT_EQ(http(at(function), "GET", "/health").status, 200) << function;
  }
}

}  // namespace
}  // namespace shop
