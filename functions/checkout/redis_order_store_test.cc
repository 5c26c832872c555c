#include "functions/checkout/redis_order_store.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

#include "functions/checkout/order_events.h"
#include "functions/shop/test_redis.h"

namespace shop {
namespace {

using Record = OrderStore::Record;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

class RedisOrderStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.start();
  }

  static Order order_of(const Lines& lines) {
    Order order;
    order.id = random_order_id();
    order.customer = "ada";
    order.lines = lines;
    order.placed_ms = unix_ms();
    return order;
  }
  Begun begin(const Order& order, milliseconds lease = hours(1), const std::string& key = "k") {
    return store_.begin(key, order, lease);
  }
  // Begun with a lease that has ended, and taken for long.
  Work begun_and_taken(const Order& order, const std::string& key = "k") {
    EXPECT_EQ(begin(order, milliseconds(0), key).outcome, Begun::Outcome::kStarted);
    Taken taken = store_.take(order.id, hours(1));
    EXPECT_EQ(taken.outcome, Taken::Outcome::kTaken);
    return taken.work;
  }
  static Work reserved(Work work) {
    Order next = work.order;
    next.status = OrderStatus::kReserved;
    ++next.version;
    next.lines.front().price_minor = 4550;
    next.total_minor = 4550;
    work.next = {next};
    return work;
  }
  static Work cancelled(Work work, const std::string& reason = "out-of-stock") {
    Order next = work.order;
    next.status = OrderStatus::kCancelled;
    ++next.version;
    next.reason = reason;
    work.next = {next};
    return work;
  }

  // The due time of an order, or 0.
  std::int64_t due(const std::string& id) {
    const auto score = redis_.command({"ZSCORE", redis_.key("due"), id});
    return score.is_nil() ? 0 : std::stoll(std::string(score.text()));
  }
  std::vector<Event> events() {
    std::vector<Event> events;
    const auto entries = redis_.command({"XRANGE", redis_.key("events"), "-", "+"});
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(entries[i][1][0].text(), "type");
      EXPECT_EQ(entries[i][1][2].text(), "data");
      events.push_back(
          {std::string(entries[i][1][1].text()), std::string(entries[i][1][3].text())});
    }
    return events;
  }
  Order folded() {
    std::optional<Order> order;
    for (const Event& event : events()) order = fold(order, event);
    return order.value();
  }

  const Order order_ = order_of({{"3", 1, {}}});
  TestRedis server_;
  subito::testing::TestContext context_{{.function = "checkout"}};
  subito::Redis& redis_ = context_.use_redis("redis", server_.address_of("checkout"));
  RedisOrderStore store_{redis_};
};

TEST_F(RedisOrderStoreTest, AKeyBelongsToOneOrder) {
  const Begun begun = begin(order_);
  EXPECT_EQ(begun.outcome, Begun::Outcome::kStarted);
  EXPECT_EQ(due(order_.id), begun.lease);
  const Begun again = begin(order_of(order_.lines));
  EXPECT_EQ(again.outcome, Begun::Outcome::kKnown);
  EXPECT_EQ(again.order, order_.id);
  EXPECT_EQ(begin(order_of({{"3", 2, {}}})).outcome, Begun::Outcome::kMismatch);
  Order other = order_of(order_.lines);
  other.customer = "bob";
  EXPECT_EQ(begin(other).outcome, Begun::Outcome::kMismatch);
  Order expecting = order_of(order_.lines);
  expecting.expected_minor = 4550;
  EXPECT_EQ(begin(expecting).outcome, Begun::Outcome::kMismatch);
  EXPECT_EQ(store_.find(order_.id), order_);
  EXPECT_EQ(folded(), order_);
  EXPECT_EQ(begin(expecting, hours(1), "l").outcome, Begun::Outcome::kStarted);
  EXPECT_EQ(store_.find(expecting.id), expecting);
}

