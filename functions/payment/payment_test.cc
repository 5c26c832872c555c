// Payment alone on a real Redis: the books hold, every request has the effect of once, each change
// has its event, and faults come as ordered.
#include "functions/payment/payment.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "functions/payment/events.pb.h"
#include "functions/shop/test_at_once.h"
#include "functions/shop/test_function.h"

namespace shop {
namespace {

using subito::Request;
using subito::Response;

class PaymentTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.start();
    ASSERT_EQ(payment_.post("/seed").status(), 200);
  }

  int authorise(const std::string& order, const std::string& customer, std::int64_t amount) {
    return payment_
        .post("/authorisations", R"({"order":")" + order + R"(","customer":")" + customer +
                                     R"(","currency":"GBP","amountMinor":)" +
                                     std::to_string(amount) + "}")
        .status();
  }
  int capture(const std::string& order) {
    return payment_.post("/authorisations/" + order + "/capture").status();
  }
  int void_it(const std::string& order) {
    return payment_.post("/authorisations/" + order + "/void").status();
  }
  void fault(const std::string& body) {
    payment_.settings["faults"] = "allow";
    ASSERT_EQ(payment_.ask(Request("PUT", "/faults", {}, body)).status(), 204);
  }
  std::string state(const std::string& order) {
    return text_of(payment_.get_json("/authorisations/" + order), "state");
  }
  // limit = available + held + spent, none negative.
  void expect_books(const std::string& customer, std::int64_t held, std::int64_t spent) {
    const Json books = payment_.get_json("/customers/" + customer);
    EXPECT_EQ(books.at("heldMinor"), held);
    EXPECT_EQ(books.at("spentMinor"), spent);
    const std::int64_t available = books.at("availableMinor");
    EXPECT_EQ(books.at("limitMinor"), available + held + spent) << books;
    EXPECT_GE(available, 0);
  }
  std::map<std::string, int> events() {
    const auto entries = payment_.redis({"XRANGE", "payment:events", "-", "+"});
    std::map<std::string, int> counts;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      ++counts[std::string(entries[i][1][1].text()).substr(8)];  // behind "shop.v1."
    }
    return counts;
  }

  TestRedis redis_;
  TestFunction payment_{"payment", payment_router([] { throw subito::Cancelled("the pod dies"); }),
                        payment_openapi(), &redis_};
};

