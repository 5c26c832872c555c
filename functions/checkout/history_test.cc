#include "functions/checkout/history.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

#include "functions/checkout/history_scripts.h"
#include "functions/shop/test_redis.h"

namespace shop {
namespace {

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.start();
  }

  static Order order_of(const std::string& customer, std::int64_t placed_ms, char id = 'a') {
    Order order;
    order.id = std::string(32, id);
    order.customer = customer;
    order.lines = {{"1", 2, {}}};
    order.placed_ms = placed_ms;
    return order;
  }
  static Order next(Order order, OrderStatus status) {
    order.status = status;
    ++order.version;
    return order;
  }
  // Writes it to the stream, as a change of an order does, and answers its id.
  std::string append(const Event& event) {
    const auto id =
        redis_.command({"XADD", redis_.key("events"), "*", "type", event.type, "data", event.data});
    return std::string(id.text());
  }
  std::string append(const Order& order) { return append(to_event(order, order.placed_ms)); }
  void take_in(const Order& order) { history_.apply({{append(order), order}}); }

  std::string page(const std::string& customer, const PageAsked& asked = {}) {
    return history_.page(customer, asked);
  }
  static std::string of(const std::vector<Order>& orders, const std::string& next = "null") {
    std::string body = "{\"orders\":[";
    for (const Order& order : orders) {
      body += (body.back() == '[' ? "" : ",") + to_json(order);
    }
    return body + "],\"next\":" + next + "}\n";
  }
  // All keys of the view, with what they hold.
  std::vector<std::string> keys() {
    std::vector<std::string> names;
    const auto found =
        redis_.command({"SCAN", "0", "COUNT", "10000", "MATCH", redis_.key("view:*")})[1];
    for (std::size_t i = 0; i < found.size(); ++i) names.emplace_back(found[i].text());
    return names;
  }
  Rebuilt rebuild() {
    return history_.rebuild([] { return true; });
  }

  TestRedis server_;
  subito::testing::TestContext context_{{.function = "checkout"}};
  subito::Redis& redis_ = context_.use_redis("redis", server_.address_of("checkout"));
  History history_{redis_};
};

TEST_F(HistoryTest, ListsTheOrdersOfACustomerNewestFirst) {
  const Order first = order_of("ada", 1000, 'f');
  const Order second = order_of("ada", 2000, 'a');
  const Order same_time = order_of("ada", 2000, 'b');
  for (const Order& order : {second, first, same_time, order_of("bob", 3000)}) take_in(order);
  EXPECT_EQ(page("ada"), of({same_time, second, first}));
  EXPECT_EQ(page("nobody"), of({}));
}

TEST_F(HistoryTest, AnEventHasItsEffectOnceInWhateverOrder) {
  const Order first = order_of("ada", 1000);
  const Order second = next(first, OrderStatus::kReserved);
  const std::string id = append(first);
  const std::string later = append(second);
  EXPECT_EQ(history_.apply({{later, second}}), 1u);
  EXPECT_EQ(history_.apply({{id, first}}), 0u);
  EXPECT_EQ(history_.apply({{later, second}}), 0u);
  EXPECT_EQ(page("ada"), of({second}));
  EXPECT_EQ(redis_.command({"GET", redis_.key("view:0:last")}).text(), later);
}

TEST_F(HistoryTest, TheLastIdIsTheGreatestNumberNotTheGreatestText) {
  const Order order = order_of("ada", 1000);
  for (const char* id : {"9-9", "10-2", "10-10", "10-9", "2-0"}) history_.apply({{id, order}});
  EXPECT_EQ(redis_.command({"GET", redis_.key("view:0:last")}).text(), "10-10");
  history_.apply({{"11-9", order}, {"11-10", order}, {"9-99", order}});
  EXPECT_EQ(redis_.command({"GET", redis_.key("view:0:last")}).text(), "11-10");
}

