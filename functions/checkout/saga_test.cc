#include "functions/checkout/saga.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

#include "functions/checkout/test_checkout.h"

namespace shop {
namespace {

using subito::Response;

class SagaTest : public testing::Test {
 protected:
  static Wish wish(const std::string& key = "k", std::int64_t quantity = 2,
                   const std::string& customer = "guest") {
    return {key, customer, {{"3", quantity, {}}}, 1'764'146'351'000, false};
  }
  static Wish async_wish() {
    Wish wish = SagaTest::wish();
    wish.respond_async = true;
    return wish;
  }
  static Wish expecting(std::int64_t total_minor) {
    Wish wish = SagaTest::wish();
    wish.expected_minor = total_minor;
    return wish;
  }
  Response place(const Wish& wish) { return shop_.place(wish); }
  Response place() { return shop_.place(wish()); }

  void expect_settled() { EXPECT_EQ(shop_.faults(), std::vector<std::string>{}); }
  const Order& only_order() {
    EXPECT_EQ(shop_.store.orders.size(), 1u);
    return shop_.only().order;
  }
  // The steps that were told, in a word each.
  std::vector<std::string> told() {
    std::vector<std::string> types;
    for (const Event& event : shop_.only().events) {
      types.push_back(event.type.substr(std::string("shop.v1.Order").size()));
    }
    return types;
  }
  std::string type_of(const Response& answer) { return text_of(read_answer(answer), "type"); }
  // The paths that were asked since the last time, "stock /reservations" and so on, without ids.
  std::vector<std::string> asked() {
    std::vector<std::string> paths;
    const auto& calls = shop_.context.calls();
    for (; seen_ < calls.size(); ++seen_) {
      const std::string& target = calls[seen_].target;
      const std::size_t last = target.rfind('/');
      paths.push_back(calls[seen_].function + " " + target.substr(last, target.find('?') - last));
    }
    return paths;
  }

