#include "functions/checkout/redis_order_store.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

#include "functions/shop/test_redis.h"

namespace shop {
namespace {

using Outcome = Begun::Outcome;
using Record = OrderStore::Record;
using std::chrono::hours;
using std::chrono::milliseconds;

class RedisOrderStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.start();
  }

  static Order order_of(const Lines& lines) {
    return {random_order_id(), OrderStatus::kNew, lines, {}, ""};
  }
  Outcome begin(const Order& order, milliseconds lease = hours(1)) {
    return store_.begin("k", order, lease).outcome;
  }
  static Order reserved(Order order) {
    order.status = OrderStatus::kReserved;
    order.lines.front().price_minor = 4550;
    order.total_minor = 4550;
    return order;
  }

  const Order order_ = order_of({{"3", 1, {}}});
  TestRedis server_;
  subito::testing::TestContext context_{{.function = "checkout"}};
  RedisOrderStore store_{context_.use_redis("redis", server_.address_of("checkout"))};
};

TEST_F(RedisOrderStoreTest, AKeyBelongsToOneOrderAndToOneWhoWorksOnIt) {
  EXPECT_EQ(begin(order_), Outcome::kStarted);
  EXPECT_EQ(begin(order_of(order_.lines)), Outcome::kInFlight);
  EXPECT_EQ(begin(order_of({{"3", 2, {}}})), Outcome::kMismatch);
}

TEST_F(RedisOrderStoreTest, AnOrderIsGoneOnWithOnceItsLeaseHasEnded) {
  EXPECT_EQ(begin(order_), Outcome::kStarted);
  store_.let_go("k");
  const Begun resumed = store_.begin("k", order_of(order_.lines), milliseconds(0));
  EXPECT_EQ(resumed.outcome, Outcome::kResumed);
  EXPECT_EQ(resumed.order.id, order_.id);
  // A lease of no time has ended as soon as it began.
  EXPECT_EQ(begin(order_), Outcome::kResumed);
  EXPECT_EQ(begin(order_), Outcome::kInFlight);
}

TEST_F(RedisOrderStoreTest, OnlyOneOfTwoGetsAChangeThrough) {
  EXPECT_EQ(begin(order_), Outcome::kStarted);
  const Order changed = reserved(order_);
  EXPECT_TRUE(store_.change("k", changed, OrderStatus::kNew, Record::kLeave, {}));
  Order late = order_;
  late.status = OrderStatus::kCancelled;
  EXPECT_FALSE(store_.change("k", late, OrderStatus::kNew, Record::kForget, {}));
  const auto found = store_.find(order_.id);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->status, OrderStatus::kReserved);
  EXPECT_EQ(found->lines, changed.lines);
  EXPECT_EQ(found->total_minor, 4550);
  EXPECT_EQ(begin(order_), Outcome::kInFlight);
}

TEST_F(RedisOrderStoreTest, AnAnswerIsReplayedAndAForgottenKeyIsFree) {
  EXPECT_EQ(begin(order_), Outcome::kStarted);
  Order refused = order_;
  refused.status = OrderStatus::kCancelled;
  refused.reason = "out-of-stock";
  ASSERT_TRUE(store_.change("k", refused, OrderStatus::kNew, Record::kAnswer, {409, "short"}));
  const Begun replay = store_.begin("k", order_, hours(1));
  EXPECT_EQ(replay.outcome, Outcome::kReplay);
  EXPECT_EQ(replay.answer.status, 409);
  EXPECT_EQ(replay.answer.body, "short");
  EXPECT_EQ(replay.order.id, order_.id);
  EXPECT_EQ(store_.find(order_.id)->reason, "out-of-stock");

  const Order other = order_of({{"1", 1, {}}});
  ASSERT_EQ(store_.begin("l", other, hours(1)).outcome, Outcome::kStarted);
  Order given_up = other;
  given_up.status = OrderStatus::kCancelled;
  ASSERT_TRUE(store_.change("l", given_up, OrderStatus::kNew, Record::kForget, {}));
  EXPECT_EQ(store_.begin("l", order_of({{"2", 1, {}}}), hours(1)).outcome, Outcome::kStarted);
}

TEST_F(RedisOrderStoreTest, AnUnknownOrderIsNotFound) {
  EXPECT_FALSE(store_.find("nobody").has_value());
}

}  // namespace
}  // namespace shop
