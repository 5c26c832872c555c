// What must hold of orders, with the shop's own stock and payment on a real Redis, under
// concurrency and with pods that die.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "functions/checkout/events.pb.h"
#include "functions/shop/test_shop.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

constexpr int kThreads = 64;
// Enough rounds of due work for whatever the tests leave open.
constexpr int kRoundsMax = 50;

// Runs `ask(n)` for n below `count`, all at the same time, and counts what they answer.
template <typename Ask>
std::map<int, int> together(int count, Ask ask) {
  std::vector<int> statuses(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int n = 0; n < count; ++n) {
    threads.emplace_back([&, n] { statuses[static_cast<std::size_t>(n)] = ask(n); });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<int, int> counts;
  for (const int status : statuses) ++counts[status];
  return counts;
}

std::string lines(const std::string& product, int quantity) {
  return R"([{"productId":")" + product + R"(","quantity":)" + std::to_string(quantity) + "}]";
}

class OrdersTest : public testing::Test {
 protected:
  // An entry of the stream of checkout: its type and the order it tells of.
  struct Told {
    std::string type;
    v1::OrderSnapshot order;
  };

  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    shop_ = std::make_unique<TestShop>();
    ASSERT_EQ(shop_->post("shopfront", "/seed").status(), 200);
  }

  std::int64_t level(const std::string& product, const char* what) {
    return shop_->get_json("stock", "/stocks/" + product).at(what);
  }
  std::int64_t credit(const std::string& customer, const char* what) {
    return shop_->get_json("payment", "/customers/" + customer).at(what);
  }
  Json order(const std::string& id) { return shop_->get_json("checkout", "/orders/" + id); }

  // Due work, as the node does it, until no order is open.
  void settle() {
    TestTriggers triggers = shop_->triggers("checkout");
    for (int i = 0; i < kRoundsMax; ++i) {
      triggers.let_time_pass();
      if (triggers.deliver_due() == 0) return;
    }
    ADD_FAILURE() << "an order stays open";
  }

  std::vector<Told> told() {
    std::vector<Told> told;
    const auto entries = shop_->function("checkout").redis({"XRANGE", "checkout:events", "-", "+"});
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Told one{std::string(entries[i][1][1].text()), {}};
      // All have the order first.
      v1::OrderPlaced event;
      EXPECT_TRUE(event.ParseFromString(std::string(entries[i][1][3].text())));
      one.order = event.order();
      told.push_back(std::move(one));
    }
    return told;
  }

  // The outbox: each order's events have the versions 1, 2, 3 without a gap, the last one's is the
  // order's own, and it says what the order says. Stock and money are what the orders make them.
  void expect_all_adds_up() {
    std::map<std::string, std::vector<Told>> by_order;
    for (Told& one : told()) by_order[one.order.order()].push_back(std::move(one));
    std::map<std::string, std::int64_t> sold;
    std::map<std::string, std::int64_t> spent;
    for (const auto& [id, events] : by_order) {
      for (std::size_t i = 0; i < events.size(); ++i) {
        ASSERT_EQ(events[i].order.version(), static_cast<std::int64_t>(i) + 1) << id;
      }
      const Json now = order(id);
      const Told& last = events.back();
      ASSERT_EQ(now.at("version"), last.order.version()) << id;
      const std::string status = now.at("status");
      ASSERT_TRUE(status == "COMPLETED" || status == "CANCELLED") << id << ": " << status;
      EXPECT_EQ(last.type,
                status == "COMPLETED" ? "shop.v1.OrderCompleted" : "shop.v1.OrderCancelled");
      if (status != "COMPLETED") continue;
      EXPECT_EQ(events.size(), 4u);
      EXPECT_EQ(now.at("totalMinor"), last.order.total_minor());
      spent[last.order.customer()] += last.order.total_minor();
      for (const auto& line : last.order.lines()) sold[line.product_id()] += line.quantity();
    }
    for (const Json& books : shop_->get_json("stock", "/stocks")) {
      EXPECT_EQ(books.at("sold"), sold[books.at("productId")]) << books;
      EXPECT_EQ(books.at("reserved"), 0) << books;
      EXPECT_EQ(books.at("received"), books.at("amountAvailable").get<std::int64_t>() +
                                          books.at("sold").get<std::int64_t>());
    }
    for (const char* customer : {"guest", "ada", "bob"}) {
      EXPECT_EQ(credit(customer, "spentMinor"), spent[customer]) << customer;
      EXPECT_EQ(credit(customer, "heldMinor"), 0) << customer;
      EXPECT_EQ(credit(customer, "limitMinor"),
                credit(customer, "availableMinor") + spent[customer])
          << customer;
    }
  }

  // From now on every call of checkout's may kill the pod that makes it, before or after it is
  // done (what the runtime throws at its end reaches no code of ours). The same seed, the same
  // deaths on one thread.
  void let_pods_die(unsigned seed) {
    auto random = std::make_shared<std::mt19937>(seed);
    auto mutex = std::make_shared<std::mutex>();
    for (auto& [callee, call] : shop_->function("checkout").calls) {
      alive_[callee] = call;
      call = [random, mutex, alive = call](const Request& request) {
        unsigned chance = 0;
        {
          const std::lock_guard lock(*mutex);
          chance = (*random)() % 10;
        }
        if (chance == 0) throw subito::Cancelled("killed before");
        Response answer = alive(request);
        if (chance == 1) throw subito::Cancelled("killed after");
        return answer;
      };
    }
  }
  void let_pods_live() {
    for (const auto& [callee, call] : alive_) shop_->function("checkout").calls[callee] = call;
  }

  std::unique_ptr<TestShop> shop_;
  std::map<std::string, TestFunction::Callee> alive_;
};