  TestCheckout shop_;
  std::size_t seen_ = 0;
};

TEST_F(SagaTest, CompletesAnOrderAndReplaysItsAnswer) {
  const Response first = place();
  EXPECT_EQ(first.status(), 201);
  EXPECT_NE(first.body().find("\"total\":91,\"totalMinor\":9100,\"currency\":\"GBP\""),
            std::string::npos)
      << first.body();
  EXPECT_EQ(first.headers().get("location"), "/orders/" + only_order().id);
  EXPECT_EQ(asked(), (std::vector<std::string>{"catalogue /products", "stock /reservations",
                                               "payment /authorisations", "stock /commit",
                                               "payment /capture"}));
  const Response second = place();
  EXPECT_EQ(second.status(), 201);
  EXPECT_EQ(second.body(), first.body());
  EXPECT_EQ(second.headers().get("location"), first.headers().get("location"));
  EXPECT_EQ(second.headers().get("idempotency-replayed"), "true");
  EXPECT_EQ(asked(), std::vector<std::string>{"catalogue /products"}) << "beside the look at it";
  expect_settled();
}

TEST_F(SagaTest, RefusesTheSameKeyForAnotherOrder) {
  EXPECT_EQ(place(wish("k", 2)).status(), 201);
  EXPECT_EQ(place(wish("k", 1)).status(), 422);
  EXPECT_EQ(place(wish("k", 2, "bob")).status(), 422);
  expect_settled();
}

TEST_F(SagaTest, RefusesASecondRequestWhileTheFirstIsInFlight) {
  shop_.plan.set(3, Fault::kStallBefore);  // prices, begin, reserve
  shop_.plan.stall = [this] { EXPECT_EQ(type_of(place()), "order-in-flight"); };
  EXPECT_EQ(place().status(), 201);
  expect_settled();
}

TEST_F(SagaTest, WhatIsShortIsRefusedAndStaysRefused) {
  const Response answer = place(wish("k", 6));
  EXPECT_EQ(answer.status(), 409);
  EXPECT_EQ(type_of(answer), "out-of-stock");
  EXPECT_NE(answer.body().find("product 5: 2 wanted"), std::string::npos) << "stock's own words";
  EXPECT_EQ(asked(), (std::vector<std::string>{"catalogue /products", "stock /reservations",
                                               "payment /void", "stock /release"}));
  shop_.providers.receive(2);
  EXPECT_EQ(place(wish("k", 6)).body(), answer.body());
  EXPECT_EQ(only_order().reason, "out-of-stock");
  EXPECT_EQ(only_order().total_minor, std::nullopt);
  expect_settled();
}

TEST_F(SagaTest, ADeclinedPaymentGivesThePiecesBack) {
  const Response answer = place(wish("k", 2, "bob"));
  EXPECT_EQ(answer.status(), 402);
  EXPECT_EQ(type_of(answer), "payment-declined");
  EXPECT_EQ(asked(), (std::vector<std::string>{"catalogue /products", "stock /reservations",
                                               "payment /authorisations", "payment /void",
                                               "stock /release"}));
  EXPECT_EQ(only_order().status, OrderStatus::kCancelled);
  EXPECT_EQ(only_order().reason, "payment-declined");
  EXPECT_EQ(place(wish("k", 2, "bob")).body(), answer.body());
  expect_settled();
}

TEST_F(SagaTest, AnExpiredReservationVoidsThePayment) {
  shop_.providers.expire_at_commit = true;
  const Response answer = place();
  EXPECT_EQ(answer.status(), 409);
  EXPECT_EQ(type_of(answer), "reservation-lost");
  EXPECT_EQ(shop_.providers.authorisation(only_order().id), "VOIDED");
  expect_settled();
}

TEST_F(SagaTest, ACompensationRunTwiceChangesNothing) {
  place(wish("k", 2, "bob"));
  const std::string id = only_order().id;
  Providers providers(shop_.context);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(providers.void_payment(only_order()).wait().outcome, Step::Outcome::kDone);
    EXPECT_EQ(providers.release(only_order()).wait().outcome, Step::Outcome::kDone);
  }
  // What comes too late is refused.
  Order late = only_order();
  EXPECT_EQ(providers.reserve(late).wait().outcome, Step::Outcome::kRefused);
  expect_settled();
}

TEST_F(SagaTest, RefusesAnUnknownProductAndATotalBeyondCounting) {
  shop_.providers.catalogue = "[]";
  EXPECT_EQ(type_of(place(wish("a"))), "unknown-product");
  shop_.providers.catalogue = R"([{"id":"3","priceMinor":9223372036854775807}])";
  EXPECT_EQ(type_of(place(wish("b"))), "total-too-large");
  EXPECT_EQ(type_of(place(wish("c", 1))), "payment-declined");  // as much as can be counted
  EXPECT_EQ(type_of(place(wish("d", 1, "nobody"))), "unknown-customer");
  expect_settled();
}

TEST_F(SagaTest, WithoutACatalogueNothingIsOrderedAndTheKeyIsFree) {
  shop_.context.fail_call("catalogue", "unavailable");
  const Response answer = place();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(type_of(answer), "order-cancelled");
  EXPECT_EQ(only_order().reason, "unavailable");
  expect_settled();
  shop_.context.on_call("catalogue",
                        [](const subito::Request&) { return Response::json("no list"); });
  EXPECT_EQ(place().status(), 503);
  expect_settled();
  EXPECT_EQ(shop_.store.orders.size(), 2u);
}

TEST_F(SagaTest, AnOrderThatCannotBeUndoneStaysOpenAndTheNextRequestPlacesIt) {
  shop_.context.fail_call("stock", "unavailable");
  const Response open = place();
  EXPECT_EQ(open.status(), 503);
  EXPECT_EQ(type_of(open), "order-open");
  EXPECT_EQ(only_order().status, OrderStatus::kNew);
  TestProviders again(shop_.plan, shop_.context);
  // It was decided to cancel it: that is finished, and told, as somebody may follow it by its id.
  EXPECT_EQ(type_of(place()), "order-cancelled");
  EXPECT_EQ(only_order().status, OrderStatus::kCancelled);
  EXPECT_EQ(place().status(), 201);
  EXPECT_EQ(shop_.store.orders.size(), 2u);
  EXPECT_EQ(shop_.completed(), 1);
}

// Its key was begun before, and due work ends it as unavailable between two looks of one request.
TEST_F(SagaTest, ARequestThatKnowsAnOrderPlacesNoSecondOne) {
  EXPECT_EQ(place(async_wish()).status(), 202);
  shop_.context.fail_call("catalogue", "unavailable");
  shop_.plan.set(3, Fault::kStallBefore);  // begin; begin, take
  shop_.plan.stall = [this] {
    shop_.store.now += kPatience.count();
    EXPECT_TRUE(shop_.settle());
  };
  EXPECT_EQ(type_of(place()), "order-cancelled");
  EXPECT_EQ(only_order().reason, "unavailable");
  expect_settled();
}

TEST_F(SagaTest, AtAnotherTotalThanExpectedNothingIsReserved) {
  const Response answer = place(expecting(9099));
  EXPECT_EQ(answer.status(), 409);
  EXPECT_EQ(type_of(answer), "price-changed");
  EXPECT_NE(answer.body().find("£91.00, and not £90.99"), std::string::npos) << answer.body();
  EXPECT_EQ(asked(),
            (std::vector<std::string>{"catalogue /products", "payment /void", "stock /release"}));
  EXPECT_EQ(only_order().reason, "price-changed");
  EXPECT_EQ(place(expecting(9099)).body(), answer.body());
  EXPECT_EQ(place(expecting(9100)).status(), 422) << "another order than that of the key";
  EXPECT_EQ(place(wish()).status(), 422);
  expect_settled();
}

TEST_F(SagaTest, AtTheTotalThatIsExpectedItIsPlaced) {
  EXPECT_EQ(place(expecting(9100)).status(), 201);
  EXPECT_EQ(only_order().total_minor, 9100);
  expect_settled();
}

TEST_F(SagaTest, WhatIsExpectedIsKnownToDueWork) {
  Wish wish = expecting(9100);
  wish.respond_async = true;
  EXPECT_EQ(place(wish).status(), 202);
  shop_.providers.catalogue = R"([{"id":"3","priceMinor":99900}])";
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(only_order().reason, "price-changed");
  EXPECT_EQ(shop_.providers.reservation(only_order().id), "RELEASED") << "and never reserved";
  EXPECT_EQ(type_of(place(wish)), "price-changed");
  expect_settled();
}

TEST_F(SagaTest, ThePriceIsFixedOnceReserved) {
  EXPECT_EQ(place(async_wish()).status(), 202);
  shop_.plan.set(5, Fault::kUnavailable);  // begin, take, prices, reserve, authorise
  EXPECT_TRUE(shop_.carry_on());
  EXPECT_EQ(only_order().status, OrderStatus::kReserved);
  shop_.providers.catalogue = R"([{"id":"3","priceMinor":99900}])";
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(only_order().total_minor, 9100);
  expect_settled();
}

// The pod dies before it writes, so the price that was authorised is not in the order.
TEST_F(SagaTest, APriceThatChangesBeforeItIsFixedCostsTheOrderAndNoMoney) {
  shop_.plan.set(5, Fault::kKillBefore);  // prices, begin, reserve, authorise, commit
  EXPECT_EQ(place().status(), 502);
  EXPECT_EQ(only_order().status, OrderStatus::kNew);
  EXPECT_EQ(shop_.providers.authorisation(only_order().id), "AUTHORISED");
  shop_.providers.catalogue = R"([{"id":"3","priceMinor":99900}])";
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(only_order().reason, "unavailable");
  EXPECT_EQ(shop_.providers.authorisation(only_order().id), "VOIDED");
  expect_settled();
  EXPECT_EQ(place().status(), 201);  // its key is free
  expect_settled();
}

TEST_F(SagaTest, WhatWasSoldAndPaidIsGivenBackWhenTheOrderIsCancelled) {
  shop_.plan.set(7, Fault::kKillBefore);  // the change, behind commit and capture
  EXPECT_EQ(place().status(), 502);
  const std::string id = only_order().id;
  EXPECT_EQ(only_order().status, OrderStatus::kNew);
  EXPECT_EQ(shop_.providers.reservation(id), "COMMITTED");
  EXPECT_EQ(shop_.providers.authorisation(id), "CAPTURED");
  shop_.store.now += kPatience.count();
  shop_.plan.set(shop_.plan.operations() + 2, Fault::kUnavailable);  // take, prices
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(only_order().status, OrderStatus::kCancelled);
  EXPECT_EQ(shop_.providers.reservation(id), "RELEASED");
  EXPECT_EQ(shop_.providers.authorisation(id), "VOIDED");
  expect_settled();
}

TEST_F(SagaTest, APaymentThatEndedBeforeItsCaptureCancelsTheOrder) {
  shop_.plan.set(5, Fault::kStallBefore);  // commit
  shop_.plan.stall = [this] { Providers(shop_.context).void_payment(only_order()).wait(); };
  const Response answer = place();
  EXPECT_EQ(answer.status(), 409);
  EXPECT_EQ(type_of(answer), "authorisation-ended");
  EXPECT_EQ(shop_.providers.reservation(only_order().id), "RELEASED");
  expect_settled();
}

TEST_F(SagaTest, OnceAuthorisedItOnlyGoesForwards) {
  shop_.plan.set(6, Fault::kUnavailable);  // capture
  const Response open = place();
  EXPECT_EQ(type_of(open), "order-open");
  EXPECT_EQ(only_order().status, OrderStatus::kAuthorised);
  for (int i = 0; i < 100; ++i) {
    shop_.plan.set(shop_.plan.operations() + 3, Fault::kUnavailable);  // take, commit, capture
    ASSERT_TRUE(shop_.carry_on());
    ASSERT_EQ(only_order().status, OrderStatus::kAuthorised);
  }
  ASSERT_TRUE(shop_.carry_on());
  EXPECT_EQ(only_order().status, OrderStatus::kCompleted);
  EXPECT_EQ(place().status(), 201);
  expect_settled();
}

TEST_F(SagaTest, DueWorkIsPatientWithWhatIsAwayAndThenCancels) {
  EXPECT_EQ(place(async_wish()).status(), 202);
  shop_.context.fail_call("catalogue", "unavailable");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(shop_.carry_on());
    EXPECT_EQ(only_order().status, OrderStatus::kNew);
  }
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(only_order().reason, "unavailable");
  EXPECT_GE(shop_.store.now - shop_.only().created, kPatience.count());
  EXPECT_LE(shop_.store.now - shop_.only().created, (kPatience + kRestMax).count());
  expect_settled();
}

