#include "bench/shop/books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Three pieces of product 3 were sold for 136.50, and two other orders before.
Account right_account() {
  Account account;
  account.before.levels["3"] = {100, 98, 0, 2};
  account.before.levels["4"] = {10, 10, 0, 0};
  account.before.guest = Credit{100'000, 91'000, 0, 9'000};
  account.after.levels["3"] = {100, 95, 0, 5};
  account.after.levels["4"] = {10, 10, 0, 0};
  account.after.guest = Credit{100'000, 77'350, 0, 22'650};
  account.stored = account.after;
  account.stored_before = {2, 0, 0, 9'000};
  account.stored_after = {3, 1, 0, 22'650};
  account.ordered.placed = 1;
  account.ordered.pieces["3"] = 3;
  account.ordered.total_minor = 13'650;
  return account;
}

void set_sold(Account& account, std::int64_t sold) {
  for (Books* books : {&account.after, &account.stored}) {
    books->levels["3"].sold = sold;
    books->levels["3"].available = 100 - sold;
  }
}

TEST(BenchBooks, ThatAddUpHaveNoDifferences) {
  EXPECT_THAT(differences(right_account()), IsEmpty());
  EXPECT_TRUE(settled(right_account()));
}

TEST(BenchBooks, TellPiecesSoldTwiceOrNotAtAll) {
  Account account = right_account();
  set_sold(account, 6);
  EXPECT_THAT(differences(account),
              ElementsAre("product 3: sold 6, but 2 before and 3 in orders answered 201"));
  set_sold(account, 2);
  EXPECT_THAT(differences(account), ElementsAre(HasSubstr("sold 2, but 2 before and 3 in")));
}

TEST(BenchBooks, TellPiecesThatAreLostOrStillReserved) {
  Account account = right_account();
  account.after.levels["3"].available = account.stored.levels["3"].available = 94;
  EXPECT_THAT(differences(account),
              ElementsAre("product 3: received 100 is not available 94 + reserved 0 + sold 5"));
  account.after.levels["3"].reserved = account.stored.levels["3"].reserved = 1;
  EXPECT_THAT(differences(account), ElementsAre("product 3: reserved 1, but 0 before"));
  EXPECT_FALSE(settled(account));
  account.after.levels["3"].available = account.stored.levels["3"].available = -1;
  EXPECT_THAT(differences(account), testing::Contains("product 3: a figure is negative"));
}

TEST(BenchBooks, TellAFaceThatIsNotWhatRedisHolds) {
  Account account = right_account();
  account.stored.levels["3"].sold = 7;
  account.stored.guest->spent = 1;
  EXPECT_THAT(differences(account),
              ElementsAre("product 3: sold: the face says 5, Redis holds 7",
                          "guest: spent: the face says 22650, Redis holds 1"));
}

TEST(BenchBooks, TellMoneyThatIsNotWhatOrdersComeTo) {
  Account account = right_account();
  for (Books* books : {&account.after, &account.stored}) {
    *books->guest = {100'000, 77'349, 0, 22'651};
  }
  EXPECT_THAT(differences(account),
              ElementsAre("guest: spent 136.51, but orders answered 201 come to 136.50"));
  for (Books* books : {&account.after, &account.stored}) {
    *books->guest = {100'000, 77'340, 9, 22'650};
  }
  EXPECT_THAT(differences(account),
              ElementsAre(HasSubstr("guest: limit 1,000.00 is not available 773.40 + held 0.09"),
                          "guest: held 0.09, but 0.00 before"));
  EXPECT_FALSE(settled(account));
  account.after.guest.reset();
  EXPECT_THAT(differences(account), ElementsAre("guest: the credit is gone"));
}

TEST(BenchBooks, WithoutPaymentLeaveMoneyAlone) {
  Account account = right_account();
  account.before.guest.reset();
  account.after.guest.reset();
  account.stored.guest.reset();
  EXPECT_THAT(differences(account), IsEmpty());
}

TEST(BenchBooks, TellOrdersThatRedisDoesNotHold) {
  Account account = right_account();
  account.stored_after = {4, 1, 2, 22'651};
  account.ordered.open = 1;
  EXPECT_THAT(
      differences(account),
      ElementsAre("orders: 1 were answered 201, Redis holds 2 COMPLETED",
                  HasSubstr("come to 136.50, in Redis the COMPLETED ones to 136.51"),
                  "orders: 2 are between states in Redis", "orders: 1 keys have no final answer"));
  EXPECT_FALSE(settled(account));
}

TEST(BenchBooks, TellAProductThatIsGone) {
  Account account = right_account();
  account.after.levels.erase("4");
  EXPECT_THAT(differences(account), testing::Contains("stock: 1 products, but 2 before"));
}

TEST(BenchBooks, AreReadFromTheFacesOfStockAndPayment) {
  const auto levels = read_levels(
      R"([{"productId":"1","sku":"x","amountAvailable":3,"reserved":1,"sold":2,"received":6}])");
  ASSERT_TRUE(levels) << levels.error().message;
  EXPECT_EQ(levels->at("1").available, 3);
  EXPECT_EQ(levels->at("1").reserved, 1);
  EXPECT_EQ(levels->at("1").sold, 2);
  EXPECT_EQ(levels->at("1").received, 6);
  const auto credit = read_credit(
      R"({"customer":"guest","limitMinor":9,"availableMinor":4,"heldMinor":3,"spentMinor":2})");
  ASSERT_TRUE(credit) << credit.error().message;
  EXPECT_EQ(credit->limit, 9);
  EXPECT_EQ(credit->available, 4);
  EXPECT_EQ(credit->held, 3);
  EXPECT_EQ(credit->spent, 2);
}

TEST(BenchBooks, RefuseWhatLacksAFigure) {
  for (const char* body : {"", "{}", "[7]", R"([{"productId":"1"}])",
                           R"([{"productId":1,"amountAvailable":3,"reserved":1,"sold":2}])"}) {
    EXPECT_FALSE(read_levels(body)) << body;
  }
  const auto credit = read_credit(R"({"limitMinor":9})");
  ASSERT_FALSE(credit);
  EXPECT_THAT(credit.error().message, HasSubstr("no figure \"availableMinor\""));
}

TEST(BenchBooks, WriteMoneyForPeople) {
  EXPECT_EQ(money_text(0), "0.00");
  EXPECT_EQ(money_text(5), "0.05");
  EXPECT_EQ(money_text(100'000), "1,000.00");
  EXPECT_EQ(money_text(123'456'789), "1,234,567.89");
  EXPECT_EQ(money_text(-150), "-1.50");
}

}  // namespace
}  // namespace subito::bench
