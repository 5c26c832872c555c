// The shop under fire, on a live node: 64 buyers, a pod killed each second, Redis killed -9 twice.
// At the end stock, money and orders add up, and none is between two states.
#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

constexpr int kBuyers = 64;
constexpr int kOrdersDefault = 3'000;
constexpr int kTriesMax = 400;  // of one order, with kPause between them
constexpr milliseconds kPause{50};
constexpr seconds kSettled{10};  // after the last answer nothing is between two states
// Plenty of widgets; anvils run out on the way.
constexpr const char* kPlenty = "1";
constexpr const char* kScarce = "3";

int orders_wanted() {
  const char* asked = std::getenv("SUBITO_SHOP_ORDERS");
  return asked == nullptr ? kOrdersDefault : std::max(kBuyers, std::atoi(asked));
}

// What buyers were told, once it was final.
struct Books {
  std::map<int, int> statuses;
  std::map<std::string, std::int64_t> sold;  // pieces, by product
  std::int64_t total_minor = 0;
  std::vector<std::string> orders;  // ids of those that were placed
  int tries = 0;
  std::string first_odd;
};

class ShopFireTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    if (IsSkipped()) return;
    const Ran ran = node.cli({"deploy", "-f", SUBITO_SHOP_DIR}, seconds(120));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    ASSERT_EQ(node.client().post("/seed", "").status, 200);
    restock(kPlenty, 1'000'000);
  }

  void restock(const std::string& product, int pieces) {
    const Ran ran = node.cli({"invoke", "stock", "/stocks/" + product + "/restock", "-X", "POST",
                              "-d", "{\"quantity\": " + std::to_string(pieces) + "}"});
    ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  }

  // Asks with the same key until the answer is final; 0: it never was.
  int order(HttpClient& client, const std::string& key, const std::string& body,
            HttpResponse& answer) {
    for (int i = 0; i < kTriesMax; ++i) {
      answer = client.request("POST", "/orders", body,
                              {{"content-type", "application/json"}, {"idempotency-key", key}});
      if (!client.connected() || !answer.whole()) client = node.client(seconds(60));
      const bool in_flight =
          answer.status == 409 && answer.body.find("in-flight") != std::string::npos;
      const bool final =
          answer.whole() && (answer.status == 201 || answer.status == 402 || answer.status == 422 ||
                             (answer.status == 409 && !in_flight));
      {
        const std::lock_guard lock(mutex_);
        ++books_.tries;
      }
      if (final) return answer.status;
      std::this_thread::sleep_for(kPause);
    }
    return 0;
  }

  void buy(int number, int count) {
    HttpClient client = node.client(seconds(60));
    std::minstd_rand random(static_cast<unsigned>(number) + 1);
    for (int i = 0; i < count; ++i) {
      const std::string product = random() % 3 == 0 ? kScarce : kPlenty;
      const int quantity = 1 + static_cast<int>(random() % 3);
      const std::string body = "{\"lines\": [{\"productId\": \"" + product +
                               "\", \"quantity\": " + std::to_string(quantity) + "}]}";
      HttpResponse answer;
      const int status =
          order(client, "fire-" + std::to_string(number) + "-" + std::to_string(i), body, answer);
      const std::lock_guard lock(mutex_);
      ++books_.statuses[status];
      if (status == 201) {
        const Json placed = Json::parse(answer.body);
        books_.sold[product] += quantity;
        books_.total_minor += placed.at("totalMinor").get<std::int64_t>();
        books_.orders.push_back(placed.at("id"));
      } else if (status != 409 && books_.first_odd.empty()) {
        books_.first_odd = std::to_string(answer.status) + " " + answer.error + " " + answer.body;
      }
      ++ended_;
    }
  }

  // A pod each second, and Redis after a third and two thirds of the orders.
  void burn(int orders) {
    std::minstd_rand random(7);
    int redis_kills = 0;
    auto next_pod = SteadyClock::now() + seconds(1);
    while (ended_ < orders) {
      std::this_thread::sleep_for(milliseconds(20));
      if (redis_kills < 2 && ended_ > (redis_kills + 1) * orders / 3) {
        const pid_t pid = node.redis();
        ASSERT_GT(pid, 0);
        ::kill(pid, SIGKILL);
        ++redis_kills;
      }
      if (SteadyClock::now() < next_pod) continue;
      next_pod += seconds(1);
      const std::vector<pid_t> pods = node.pods();
      if (pods.empty()) continue;
      ::kill(pods[random() % pods.size()], SIGKILL);
      ++pods_killed_;
    }
    EXPECT_EQ(redis_kills, 2);
  }

  // As an operator; null when it does not answer.
  Json get(const std::string& function, const std::string& path) {
    const Ran ran = node.cli({"invoke", function, path});
    return ran.exit_code == 0 ? Json::parse(ran.out) : Json();
  }
  Json levels() { return get("stock", "/stocks"); }
  Json guest() { return get("payment", "/customers/guest"); }

  // Nothing reserved, nothing held.
  bool settled() {
    const Json pieces = levels();
    const Json credit = guest();
    if (!pieces.is_array() || !credit.is_object()) return false;
    for (const Json& level : pieces) {
      if (level.at("reserved") != 0) return false;
    }
    return credit.at("heldMinor") == 0;
  }

  std::atomic<int> ended_ = 0;
  int pods_killed_ = 0;
  std::mutex mutex_;
  Books books_;
};

TEST_F(ShopFireTest, StockMoneyAndOrdersAddUpWhoeverIsKilled) {
  const int each = (orders_wanted() + kBuyers - 1) / kBuyers;
  const int orders = each * kBuyers;
  std::vector<std::thread> buyers;
  for (int i = 0; i < kBuyers; ++i) buyers.emplace_back([this, i, each] { buy(i, each); });
  burn(orders);
  for (std::thread& buyer : buyers) buyer.join();
  EXPECT_TRUE(eventually([this] { return settled(); }, kSettled)) << levels() << guest();

  std::printf("%d orders in %d tries, %d pods killed; answers", orders, books_.tries, pods_killed_);
  for (const auto& [status, count] : books_.statuses) std::printf(" %d: %d", status, count);
  std::printf("\n");
  EXPECT_EQ(books_.first_odd, "");
  EXPECT_EQ(books_.statuses[201] + books_.statuses[409], orders);
  EXPECT_GT(books_.statuses[409], 0) << "anvils never ran out";

  for (const Json& level : levels()) {
    const auto number = [&](const char* name) { return level.at(name).get<std::int64_t>(); };
    EXPECT_EQ(number("received"), number("amountAvailable") + number("sold")) << level;
    EXPECT_GE(number("amountAvailable"), 0) << level;
    EXPECT_EQ(number("sold"), books_.sold[level.at("productId")]) << level;
  }
  const Json credit = guest();
  EXPECT_EQ(credit.at("spentMinor"), books_.total_minor) << credit;
  HttpClient client = node.client();
  for (const std::string& id : books_.orders) {
    const HttpResponse answer = client.get("/orders/" + id);
    ASSERT_EQ(answer.status, 200) << id << answer.body;
    ASSERT_EQ(Json::parse(answer.body).at("status"), "COMPLETED") << answer.body;
  }
  EXPECT_EQ(node.stop(), 0);
}

}  // namespace
}  // namespace subito::e2e