// While its client waits an order is a draft: the lease alone is written, and nobody is told.
TEST_F(SagaTest, NobodyIsToldOfAnOrderBeforeThereIsSomethingToTell) {
  shop_.plan.set(3, Fault::kKillBefore);  // reserve
  EXPECT_EQ(place().status(), 502);
  EXPECT_EQ(told(), std::vector<std::string>{});
  EXPECT_EQ(shop_.store.find(only_order().id), std::nullopt);
  EXPECT_EQ(type_of(place(async_wish())), "order-in-flight");
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(told(), (std::vector<std::string>{"Placed", "Reserved", "Authorised", "Completed"}));
  expect_settled();
}

TEST_F(SagaTest, WhatWasReachedBeforeACancellationIsTold) {
  place(wish("k", 2, "bob"));
  EXPECT_EQ(told(), (std::vector<std::string>{"Placed", "Reserved", "Cancelled"}));
  EXPECT_EQ(only_order().total_minor, 9100);
  expect_settled();
}

TEST_F(SagaTest, NobodyTakesAnOrderThatIsHeld) {
  shop_.plan.set(3, Fault::kKillBefore);
  EXPECT_EQ(place().status(), 502);
  const std::string id = only_order().id;
  EXPECT_EQ(Saga(shop_.context, shop_.store).carry_on(id).status(), 409);
  EXPECT_EQ(shop_.store.due.at(id), shop_.only().lease);
  shop_.store.now = shop_.only().lease;
  EXPECT_EQ(Saga(shop_.context, shop_.store).carry_on(id).status(), 204);
  EXPECT_EQ(only_order().status, OrderStatus::kCompleted);
  EXPECT_EQ(Saga(shop_.context, shop_.store).carry_on(id).status(), 204);
  EXPECT_EQ(Saga(shop_.context, shop_.store).carry_on("nobody").status(), 204);
  expect_settled();
}