TEST_F(RedisOrderStoreTest, AnOrderIsWithOneWorkerUntilTheLeaseEnds) {
  EXPECT_EQ(begin(order_).outcome, Begun::Outcome::kStarted);
  EXPECT_EQ(store_.take(order_.id, hours(1)).outcome, Taken::Outcome::kHeld);
  EXPECT_EQ(store_.take("nobody", hours(1)).outcome, Taken::Outcome::kUnknown);

  // A lease of no time has ended as soon as it began.
  const Order other = order_of({{"1", 1, {}}});
  EXPECT_EQ(begin(other, milliseconds(0), "l").outcome, Begun::Outcome::kStarted);
  const Taken taken = store_.take(other.id, hours(1));
  ASSERT_EQ(taken.outcome, Taken::Outcome::kTaken);
  EXPECT_EQ(taken.work.order, other);
  EXPECT_EQ(taken.work.key, "l");
  EXPECT_EQ(taken.work.refusal, std::nullopt);
  EXPECT_GE(taken.work.age, milliseconds(0));
  EXPECT_EQ(due(other.id), taken.work.lease);
  EXPECT_EQ(store_.take(other.id, hours(1)).outcome, Taken::Outcome::kHeld);
}

TEST_F(RedisOrderStoreTest, OnlyWhoHoldsALeaseEndsIt) {
  const Work work = begun_and_taken(order_);
  Work late = work;
  late.lease -= 1;
  store_.let_go(late, milliseconds(0));
  EXPECT_EQ(store_.take(order_.id, hours(1)).outcome, Taken::Outcome::kHeld);
  store_.let_go(work, minutes(30));
  EXPECT_LT(due(order_.id), work.lease);
  EXPECT_GE(due(order_.id), work.lease - 1'800'000);
  EXPECT_EQ(store_.take(order_.id, hours(1)).outcome, Taken::Outcome::kTaken);
}

TEST_F(RedisOrderStoreTest, OnlyOneOfTwoGetsAChangeThrough) {
  const Work work = begun_and_taken(order_);
  const Work changed = reserved(work);
  EXPECT_TRUE(store_.change(changed, Record::kLeave, {}));
  EXPECT_FALSE(store_.change(changed, Record::kLeave, {}));
  EXPECT_FALSE(store_.change(cancelled(work), Record::kForget, {}));
  EXPECT_EQ(store_.find(order_.id), changed.next.back());
  EXPECT_EQ(folded(), changed.next.back());
  EXPECT_EQ(events().size(), 2u);
  EXPECT_EQ(begin(order_).outcome, Begun::Outcome::kKnown);
}

// A draft is due and its key is taken, but nobody hears of it; then of all its steps at once.
TEST_F(RedisOrderStoreTest, ADraftIsToldOfWithItsFirstChange) {
  Order draft = order_;
  draft.version = 0;
  EXPECT_EQ(begin(draft, milliseconds(0)).outcome, Begun::Outcome::kStarted);
  EXPECT_EQ(begin(draft).outcome, Begun::Outcome::kKnown);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(store_.find(draft.id), std::nullopt);
  Taken taken = store_.take(draft.id, hours(1));
  ASSERT_EQ(taken.outcome, Taken::Outcome::kTaken);
  EXPECT_EQ(taken.work.order, draft);

  Work work = reserved(taken.work);
  Order placed = draft;
  placed.version = 1;
  work.next.front().version = 2;
  work.next.insert(work.next.begin(), placed);
  EXPECT_TRUE(store_.change(work, Record::kLeave, {}));
  EXPECT_FALSE(store_.change(work, Record::kLeave, {}));
  EXPECT_EQ(events().size(), 2u);
  EXPECT_EQ(folded(), work.next.back());
  EXPECT_EQ(store_.find(draft.id), work.next.back());
}

