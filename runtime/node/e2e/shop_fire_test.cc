// The shop under fire, on a live node: 64 buyers, a pod killed each second, Redis killed -9 twice.
// At the end stock, money and orders add up, none is between two states, the history made of the
// events is what the orders are, every key gives its answer again, and no change of a product that
// two wanted at once was lost. SUBITO_SHOP_ORDERS says how many orders.
#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <set>
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
constexpr const char* kEdited = "2";  // nobody buys it
constexpr int kEditors = 2;
constexpr int kAsyncOneIn = 8;  // orders that are first asked for with respond-async

int orders_wanted() {
  const char* asked = std::getenv("SUBITO_SHOP_ORDERS");
  return asked == nullptr ? kOrdersDefault : std::max(kBuyers, std::atoi(asked));
}

struct Answered {
  std::string key;
  std::string body;
  int status = 0;
  std::string answer;
};

// What buyers were told, once it was final.
struct Books {
  std::map<int, int> statuses;
  std::map<std::string, std::int64_t> sold;  // pieces, by product
  std::int64_t total_minor = 0;
  std::set<std::string> orders;  // ids of those that were placed
  std::vector<Answered> answered;
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
  int order(HttpClient& client, const std::string& key, const std::string& body, bool respond_async,
            HttpResponse& answer) {
    for (int i = 0; i < kTriesMax; ++i) {
      std::vector<std::pair<std::string, std::string>> fields{{"content-type", "application/json"},
                                                              {"idempotency-key", key}};
      if (respond_async && i == 0) fields.emplace_back("prefer", "respond-async");
      answer = client.request("POST", "/orders", body, fields);
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
      const std::string key = "fire-" + std::to_string(number) + "-" + std::to_string(i);
      const int status = order(client, key, body, i % kAsyncOneIn == 0, answer);
      const std::lock_guard lock(mutex_);
      ++books_.statuses[status];
      books_.answered.push_back({key, body, status, answer.body});
      if (status == 201) {
        const Json placed = Json::parse(answer.body);
        books_.sold[product] += quantity;
        books_.total_minor += placed.at("totalMinor").get<std::int64_t>();
        books_.orders.insert(placed.at("id").get<std::string>());
      } else if (status != 409 && books_.first_odd.empty()) {
        books_.first_odd = std::to_string(answer.status) + " " + answer.error + " " + answer.body;
      }
      ++ended_;
    }
  }

  // Changes the version that it has read, again and again.
  void edit(int orders) {
    while (ended_ < orders) {
      const Json read = get("catalogue", std::string("/products/") + kEdited);
      if (!read.is_object()) continue;
      const auto version = read.at("version").get<std::int64_t>();
      const Ran ran =
          node.cli({"invoke", "catalogue", std::string("/products/") + kEdited, "-X", "PUT", "-H",
                    "If-Match: \"" + std::to_string(version) + "\"", "-d", read.dump()});
      if (ran.exit_code != 0) continue;  // another was quicker, or its answer is lost
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(versions_.insert(Json::parse(ran.out).at("version").get<std::int64_t>()).second)
          << "two have changed version " << version;
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

  // All orders of the history, newest first; none while a page does not come.
  std::vector<Json> history(HttpClient& client) {
    std::vector<Json> orders;
    std::string cursor;
    while (true) {
      const HttpResponse answer = client.get("/customers/guest/orders?limit=100" +
                                             (cursor.empty() ? "" : "&cursor=" + cursor));
      if (answer.status != 200) return {};
      const Json page = Json::parse(answer.body);
      for (const Json& order : page.at("orders")) orders.push_back(order);
      if (page.at("next").is_null()) return orders;
      cursor = page.at("next");
    }
  }

  static bool all_ended(const std::vector<Json>& orders) {
    return std::all_of(orders.begin(), orders.end(), [](const Json& order) {
      return order.at("status") == "COMPLETED" || order.at("status") == "CANCELLED";
    });
  }

  void expect_history_is_what_the_orders_are(HttpClient& client, const std::vector<Json>& orders) {
    std::set<std::string> completed;
    for (const Json& order : orders) {
      const std::string id = order.at("id");
      const HttpResponse answer = client.get("/orders/" + id);
      ASSERT_EQ(answer.status, 200) << id << answer.body;
      ASSERT_EQ(Json::parse(answer.body), order);
      if (order.at("status") == "COMPLETED") completed.insert(id);
    }
    EXPECT_EQ(completed, books_.orders) << "whom nobody told of, or who was told of nothing";
  }

  void expect_each_key_gives_its_answer_again(HttpClient& client) {
    for (const Answered& one : books_.answered) {
      const HttpResponse again =
          client.request("POST", "/orders", one.body,
                         {{"content-type", "application/json"}, {"idempotency-key", one.key}});
      ASSERT_EQ(again.status, one.status) << one.key << again.body;
      ASSERT_EQ(again.body, one.answer) << one.key;
    }
  }

  std::atomic<int> ended_ = 0;
  std::set<std::int64_t> versions_;  // each the work of one editor
  int pods_killed_ = 0;
  std::mutex mutex_;
  Books books_;
};

TEST_F(ShopFireTest, StockMoneyAndOrdersAddUpWhoeverIsKilled) {
  const int each = (orders_wanted() + kBuyers - 1) / kBuyers;
  const int orders = each * kBuyers;
  std::vector<std::thread> buyers;
  for (int i = 0; i < kBuyers; ++i) buyers.emplace_back([this, i, each] { buy(i, each); });
  for (int i = 0; i < kEditors; ++i) buyers.emplace_back([this, orders] { edit(orders); });
  burn(orders);
  for (std::thread& buyer : buyers) buyer.join();
  HttpClient client = node.client(seconds(60));
  std::vector<Json> told;
  EXPECT_TRUE(eventually(
      [&] {
        told = history(client);
        return !told.empty() && all_ended(told) && settled();
      },
      kSettled))
      << levels() << guest();

  std::printf("%d orders in %d tries, %d pods killed, %zu changes of a product; answers", orders,
              books_.tries, pods_killed_, versions_.size());
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
  expect_history_is_what_the_orders_are(client, told);
  expect_each_key_gives_its_answer_again(client);
  EXPECT_GT(versions_.size(), 0U);
  EXPECT_EQ(node.stop(), 0);
}

}  // namespace
}  // namespace subito::e2e