TEST_F(OrdersTest, TheSameKeyAndBodyAHundredTimesInParallelIsOneOrder) {
  constexpr int kTimes = 100;
  std::vector<std::string> bodies(kTimes);
  const auto statuses = together(kTimes, [&](int n) {
    Response answer = shop_->order("one", lines("3", 1));
    while (answer.status() == 409) answer = shop_->order("one", lines("3", 1));
    bodies[static_cast<std::size_t>(n)] = answer.body();
    return answer.status();
  });
  EXPECT_EQ(statuses, (std::map<int, int>{{201, kTimes}}));
  for (const std::string& body : bodies) EXPECT_EQ(body, bodies.front());
  EXPECT_EQ(level("3", "sold"), 1);
  EXPECT_EQ(credit("guest", "spentMinor"), 4550);
  EXPECT_EQ(told().size(), 4u);
  expect_all_adds_up();
}

TEST_F(OrdersTest, AKeyMustBeThereAndIsForOneBodyAndOneAtATime) {
  EXPECT_EQ(shop_->post("checkout", "/orders", "{\"lines\":" + lines("3", 1) + "}").status(), 400);
  auto& reserve = shop_->function("checkout").calls.at("stock");
  reserve = [this, alive = reserve](const Request& request) {
    if (request.path() == "/reservations") {
      const Response second = shop_->order("k", lines("3", 1));
      EXPECT_EQ(second.status(), 409);
      EXPECT_EQ(read_answer(second).at("type"), "order-in-flight");
      EXPECT_EQ(second.headers().get("retry-after"), "1");
    }
    return alive(request);
  };
  EXPECT_EQ(shop_->order("k", lines("3", 1)).status(), 201);
  EXPECT_EQ(shop_->order("k", lines("3", 2)).status(), 422);
  EXPECT_EQ(shop_->order("k", lines("3", 1), "ada").status(), 422);
  EXPECT_EQ(shop_->order("k", lines("3", 1)).status(), 201);
  expect_all_adds_up();
}

TEST_F(OrdersTest, MoreBuyersThanPiecesBuyExactlyThePieces) {
  constexpr int kPieces = 20;
  ASSERT_EQ(shop_->post("stock", "/stocks/2/restock", R"({"quantity":18})").status(), 200);
  const auto statuses = together(
      kThreads, [&](int n) { return shop_->order(std::to_string(n), lines("2", 1)).status(); });
  EXPECT_EQ(statuses, (std::map<int, int>{{201, kPieces}, {409, kThreads - kPieces}}));
  EXPECT_EQ(level("2", "sold"), kPieces);
  expect_all_adds_up();
}

TEST_F(OrdersTest, ADeclinedPaymentGivesThePiecesBack) {
  const Response answer = shop_->order("k", lines("3", 1), "bob");
  EXPECT_EQ(answer.status(), 402);
  EXPECT_EQ(read_answer(answer).at("type"), "payment-declined");
  EXPECT_EQ(shop_->order("k", lines("3", 1), "bob").body(), answer.body());
  EXPECT_EQ(shop_->order("l", lines("3", 1), "eve").status(), 422);
  EXPECT_EQ(level("3", "amountAvailable"), 999);
  expect_all_adds_up();
}

TEST_F(OrdersTest, MoreSpendersThanCreditSpendNoMoreThanIt) {
  // Ada has 500.00: ten anvils.
  const auto statuses = together(kThreads, [&](int n) {
    return shop_->order(std::to_string(n), lines("3", 1), "ada").status();
  });
  EXPECT_EQ(statuses, (std::map<int, int>{{201, 10}, {402, kThreads - 10}}));
  expect_all_adds_up();
}

TEST_F(OrdersTest, AnOrderIsTakenInAtOnceAndCarriedOnByDueWork) {
  const Response accepted = shop_->order("k", lines("3", 1), "ada", {{"Prefer", "respond-async"}});
  EXPECT_EQ(accepted.status(), 202);
  EXPECT_EQ(accepted.headers().get("preference-applied"), "respond-async");
  const Json placed = read_answer(accepted);
  EXPECT_EQ(placed.at("status"), "NEW");
  EXPECT_EQ(accepted.headers().get("location"), "/orders/" + placed.at("id").get<std::string>());
  EXPECT_EQ(level("3", "sold"), 0);
  EXPECT_EQ(shop_->triggers("checkout").deliver_due(), 0u);
  EXPECT_EQ(order(placed.at("id")).at("status"), "COMPLETED");
  EXPECT_EQ(shop_->order("k", lines("3", 1), "ada").status(), 201);
  expect_all_adds_up();
}