TEST_F(RedisOrderStoreTest, WhatIsToBeCancelledGoesNoStepForwards) {
  Work work = begun_and_taken(order_);
  work.refusal = Refusal{402, "payment-declined", "no credit, sorry"};
  EXPECT_TRUE(store_.decide(work));
  EXPECT_FALSE(store_.decide(work));
  EXPECT_FALSE(store_.change(reserved(work), Record::kLeave, {}));
  store_.let_go(work, milliseconds(0));
  const Taken taken = store_.take(order_.id, hours(1));
  EXPECT_EQ(taken.work.refusal, work.refusal);
  EXPECT_TRUE(store_.change(cancelled(taken.work), Record::kAnswer, {402, "no"}));
  EXPECT_EQ(store_.take(order_.id, hours(1)).outcome, Taken::Outcome::kFinal);
  EXPECT_EQ(events().size(), 2u);
}

TEST_F(RedisOrderStoreTest, WhoIsLateDecidesNothing) {
  Work late = begun_and_taken(order_);
  EXPECT_TRUE(store_.change(reserved(late), Record::kLeave, {}));
  late.refusal = Refusal{409, "out-of-stock", ""};
  EXPECT_FALSE(store_.decide(late));
}

TEST_F(RedisOrderStoreTest, AFinalOrderIsAnsweredAndDueNoMore) {
  const Work work = begun_and_taken(order_);
  ASSERT_TRUE(store_.change(cancelled(work), Record::kAnswer, {409, "short"}));
  const Begun replay = begin(order_);
  EXPECT_EQ(replay.outcome, Begun::Outcome::kReplay);
  EXPECT_EQ(replay.answer.status, 409);
  EXPECT_EQ(replay.answer.body, "short");
  EXPECT_EQ(replay.order, order_.id);
  EXPECT_EQ(store_.find(order_.id)->reason, "out-of-stock");
  EXPECT_EQ(due(order_.id), 0);
  store_.let_go(work, milliseconds(0));
  EXPECT_EQ(due(order_.id), 0);
}

TEST_F(RedisOrderStoreTest, AForgottenKeyIsFreeAndAnOldOrderDoesNotTouchIt) {
  const Work work = begun_and_taken(order_);
  ASSERT_TRUE(store_.change(cancelled(work), Record::kForget, {}));
  const Order other = order_of({{"2", 1, {}}});
  EXPECT_EQ(begin(other).outcome, Begun::Outcome::kStarted);

  // The record was lost, and the key was used anew.
  const Work old = begun_and_taken(order_of({{"1", 1, {}}}), "old");
  redis_.command({"DEL", redis_.key("idempotency:old")});
  EXPECT_EQ(begin(other, hours(1), "old").outcome, Begun::Outcome::kStarted);
  EXPECT_TRUE(store_.change(cancelled(old), Record::kAnswer, {409, "short"}));
  EXPECT_EQ(begin(other, hours(1), "old").outcome, Begun::Outcome::kKnown);
}

// A key that were free while its order is open would place a second one, and both could complete.
TEST_F(RedisOrderStoreTest, AKeyIsKeptAsLongAsItsOrderIsOpenAndThenForADay) {
  const auto left = [this] {
    return redis_.command({"TTL", redis_.key("idempotency:k")}).integer();
  };
  constexpr std::int64_t kForEver = -1;
  const Work work = begun_and_taken(order_);
  EXPECT_EQ(left(), kForEver);
  const Work changed = reserved(work);
  ASSERT_TRUE(store_.change(changed, Record::kLeave, {}));
  EXPECT_EQ(left(), kForEver);
  Work taken = work;
  taken.order = changed.next.back();
  ASSERT_TRUE(store_.change(cancelled(taken), Record::kAnswer, {409, "short"}));
  EXPECT_GT(left(), 86'000);
  EXPECT_LE(left(), 86'400);
  EXPECT_EQ(redis_.command({"TTL", redis_.key("order:" + order_.id)}).integer(), kForEver);
}

TEST_F(RedisOrderStoreTest, AnUnknownOrderIsNotFound) {
  EXPECT_FALSE(store_.find("nobody").has_value());
}

}  // namespace
}  // namespace shop