TEST_F(HistoryTest, WalkingPagesGivesEachEarlierOrderOnceWhileOthersComeIn) {
  std::vector<Order> newest_first;
  for (std::size_t i = 0; i < 7; ++i) {
    newest_first.insert(newest_first.begin(),
                        order_of("ada", 1000 + static_cast<int>(i) / 2, "abcdef0"[i]));
    take_in(newest_first.front());
  }
  std::vector<std::string> seen;
  PageAsked asked{2, ""};
  for (int i = 0; i < 10; ++i) {
    const Json body = Json::parse(page("ada", asked));
    EXPECT_LE(body.at("orders").size(), 2u);
    for (const Json& order : body.at("orders"))
      seen.push_back(text_of(order, "placedAt") + "-" + text_of(order, "id"));
    if (body.at("next").is_null()) break;
    asked.after = body.at("next").get<std::string>();
    Order fresh = order_of("ada", 5000 + i);
    fresh.id = std::string(31, '0') + static_cast<char>('0' + i);
    take_in(fresh);
  }
  std::vector<std::string> wanted;
  for (const Order& order : newest_first)
    wanted.push_back(utc_text(order.placed_ms) + "-" + order.id);
  EXPECT_EQ(seen, wanted);
}

TEST_F(HistoryTest, EventsOfManyOrdersAreTakenInTogetherTheNewestOfEach) {
  const Order ada = order_of("ada", 1000, 'a');
  const Order reserved = next(ada, OrderStatus::kReserved);
  const Order bob = order_of("bob", 2000, 'b');
  take_in(bob);
  EXPECT_EQ(history_.apply({{"1-1", reserved}, {"1-0", ada}, {"1-2", bob}}), 1u);
  EXPECT_EQ(page("ada"), of({reserved}));
  EXPECT_EQ(page("bob"), of({bob}));
  EXPECT_EQ(history_.apply({}), 0u);
}

TEST_F(HistoryTest, RebuiltFromTheStreamItIsTheSameByteByByte) {
  for (int i = 0; i < 600; ++i) {
    Order order = order_of(i % 3 == 0 ? "ada" : "bob", 1000 + i);
    order.id = random_order_id();
    take_in(order);
    if (i % 2 == 0) take_in(next(order, OrderStatus::kReserved));
  }
  append({"shop.v1.Other", "of a later version"});
  const PageAsked all{100, ""};
  const std::string ada = page("ada", all);
  const std::string bob = page("bob", all);
  std::vector<std::string> gone{"DEL"};
  for (const std::string& key : keys()) gone.push_back(key);
  ASSERT_GT(gone.size(), 5u);
  redis_.command(gone);
  EXPECT_EQ(page("ada", all), of({}));

  const Rebuilt rebuilt = rebuild();
  EXPECT_TRUE(rebuilt.done);
  EXPECT_EQ(rebuilt.events, 901);
  EXPECT_EQ(rebuilt.skipped, 1);
  EXPECT_EQ(page("ada", all), ada);
  EXPECT_EQ(page("bob", all), bob);
}

TEST_F(HistoryTest, ARebuildDropsWhatWasThereAndLeavesNothingBehind) {
  take_in(order_of("ada", 1000));
  rebuild();
  const std::vector<std::string> once = keys();
  // What no event tells is gone.
  redis_.command({"HSET", redis_.key("view:1:orders:eve"), "x", "1 {}"});
  redis_.command({"SADD", redis_.key("view:1:customers"), "eve"});
  EXPECT_EQ(rebuild().generation, 2);
  EXPECT_EQ(keys().size(), once.size());
  EXPECT_EQ(page("ada"), of({order_of("ada", 1000)}));
}

TEST_F(HistoryTest, APageIsOfTheViewInUseAndNeverOfOneThatIsBeingDropped) {
  take_in(order_of("ada", 1000));
  EXPECT_EQ(history_.page_in("0", "ada", {}), of({order_of("ada", 1000)}));
  rebuild();  // between who asked for the generation and who reads of it
  EXPECT_EQ(history_.page_in("0", "ada", {}), std::nullopt) << "not an empty page";
  EXPECT_EQ(page("ada"), of({order_of("ada", 1000)}));
}

