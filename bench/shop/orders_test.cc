#include "bench/shop/orders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string key_of(const HttpRequest& request) {
  const std::string* key = http::find_field(request.fields, "idempotency-key");
  return key == nullptr ? "" : *key;
}

nlohmann::json line_of(const HttpRequest& request) {
  return nlohmann::json::parse(request.body).at("lines").at(0);
}

std::string answer_of(const std::string& id, int total, const char* status = "COMPLETED") {
  return nlohmann::json{{"id", id}, {"status", status}, {"totalMinor", total}}.dump();
}

constexpr const char* kInFlight = R"({"type":"order-in-flight","status":409})";
constexpr const char* kOutOfStock = R"({"type":"out-of-stock","status":409})";

TEST(BenchOrders, HaveFreshKeysAndAreDrawnByTheSeed) {
  Orders orders({"1", "2", "3"}, 7);
  Orders same({"1", "2", "3"}, 7);
  Orders other({"1", "2", "3"}, 8);
  std::set<std::string> keys;
  std::set<std::string> products;
  bool differ = false;
  for (int i = 0; i < 50; ++i) {
    const HttpRequest request = orders.place();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/orders");
    EXPECT_TRUE(keys.insert(key_of(request)).second);
    products.insert(line_of(request).at("productId").get<std::string>());
    EXPECT_GE(line_of(request).at("quantity"), 1);
    EXPECT_LE(line_of(request).at("quantity"), Orders::kQuantityMax);
    EXPECT_EQ(same.place().body, request.body);
    differ = other.place().body != request.body || differ;
  }
  EXPECT_EQ(products.size(), 3U);
  EXPECT_TRUE(differ);
}

TEST(BenchOrders, AskAgainWithTheLatestKeyAndBody) {
  Orders orders({"1", "2", "3"}, 7);
  const HttpRequest first = orders.again();  // there is none yet: a new one
  EXPECT_EQ(orders.sums().sent_again, 0U);
  const HttpRequest again = orders.again();
  EXPECT_EQ(key_of(again), key_of(first));
  EXPECT_EQ(again.body, first.body);
  EXPECT_NE(key_of(orders.place()), key_of(first));
  EXPECT_EQ(orders.sums().keys, 2U);
  EXPECT_EQ(orders.sums().sent_again, 1U);
}

TEST(BenchOrders, CountEachKeyOnceHoweverOftenItIsAnswered) {
  Orders orders({"5"}, 7);
  const HttpRequest first = orders.place();
  const HttpRequest second = orders.place();
  const auto pieces = line_of(first).at("quantity").get<std::int64_t>();
  orders.answered(first, 201, answer_of("a", 120));
  orders.answered(first, 201, answer_of("a", 120));
  orders.answered(second, 409, kOutOfStock);
  const OrderSums sums = orders.sums();
  EXPECT_EQ(sums.placed, 1U);
  EXPECT_EQ(sums.refused, 1U);
  EXPECT_EQ(sums.open, 0U);
  EXPECT_EQ(sums.total_minor, 120);
  EXPECT_THAT(sums.pieces, ElementsAre(Pair("5", pieces)));
  EXPECT_THAT(orders.faults(), IsEmpty());
}

TEST(BenchOrders, AreOpenUntilAnAnswerIsFinal) {
  Orders orders({"5"}, 7);
  const HttpRequest request = orders.place();
  for (const int status : {0, 503, 500}) orders.answered(request, status, "");
  orders.answered(request, 409, kInFlight);
  EXPECT_EQ(orders.sums().open, 1U);
  EXPECT_EQ(orders.sums().in_flight, 1U);
  ASSERT_EQ(orders.open().size(), 1U);
  EXPECT_EQ(key_of(orders.open()[0]), key_of(request));
  EXPECT_EQ(orders.open()[0].body, request.body);
  orders.answered(request, 201, answer_of("a", 120));
  EXPECT_THAT(orders.open(), IsEmpty());
  EXPECT_THAT(orders.faults(), IsEmpty());
}

TEST(BenchOrders, TellWhatAnAnswerMustNotSay) {
  Orders orders({"5"}, 7);
  const HttpRequest twice = orders.place();
  orders.answered(twice, 201, answer_of("a", 120));
  orders.answered(twice, 201, answer_of("b", 120));
  const HttpRequest other_total = orders.place();
  orders.answered(other_total, 201, answer_of("c", 120));
  orders.answered(other_total, 201, answer_of("c", 240));
  const HttpRequest taken_back = orders.place();
  orders.answered(taken_back, 201, answer_of("d", 1));
  orders.answered(taken_back, 409, kOutOfStock);
  const HttpRequest late = orders.place();
  orders.answered(late, 422, "");
  orders.answered(late, 201, answer_of("e", 1));
  orders.answered(orders.place(), 201, answer_of("f", 1, "RESERVED"));
  orders.answered(orders.place(), 201, "{}");
  orders.answered(orders.place(), 302, "");
  EXPECT_THAT(orders.faults(),
              ElementsAre(HasSubstr("bench-1 is order a, and asked again order b"),
                          HasSubstr("bench-2 is order c, and asked again order c"),
                          HasSubstr("bench-3 was placed, then refused with status 409"),
                          HasSubstr("bench-4 was refused, then placed"),
                          HasSubstr("bench-5 was answered 201 in the state RESERVED"),
                          HasSubstr("bench-6 was answered 201 without an id and a total"),
                          HasSubstr("bench-7 was answered with status 302")));
}

TEST(BenchOrders, KeepFewFaults) {
  Orders orders({"5"}, 7);
  for (int i = 0; i < 100; ++i) orders.answered(orders.place(), 201, "");
  EXPECT_EQ(orders.faults().size(), Orders::kFaultsMax);
}

}  // namespace
}  // namespace subito::bench