TEST_F(PaymentTest, CreditIsHeldThenSpentOrGivenBack) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(authorise("a", "ada", 30'000), i == 0 ? 201 : 200);
  expect_books("ada", 30'000, 0);
  EXPECT_EQ(authorise("b", "ada", 20'001), 402);
  EXPECT_EQ(authorise("b", "ada", 20'000), 201);  // a decline is not for ever
  for (int i = 0; i < 2; ++i) EXPECT_EQ(capture("a"), 200);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(void_it("b"), 200);
  expect_books("ada", 0, 30'000);
  EXPECT_EQ(capture("b"), 409);
  EXPECT_EQ(authorise("a", "ada", 30'000), 200);
  EXPECT_EQ(state("a"), "CAPTURED");
  EXPECT_EQ(authorise("b", "ada", 20'000), 409);
  EXPECT_EQ(events(), (std::map<std::string, int>{{"CreditGranted", 3},
                                                  {"PaymentAuthorised", 2},
                                                  {"PaymentCaptured", 1},
                                                  {"PaymentDeclined", 1},
                                                  {"PaymentVoided", 1}}));
}

TEST_F(PaymentTest, WhatWasCapturedIsPaidBackByAVoidOnce) {
  ASSERT_EQ(authorise("a", "ada", 30'000), 201);
  ASSERT_EQ(capture("a"), 200);
  for (int i = 0; i < 2; ++i) {
    const Response answer = payment_.post("/authorisations/a/void");
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(read_answer(answer).at("amountMinor"), 30'000);
  }
  expect_books("ada", 0, 0);
  EXPECT_EQ(capture("a"), 409);
  EXPECT_EQ(authorise("a", "ada", 30'000), 409);
  EXPECT_EQ(events().at("PaymentRefunded"), 1);
  EXPECT_FALSE(events().contains("PaymentVoided"));
}

TEST_F(PaymentTest, AnAuthorisationThatComesAfterItsVoidIsTooLate) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(void_it("a"), 200);
  EXPECT_EQ(payment_.get("/authorisations/a").body(),
            R"({"order":"a","customer":null,"state":"VOIDED","amountMinor":null,)"
            R"("currency":"GBP"})"
            "\n");
  EXPECT_EQ(authorise("a", "ada", 1), 409);
  expect_books("ada", 0, 0);
  EXPECT_EQ(events().at("PaymentVoided"), 1);
}

TEST_F(PaymentTest, AnAmountBeyondAllCreditIsDeclined) {
  for (const std::int64_t amount : {std::int64_t(201), std::int64_t(1) << 53, INT64_MAX}) {
    EXPECT_EQ(authorise("a", "bob", amount), 402) << amount;
  }
  EXPECT_EQ(authorise("a", "bob", 200), 201);
  EXPECT_EQ(authorise("b", "bob", 1), 402);
  expect_books("bob", 200, 0);
}

TEST_F(PaymentTest, TheBooksHoldWhateverManyDoAtOnce) {
  // 16 orders of 64 clients each ask for 4,000: 12 of them find credit.
  const auto counts = at_once([&](int client) {
    const std::string order = "o" + std::to_string(client % 16);
    authorise(order, "ada", 4'000);
    const int status = client % 3 == 0 ? void_it(order) : capture(order);
    const Json books = payment_.get_json("/customers/ada");
    const std::int64_t available = books.at("availableMinor");
    const std::int64_t held = books.at("heldMinor");
    const std::int64_t spent = books.at("spentMinor");
    EXPECT_EQ(available + held + spent, 50'000);
    EXPECT_TRUE(available >= 0 && held >= 0 && spent >= 0) << books;
    return status;
  });
  EXPECT_EQ(counts.count(503) + counts.count(500), 0u);
  std::int64_t spent = 0;
  std::int64_t held = 0;
  for (int i = 0; i < 16; ++i) {
    const Response answer = payment_.get("/authorisations/o" + std::to_string(i));
    const std::string it = text_of(read_answer(answer), "state");
    spent += it == "CAPTURED" ? 4'000 : 0;
    held += it == "AUTHORISED" ? 4'000 : 0;
  }
  expect_books("ada", held, spent);
  const auto news = events();
  const auto count = [&](const char* type) { return news.contains(type) ? news.at(type) : 0; };
  EXPECT_EQ((count("PaymentCaptured") - count("PaymentRefunded")) * 4'000, spent);
}

TEST_F(PaymentTest, OneOrderIsHeldAndSpentOnceHoweverManyAsk) {
  EXPECT_EQ(at_once([&](int) { return authorise("a", "ada", 100); }),
            (std::map<int, int>{{200, kClients - 1}, {201, 1}}));
  expect_books("ada", 100, 0);
  EXPECT_EQ(at_once([&](int) { return capture("a"); }), (std::map<int, int>{{200, kClients}}));
  expect_books("ada", 0, 100);
  EXPECT_EQ(events().at("PaymentCaptured"), 1);
}

TEST_F(PaymentTest, AVoidWinsOverCapturesWhoeverComesFirst) {
  for (int round = 0; round < 10; ++round) {
    const std::string order = "r" + std::to_string(round);
    ASSERT_EQ(authorise(order, "guest", 10), 201);
    auto counts = at_once([&](int client) { return client % 2 ? capture(order) : void_it(order); });
    EXPECT_GE(counts[200], kClients / 2);
    EXPECT_EQ(counts[200] + counts[409], kClients);
    EXPECT_EQ(state(order), "VOIDED");
  }
  expect_books("guest", 0, 0);
}

TEST_F(PaymentTest, AVoidThatRacesWithItsAuthorisationGivesTheCreditBack) {
  for (int round = 0; round < 40; ++round) {
    const std::string order = "r" + std::to_string(round);
    const auto statuses = at_once(
        [&](int client) { return client % 8 == 0 ? authorise(order, "ada", 5) : void_it(order); });
    EXPECT_EQ(statuses.count(500) + statuses.count(503), 0u);
    EXPECT_EQ(void_it(order), 200);
    ASSERT_EQ(payment_.get_json("/customers/ada").at("heldMinor"), 0) << "in round " << round;
  }
  expect_books("ada", 0, 0);
}

TEST_F(PaymentTest, EverySettlementTellsItsOrderCustomerAndAmount) {
  const auto last = [this](const std::string& type, const std::string& customer,
                           std::int64_t amount) {
    const auto entry =
        payment_.redis({"XREVRANGE", "payment:events", "+", "-", "COUNT", "1"})[0][1];
    EXPECT_EQ(entry[1].text(), "shop.v1." + type);
    v1::PaymentRefunded told;  // all have the same fields
    ASSERT_TRUE(told.ParseFromString(std::string(entry[3].text())));
    EXPECT_EQ(told.order_id(), "a");
    EXPECT_EQ(told.customer_id(), customer);
    EXPECT_EQ(told.amount_minor(), amount);
    EXPECT_EQ(told.currency(), "GBP");
  };
  ASSERT_EQ(authorise("a", "ada", 30'000), 201);
  last("PaymentAuthorised", "ada", 30'000);
  ASSERT_EQ(capture("a"), 200);
  last("PaymentCaptured", "ada", 30'000);
  ASSERT_EQ(void_it("a"), 200);
  last("PaymentRefunded", "ada", 30'000);
  payment_.redis({"DEL", "payment:authorisation:a"});
  ASSERT_EQ(void_it("a"), 200);  // of what never was
  last("PaymentVoided", "", 0);
  payment_.redis({"DEL", "payment:authorisation:a"});
  ASSERT_EQ(authorise("a", "ada", 10), 201);
  ASSERT_EQ(void_it("a"), 200);
  last("PaymentVoided", "ada", 10);
}

TEST_F(PaymentTest, TheSeedGrantsNobodyCreditTwice) {
  ASSERT_EQ(authorise("a", "bob", 150), 201);
  ASSERT_EQ(capture("a"), 200);
  ASSERT_EQ(payment_.post("/seed").status(), 200);
  expect_books("bob", 0, 150);
  EXPECT_EQ(authorise("b", "bob", 51), 402);
  EXPECT_EQ(events().at("CreditGranted"), 3);
}

TEST_F(PaymentTest, VoidsAreForgottenAfterAMonthAndCapturesNever) {
  constexpr std::int64_t kMonth = 30 * 86'400;
  const auto left = [this](const std::string& order) {
    return payment_.redis({"TTL", "payment:authorisation:" + order}).integer();
  };
  for (const char* order : {"a", "b"}) ASSERT_EQ(authorise(order, "ada", 1), 201);
  EXPECT_EQ(left("a"), -1);
  ASSERT_EQ(void_it("a"), 200);
  EXPECT_GT(left("a"), kMonth - 60);
  EXPECT_LE(left("a"), kMonth);
  ASSERT_EQ(capture("b"), 200);
  EXPECT_EQ(left("b"), -1);
}

TEST_F(PaymentTest, FaultsComeAsOftenAsOrdered) {
  fault(R"({"on":"authorise","fault":"decline","times":2})");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(authorise("a", "ada", 1), 402);
  EXPECT_EQ(authorise("a", "ada", 1), 201);
  fault(R"({"on":"capture","fault":"error","times":10})");
  EXPECT_EQ(at_once([&](int) { return capture("a"); }),
            (std::map<int, int>{{200, kClients - 10}, {500, 10}}));
  fault(R"({"on":"void","fault":"slow","slowMs":1})");
  EXPECT_EQ(void_it("a"), 200);
  EXPECT_EQ(events().at("PaymentDeclined"), 2);
}

TEST_F(PaymentTest, AnAnswerThatIsLostWasWorkDone) {
  fault(R"({"on":"authorise","fault":"lost"})");
  EXPECT_EQ(authorise("a", "ada", 7), 504);  // the pod dies
  expect_books("ada", 7, 0);
  EXPECT_EQ(authorise("a", "ada", 7), 200);
  fault(R"({"on":"capture","fault":"lost"})");
  EXPECT_EQ(capture("a"), 504);
  expect_books("ada", 0, 7);
  fault(R"({"on":"void","fault":"lost"})");
  EXPECT_EQ(void_it("b"), 504);
  EXPECT_EQ(state("b"), "VOIDED");
}

TEST_F(PaymentTest, WithoutTheSettingNothingIsFaulty) {
  fault(R"({"on":"authorise","fault":"decline"})");
  payment_.settings.erase("faults");
  EXPECT_EQ(authorise("a", "ada", 1), 201);
}

}  // namespace
}  // namespace shop