TEST_F(HistoryTest, ARebuildThatStopsIsGoneOnWithAndTheOldViewAnswersMeanwhile) {
  const Order order = order_of("ada", 1000);
  for (int i = 0; i < 600; ++i) take_in(order);
  for (const int chunks : {0, 1, 1}) {
    int left = chunks;
    EXPECT_FALSE(history_.rebuild([&left] { return left-- > 0; }).done);
    EXPECT_EQ(page("ada"), of({order}));
  }
  const Rebuilt rebuilt = rebuild();
  EXPECT_TRUE(rebuilt.done);
  EXPECT_EQ(rebuilt.events, 600 - 2 * 100);
  EXPECT_EQ(page("ada"), of({order}));
}

TEST_F(HistoryTest, EventsThatComeInDuringARebuildAreInBothViews) {
  take_in(order_of("ada", 1000, 'a'));
  const Order late = order_of("ada", 2000, 'b');
  int calls = 0;
  const Rebuilt rebuilt = history_.rebuild([&] {
    if (++calls == 2) take_in(late);  // behind the chunk that was read
    return true;
  });
  EXPECT_TRUE(rebuilt.done);
  EXPECT_EQ(page("ada"), of({late, order_of("ada", 1000, 'a')}));
}

TEST_F(HistoryTest, OfTwoRebuildsAtOnceOneSwitchesAndTheOtherOneChangesNothing) {
  const Order order = order_of("ada", 1000);
  take_in(order);
  rebuild();
  const std::size_t once = keys().size();
  int calls = 0;
  Rebuilt inner;
  const Rebuilt outer = history_.rebuild([&] {
    if (++calls == 2) inner = rebuild();  // all is read, and not in use yet
    return true;
  });
  EXPECT_TRUE(inner.done && outer.done);
  EXPECT_EQ(inner.generation, outer.generation) << "they fill the same one";
  EXPECT_EQ(page("ada"), of({order}));
  EXPECT_EQ(keys().size(), once) << "something was left behind";
}

// Who read which generation is in use before it was switched writes nothing into the old one.
TEST_F(HistoryTest, NothingIsWrittenIntoAGenerationThatIsNotInUse) {
  take_in(order_of("ada", 1000));
  EXPECT_EQ(rebuild().generation, 1);
  const std::size_t before = keys().size();
  const auto taken = redis_.eval(
      history_scripts::kApply,
      {redis_.key("view:generation"), redis_.key("view:0:customers"), redis_.key("view:0:last"),
       redis_.key("view:0:list:ada"), redis_.key("view:0:orders:ada")},
      {"0", "9999999999999-0", "ada", "b", "2-b", "1", "{}"});
  EXPECT_EQ(taken.integer(), -1);
  EXPECT_EQ(keys().size(), before);
}

TEST_F(HistoryTest, AViewIsPutToUseOnceAllEventsAreInIt) {
  const std::string first = append(order_of("ada", 1000, 'a'));
  const auto switch_at = [this](const std::string& id) {
    return redis_
        .eval(history_scripts::kSwitch,
              {redis_.key("view:rebuild"), redis_.key("view:generation"),
               redis_.key("view:retired"), redis_.key("events"), redis_.key("view:1:last")},
              {"1", id})
        .integer();
  };
  EXPECT_EQ(switch_at(first), -1) << "none is being filled";
  redis_.command({"SET", redis_.key("view:rebuild"), "1"});
  const std::string second = append(order_of("ada", 2000, 'b'));
  EXPECT_EQ(switch_at(first), 0) << "one came in after the last that was read";
  EXPECT_EQ(switch_at(second), 1);
}

TEST_F(HistoryTest, AnEmptyStreamMakesAnEmptyView) {
  EXPECT_TRUE(rebuild().done);
  EXPECT_EQ(page("ada"), of({}));
}

}  // namespace
}  // namespace shop
