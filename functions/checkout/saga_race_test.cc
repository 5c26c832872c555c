// Several orders at once, each a thread of its own, one operation after the other: which order's
// operation comes next is chosen by the test, so nothing hangs on chance.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "functions/checkout/test_checkout.h"

namespace shop {
namespace {

constexpr int kBuyers = 4;
// Prices, begin, reserve: after so many rounds the one who comes first in them has the piece.
constexpr int kRoundsToReserve = 3;
constexpr int kOperationsMax = 100;  // of all together; more than enough
using Sequence = std::array<int, kBuyers>;

// Of several threads one runs at a time: a step of one ends at its next pass(), or with it.
class Turns {
 public:
  explicit Turns(const std::function<void(int buyer)>& work) {
    for (int i = 0; i < kBuyers; ++i) {
      threads_.emplace_back([this, work, i] {
        wait_for(i);
        work(i);
        ended_[static_cast<std::size_t>(i)] = true;
        give_to(kTest);
      });
    }
  }
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  ~Turns() {
    for (int i = 0; i < kBuyers; ++i) {
      while (!ended(i)) step(i);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  // Called by the test.
  void round(const Sequence& order) {
    for (const int buyer : order) {
      if (!ended(buyer)) step(buyer);
    }
  }
  bool all_ended() const { return std::ranges::all_of(ended_, std::identity()); }

  // Called by whoever runs: the test has its turn.
  void pass() {
    const int self = turn_;
    give_to(kTest);
    wait_for(self);
  }

 private:
  static constexpr int kTest = -1;

  bool ended(int buyer) const { return ended_[static_cast<std::size_t>(buyer)]; }
  void step(int buyer) {
    give_to(buyer);
    wait_for(kTest);
  }
  void give_to(int whom) {
    const std::lock_guard lock(mutex_);
    turn_ = whom;
    changed_.notify_all();
  }
  void wait_for(int whom) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == whom; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = kTest;
  std::array<bool, kBuyers> ended_{};
  std::vector<std::thread> threads_;
};

// Product 5 at 154.10, one piece; ada has 500.00, enough for three.
void set_up(TestCheckout& shop) {
  shop.providers.catalogue = R"([{"id":"5","priceMinor":15410}])";
  shop.providers.received = shop.providers.available = 1;
  shop.providers.limit_minor = shop.providers.credit_minor = {{"ada", 50'000}};
}

// The answers of four orders for the one piece. The first has it reserved; then `order` tells who
// comes first, in each round.
std::array<int, kBuyers> answers_of(TestCheckout& shop, const Sequence& order) {
  std::array<int, kBuyers> answers{};
  Turns turns([&](int buyer) {
    const Wish wish{"k" + std::to_string(buyer + 1), "ada", {{"5", 1, {}}}, 1'000'000, false};
    answers.at(static_cast<std::size_t>(buyer)) = shop.place(wish).status();
  });
  shop.plan.stall = [&turns] { turns.pass(); };
  for (int i = 1; i <= kOperationsMax; ++i) shop.plan.set(i, Fault::kStallAfter);
  Sequence first_come{};
  std::iota(first_come.begin(), first_come.end(), 0);
  for (int i = 0; i < kRoundsToReserve; ++i) turns.round(first_come);
  while (!turns.all_ended()) turns.round(order);
  return answers;
}

// Who is short of stock must not hold the credit that the one with the piece is about to need.
TEST(SagaRaceTest, OnePieceAndFourBuyersAreExactlyOneOrder) {
  Sequence order{};
  std::iota(order.begin(), order.end(), 0);
  do {
    TestCheckout shop;
    set_up(shop);
    const auto answers = answers_of(shop, order);
    const std::string where = testing::PrintToString(order);
    EXPECT_EQ(answers, (std::array<int, kBuyers>{201, 409, 409, 409})) << where;
    EXPECT_EQ(shop.completed(), 1) << where;
    EXPECT_EQ(shop.faults(), std::vector<std::string>{}) << where;
    EXPECT_LE(shop.plan.operations(), kOperationsMax) << where;
    const auto& calls = shop.context.calls();
    EXPECT_EQ(std::ranges::count(calls, "/authorisations", &subito::testing::RecordedCall::target),
              1)
        << where << ": payment is asked for the one alone that has the piece";
  } while (std::ranges::next_permutation(order).found);
}

}  // namespace
}  // namespace shop
