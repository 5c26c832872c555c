// Every operation of a saga goes wrong in every way, alone and two in a row; then due work ends it,
// and all adds up. Nothing is chosen by chance, all is tried.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "functions/checkout/test_checkout.h"

namespace shop {
namespace {

using subito::Response;

constexpr std::array kFaults = {Fault::kBadRequest, Fault::kUnavailable, Fault::kNoAnswer,
                                Fault::kLost,       Fault::kKillBefore,  Fault::kKillAfter};
// Of two in a row: nothing heard of what was not done, or was; a death before, or after.
constexpr std::array kPairFaults = {Fault::kNoAnswer, Fault::kLost, Fault::kKillBefore,
                                    Fault::kKillAfter};
// The longest run without a fault has nine; due work that begins anew counts on.
constexpr int kOperations = 16;

struct Scenario {
  const char* name;
  const char* customer;
  std::int64_t quantity;
  bool expires;
  int status;  // of the answer when nothing goes wrong
  bool respond_async = false;
};
constexpr Scenario kScenarios[] = {
    {"completes", "guest", 2, false, 201},
    {"completes behind a 202", "guest", 2, false, 201, true},
    {"is short of stock", "guest", 6, false, 409},
    {"is declined", "bob", 2, false, 402},
    {"has an unknown customer", "nobody", 2, false, 422},
    {"loses its reservation", "guest", 2, true, 409},
};

Wish wish_of(const Scenario& scenario) {
  Wish wish{"k", scenario.customer, {{"3", scenario.quantity, {}}}, 1'000'000, false};
  wish.respond_async = scenario.respond_async;
  return wish;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

// The client asks, faults strike, due work ends it; then the client asks again with its key and
// gets the answer that the order deserves, once.
std::string wrong_with(const Scenario& scenario, TestCheckout& shop) {
  shop.providers.expire_at_commit = scenario.expires;
  const Wish wish = wish_of(scenario);
  const Response first = shop.place(wish);
  if (!shop.settle()) return "\n  it never ends";
  if (const auto faults = shop.faults(); !faults.empty()) return joined(faults);
  shop.plan.clear();
  Response last = shop.place(wish);
  if (last.status() == 202) {  // the key had become free
    if (!shop.settle()) return "\n  it never ends when asked again";
    last = shop.place(wish);
  }
  if (const auto faults = shop.faults(); !faults.empty()) return joined(faults);
  // What was told stays told.
  if (first.status() == 201 && last.body() != first.body()) return "\n  another answer than before";
  if (last.status() != scenario.status) return "\n  answered " + std::to_string(last.status());
  if (shop.completed() != (scenario.status == 201 ? 1 : 0)) return "\n  placed more than once";
  return "";
}

class SagaFaultTest : public testing::TestWithParam<Scenario> {};

TEST_P(SagaFaultTest, EndsAsItShouldWithoutFaults) {
  TestCheckout shop;
  EXPECT_EQ(wrong_with(GetParam(), shop), "");
  EXPECT_LE(shop.plan.operations(), kOperations);
}

TEST_P(SagaFaultTest, EndsWhateverFailsOnce) {
  for (int at = 1; at <= kOperations; ++at) {
    for (const Fault fault : kFaults) {
      TestCheckout shop;
      shop.plan.set(at, fault);
      EXPECT_EQ(wrong_with(GetParam(), shop), "") << at << ": " << to_string(fault);
    }
  }
}

TEST_P(SagaFaultTest, EndsWhateverFailsTwice) {
  for (int at = 1; at <= kOperations; ++at) {
    for (int then = at + 1; then <= at + kOperations; ++then) {
      for (const Fault first : kPairFaults) {
        for (const Fault second : kPairFaults) {
          TestCheckout shop;
          shop.plan.set(at, first);
          shop.plan.set(then, second);
          const std::string wrong = wrong_with(GetParam(), shop);
          ASSERT_EQ(wrong, "") << at << ": " << to_string(first) << ", " << then << ": "
                               << to_string(second);
        }
      }
    }
  }
}

// One stalls past its lease, and past the patience of due work, at some operation; due work takes
// the order over, hears nothing at some operation of its own, and dies some operations later; then
// the first goes on as if nothing had been.
TEST_P(SagaFaultTest, EndsWhoeverStallsAndIsOvertaken) {
  constexpr int kLater = 6;
  for (const Fault stall : {Fault::kStallBefore, Fault::kStallAfter}) {
    for (int at = 1; at <= kOperations; ++at) {
      for (int then = at + 1; then <= at + kOperations; ++then) {
        for (int dies = then; dies <= then + kLater; ++dies) {
          for (const Fault death : {Fault::kKillBefore, Fault::kKillAfter}) {
            TestCheckout shop;
            shop.plan.stall = [&shop] {
              shop.store.now += (kPatience + kLeaseMax).count();
              shop.carry_on();
            };
            shop.plan.set(at, stall);
            shop.plan.set(then, Fault::kNoAnswer);
            shop.plan.set(dies, death);
            const std::string wrong = wrong_with(GetParam(), shop);
            ASSERT_EQ(wrong, "") << at << ": " << to_string(stall) << ", no answer at " << then
                                 << ", " << to_string(death) << " at " << dies;
          }
        }
      }
    }
  }
}

// Two who are told different things about the same order: the first is refused and stalls; the
// reason is gone when the second asks, who dies some operations later.
TEST_P(SagaFaultTest, EndsTheSameWayForTwoWhoAreToldDifferently) {
  for (const Fault stall : {Fault::kStallBefore, Fault::kStallAfter}) {
    for (const Fault death : {Fault::kKillBefore, Fault::kKillAfter}) {
      for (int at = 1; at <= kOperations; ++at) {
        for (int dies = at + 1; dies <= at + kOperations; ++dies) {
          const std::string where = std::to_string(at) + ": " + to_string(stall) + ", " +
                                    to_string(death) + " at " + std::to_string(dies);
          TestCheckout shop;
          shop.providers.expire_at_commit = GetParam().expires;
          shop.plan.stall = [&shop] {
            shop.providers.receive(10);
            shop.providers.allow("bob", 1'000'000);
            shop.store.now += kLeaseMax.count();
            shop.carry_on();
          };
          shop.plan.set(at, stall);
          shop.plan.set(dies, death);
          (void)shop.place(wish_of(GetParam()));
          ASSERT_TRUE(shop.settle()) << where;
          ASSERT_EQ(joined(shop.faults()), "") << where;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, SagaFaultTest, testing::ValuesIn(kScenarios),
                         [](const testing::TestParamInfo<Scenario>& scenario) {
                           std::string name = scenario.param.name;
                           for (char& c : name) c = c == ' ' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace shop