TEST_F(SagaTest, ALeaseIsNoLongerThanItsInvocation) {
  shop_.context.advance(std::chrono::milliseconds(29'000));
  shop_.plan.set(3, Fault::kKillBefore);
  EXPECT_EQ(place().status(), 502);
  EXPECT_EQ(shop_.only().lease, shop_.store.now + 1000);
}

TEST_F(SagaTest, AnAsynchronousOrderIsDueAtOnceAndAnswersItsKeyInTheEnd) {
  const Response accepted = place(async_wish());
  EXPECT_EQ(accepted.status(), 202);
  EXPECT_EQ(accepted.headers().get("preference-applied"), "respond-async");
  EXPECT_EQ(accepted.headers().get("location"), "/orders/" + only_order().id);
  EXPECT_NE(accepted.body().find("\"status\":\"NEW\""), std::string::npos);
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(shop_.store.due.at(only_order().id), shop_.store.now);
  EXPECT_EQ(place(async_wish()).body(), accepted.body());
  EXPECT_TRUE(shop_.settle());
  EXPECT_EQ(place(async_wish()).status(), 201);
  EXPECT_EQ(place().status(), 201);
  expect_settled();
}

TEST_F(SagaTest, OneWhoIsOvertakenAnswersWhatTheOtherDid) {
  shop_.plan.set(7, Fault::kStallBefore);  // the change
  shop_.plan.stall = [this] {
    shop_.store.now += kLeaseMax.count();
    EXPECT_TRUE(shop_.carry_on());
  };
  const Response answer = place();
  EXPECT_EQ(answer.status(), 201);
  EXPECT_EQ(answer.headers().get("idempotency-replayed"), "true");
  expect_settled();
}

}  // namespace
}  // namespace shop