TEST_F(OrdersTest, WhoeverDiesWheneverDueWorkEndsEveryOrder) {
  let_pods_die(20251126);
  for (int i = 0; i < 200; ++i) {
    const std::string customer = i % 10 == 0 ? "bob" : i % 3 == 0 ? "ada" : "guest";
    subito::Headers headers;
    if (i % 4 == 0) headers.add("Prefer", "respond-async");
    shop_->order(std::to_string(i), lines(i % 7 == 0 ? "2" : "3", 1), customer, headers);
  }
  settle();
  let_pods_live();
  expect_all_adds_up();
}

TEST_F(OrdersTest, ManyWhoAskAndDieAtOnceOrderOnceEach) {
  let_pods_die(7);
  std::atomic<bool> asking = true;
  std::thread node([&] {
    TestTriggers triggers = shop_->triggers("checkout");
    while (asking) {
      triggers.let_time_pass();  // leases end while others work: both go on
      triggers.deliver_due();
    }
  });
  const auto statuses = together(kThreads, [&](int n) {
    for (;;) {
      const int status = shop_->order(std::to_string(n), lines("3", 1)).status();
      if (status == 201) return status;
    }
  });
  asking = false;
  node.join();
  EXPECT_EQ(statuses, (std::map<int, int>{{201, kThreads}}));
  settle();
  let_pods_live();
  EXPECT_EQ(level("3", "sold"), kThreads);
  expect_all_adds_up();
}

TEST_F(OrdersTest, TheHistoryIsMadeOfEventsAndRebuiltByteByByte) {
  for (int i = 0; i < 30; ++i) {
    shop_->order(std::to_string(i), lines(i % 5 == 0 ? "4" : "3", 1), i % 3 == 0 ? "ada" : "bob");
  }
  TestTriggers triggers = shop_->triggers("checkout");
  EXPECT_TRUE(triggers.deliver_events(2));  // at least once
  const std::string path = "/customers/ada/orders?limit=4";
  const Json first = shop_->get_json("checkout", path);
  EXPECT_EQ(first.at("orders").size(), 4u);
  const std::string second = path + "&cursor=" + first.at("next").get<std::string>();
  std::vector<std::string> before;
  for (const std::string& page : {path, second, std::string("/customers/bob/orders")}) {
    before.push_back(shop_->get("checkout", page).body());
  }
  const Json newest = first.at("orders").at(0);
  EXPECT_EQ(newest, order(newest.at("id")));

  EXPECT_EQ(shop_->post("checkout", "/history/rebuild").status(), 404);
  shop_->function("checkout").settings["maintenance"] = "allow";
  const Json rebuilt = read_answer(shop_->post("checkout", "/history/rebuild"));
  EXPECT_EQ(rebuilt.at("done"), true);
  EXPECT_EQ(rebuilt.at("skipped"), 0);
  std::vector<std::string> after;
  for (const std::string& page : {path, second, std::string("/customers/bob/orders")}) {
    after.push_back(shop_->get("checkout", page).body());
  }
  EXPECT_EQ(after, before);
}

TEST_F(OrdersTest, WhatIsDeletedIsOfferedAndSoldNoMoreAndNoSeedBringsItBack) {
  const auto news = [this] {  // what the catalogue says, delivered to stock
    const auto events =
        shop_->function("catalogue").redis({"XRANGE", "catalogue:events", "-", "+"});
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto fields = events[i][1];
      shop_->ask("stock", Request("POST", "/events", {{"ce-type", std::string(fields[1].text())}},
                                  std::string(fields[3].text())));
    }
  };
  ASSERT_EQ(shop_->ask("catalogue", Request("DELETE", "/products/2", {{"If-Match", "*"}})).status(),
            204);
  news();
  const Json added = read_answer(shop_->post("shopfront", "/seed"));
  EXPECT_EQ(added.at("catalogue").at("added"), 0);
  EXPECT_EQ(added.at("stock").at("added"), 0);
  news();
  EXPECT_EQ(shop_->get_json("shopfront", "/products?ids=2").size(), 0U);
  const Response refused = shop_->order("k", lines("2", 1));
  EXPECT_EQ(text_of(read_answer(refused), "type"), "unknown-product");
}

TEST_F(OrdersTest, AReaderWritesNothing) {
  const Response placed = shop_->order("k", lines("3", 1), "ada");
  shop_->triggers("checkout").deliver_events();
  const auto writes = [this] {  // what Redis has ever written, in bytes
    std::uintmax_t bytes = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(shop_->redis().folder() + "/appendonlydir")) {
      bytes += file.file_size();
    }
    return bytes;
  };
  const std::uintmax_t before = writes();
  shop_->get("checkout", "/customers/ada/orders");
  shop_->get("checkout", "/customers/nobody/orders?limit=1");
  order(read_answer(placed).at("id"));
  EXPECT_EQ(writes(), before);
}

}  // namespace
}  // namespace shop
