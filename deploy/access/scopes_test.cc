#include "deploy/access/scopes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/access/failures.h"
#include "deploy/access/refusal_budget.h"

namespace subito::access {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

bool may(std::string_view scopes, Verb verb, std::string_view where) {
  return allow(parse_scopes(scopes).value(), verb, where);
}

TEST(ScopesTest, AreReadAndWritten) {
  EXPECT_EQ(parse_scope("shop:deploy").value(), (Scope{"shop", Verb::kDeploy}));
  EXPECT_EQ(to_string(parse_scopes("*:read shop:admin").value()), "*:read shop:admin");
}

TEST(ScopesTest, WhatIsNoneIsRefusedWithWhatWouldBe) {
  EXPECT_THAT(parse_scope("deploy").error().message, HasSubstr("NAMESPACE:VERB"));
  EXPECT_THAT(parse_scope("shop:depoly").error().message, HasSubstr("did you mean 'deploy'"));
  EXPECT_THAT(parse_scope("Shop:read").error().message, HasSubstr("lower-case"));
  EXPECT_FALSE(parse_scope(":read"));
  EXPECT_FALSE(parse_scope("*:"));
  EXPECT_FALSE(parse_scope("a b:read"));
}

TEST(ScopesTest, DeployIncludesReadAndInvokeAndAdminAll) {
  const Verb all[] = {Verb::kRead, Verb::kInvoke, Verb::kDeploy, Verb::kAdmin};
  const bool expected[4][4] = {// of read, invoke, deploy, admin
                               {true, false, false, false},
                               {false, true, false, false},
                               {true, true, true, false},
                               {true, true, true, true}};
  for (int has = 0; has < 4; ++has) {
    for (int wants = 0; wants < 4; ++wants) {
      EXPECT_EQ(allow({{"shop", all[has]}}, all[wants], "shop"), expected[has][wants])
          << to_string(all[has]) << " for " << to_string(all[wants]);
    }
  }
}

TEST(ScopesTest, AreOfTheirNamespaceAlone) {
  EXPECT_TRUE(may("shop:admin", Verb::kRead, "shop"));
  EXPECT_FALSE(may("shop:admin", Verb::kRead, "shop2"));
  EXPECT_FALSE(may("shop:admin", Verb::kRead, kAllNamespaces));
  EXPECT_TRUE(may("*:read", Verb::kRead, "shop"));
  EXPECT_TRUE(may("*:read", Verb::kRead, kAllNamespaces));
  EXPECT_FALSE(may("", Verb::kRead, "shop"));
  EXPECT_TRUE(allow_anywhere(parse_scopes("a:read b:deploy").value(), Verb::kDeploy));
  EXPECT_FALSE(allow_anywhere(parse_scopes("a:read b:invoke").value(), Verb::kDeploy));
}

TEST(FailuresTest, AnAddressWaitsLongerEachTimeUpToAMinute) {
  Failures failures;
  TimePoint now{seconds(100)};
  for (std::uint32_t i = 0; i < kFailuresFree; ++i) failures.failed("192.0.2.1", now);
  EXPECT_FALSE(failures.wait_of("192.0.2.1", now));
  for (const int expected : {1, 2, 4, 8, 16, 32, 60, 60}) {
    failures.failed("192.0.2.1", now);
    EXPECT_EQ(failures.wait_of("192.0.2.1", now), Duration(seconds(expected)));
    EXPECT_FALSE(failures.wait_of("192.0.2.2", now));
    now += seconds(expected);
    EXPECT_FALSE(failures.wait_of("192.0.2.1", now));
  }
}

TEST(FailuresTest, AnAddressThatWasQuietBeginsAnew) {
  Failures failures;
  const TimePoint now{seconds(100)};
  for (std::uint32_t i = 0; i <= kFailuresFree; ++i) failures.failed("192.0.2.1", now);
  EXPECT_TRUE(failures.wait_of("192.0.2.1", now));
  failures.failed("192.0.2.1", now + kFailuresForgotten);
  EXPECT_FALSE(failures.wait_of("192.0.2.1", now + kFailuresForgotten));
}

TEST(FailuresTest, AnAddressOfIpv6CountsAsItsNetwork) {
  Failures failures;
  const TimePoint now{seconds(100)};
  for (std::uint32_t i = 0; i <= kFailuresFree; ++i)
    failures.failed("2001:db8:0:1::" + std::to_string(i + 1), now);
  EXPECT_TRUE(failures.wait_of("2001:db8:0:1:aaaa::1", now));
  EXPECT_FALSE(failures.wait_of("2001:db8:0:2::1", now));
  EXPECT_EQ(failures.size(), 1U);
}

TEST(FailuresTest, AreBoundedAndForgetWhoFailedLongestAgo) {
  Failures failures;
  const TimePoint now{seconds(100)};
  const auto address = [](std::size_t i) {
    return "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256);
  };
  for (std::uint32_t i = 0; i <= kFailuresFree; ++i) failures.failed("192.0.2.1", now);
  for (std::size_t i = 0; i < kAddressesMax - 1; ++i) failures.failed(address(i), now);
  EXPECT_EQ(failures.size(), kAddressesMax);
  EXPECT_TRUE(failures.wait_of("192.0.2.1", now));
  failures.failed("192.0.2.2", now);
  EXPECT_EQ(failures.size(), kAddressesMax);
  EXPECT_FALSE(failures.wait_of("192.0.2.1", now));
}

TEST(RefusalBudgetTest, WritesABurstThenNowAndThenAndCountsTheRest) {
  RefusalBudget budget;
  TimePoint now{seconds(1000)};
  for (int i = 0; i < kRefusalsBurst; ++i) EXPECT_TRUE(budget.take(now)) << i;
  EXPECT_FALSE(budget.take(now));
  EXPECT_FALSE(budget.take(now));
  EXPECT_EQ(budget.left_out(), 2U);
  EXPECT_EQ(budget.left_out(), 0U);
  now += kRefusalEach;
  EXPECT_TRUE(budget.take(now));
  EXPECT_FALSE(budget.take(now));
}

}  // namespace
}  // namespace subito::access
