#include "scheduler/rate_limits.h"

#include <gtest/gtest.h>

#include "scheduler/keyed_buckets.h"

namespace subito::scheduler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class RateTest : public testing::Test {
 protected:
  // How many of `times` may happen now.
  int take(TokenBucket& bucket, int times) const {
    int taken = 0;
    for (int i = 0; i < times; ++i) {
      bucket.refill(now_);
      if (bucket.tokens() == 0) continue;
      bucket.take();
      ++taken;
    }
    return taken;
  }
  int pass(FunctionId function, const RateCaller& caller, int times) {
    int passed = 0;
    for (int i = 0; i < times; ++i) {
      passed += limits_.check(function, caller, now_).refused_by ? 0 : 1;
    }
    return passed;
  }
  void put(FunctionId function, const RateSpec& spec) { limits_.put(function, "shop", spec, now_); }

  TimePoint now_{seconds(1)};
  RateLimits limits_;
  const FunctionId stock_{1};
  const FunctionId other_{2};
};

TEST_F(RateTest, BeginsWithItsBurstAndFillsByTheRate) {
  TokenBucket bucket({100, seconds(1), 20}, now_);
  EXPECT_EQ(take(bucket, 100), 20);
  now_ += milliseconds(10);
  EXPECT_EQ(take(bucket, 100), 1);
  now_ += milliseconds(9);
  EXPECT_EQ(take(bucket, 100), 0);
  now_ += hours(1000);
  EXPECT_EQ(take(bucket, 100), 20);
}

TEST_F(RateTest, ThreeASecondStayThreeASecondInOddSteps) {
  TokenBucket bucket({3, seconds(1), 1}, now_);
  take(bucket, 1);
  int taken = 0;
  // 1,000 s in steps that divide nothing.
  const TimePoint end = now_ + seconds(1000);
  while (now_ + nanoseconds(7'654'321) <= end) {
    now_ += nanoseconds(7'654'321);
    taken += take(bucket, 1);
  }
  // Each token is taken at most a step after it came: of 3,000 some of that is lost to the burst of
  // 1, nothing to rounding.
  EXPECT_LE(taken, 3000);
  EXPECT_GE(taken, 2950);
  TokenBucket exact({3, seconds(1), 5000}, now_);
  take(exact, 5000);
  for (int i = 0; i < 1'000'000; ++i) exact.refill(now_ += milliseconds(1));
  EXPECT_EQ(exact.tokens(), 3000U);
}

TEST_F(RateTest, SaysHowLongUntilTheNextAndRefusesNotAMomentLonger) {
  TokenBucket bucket({3, seconds(1), 1}, now_);
  EXPECT_EQ(bucket.next(), Duration::zero());
  take(bucket, 1);
  const Duration wait = bucket.wait();
  EXPECT_EQ(wait, nanoseconds(333'333'334));
  now_ += wait - nanoseconds(1);
  EXPECT_EQ(take(bucket, 1), 0);
  now_ += nanoseconds(1);
  EXPECT_EQ(take(bucket, 1), 1);
}

TEST_F(RateTest, TheLargestRateFits) {
  TokenBucket bucket({kRateRequestsMax, kRatePerMax, kRateRequestsMax}, now_);
  EXPECT_EQ(bucket.tokens(), kRateRequestsMax);
  for (std::uint32_t i = 0; i < kRateRequestsMax; ++i) bucket.take();
  EXPECT_EQ(bucket.tokens(), 0U);
  now_ += kRatePerMax;
  bucket.refill(now_);
  EXPECT_TRUE(bucket.full());
  now_ = TimePoint(Duration::max());
  bucket.refill(now_);
  EXPECT_EQ(bucket.tokens(), kRateRequestsMax);
}

TEST_F(RateTest, TimeThatGoesBackGivesAndTakesNothing) {
  TokenBucket bucket({1, seconds(1), 2}, now_);
  take(bucket, 2);
  now_ -= milliseconds(500);
  EXPECT_EQ(take(bucket, 1), 0);
  now_ += milliseconds(1499);
  EXPECT_EQ(take(bucket, 1), 0);
  now_ += milliseconds(1);
  EXPECT_EQ(take(bucket, 1), 1);
}

TEST_F(RateTest, AnotherRateKeepsWholeTokens) {
  TokenBucket bucket({10, seconds(1), 10}, now_);
  take(bucket, 7);
  bucket.set_rate({1, hours(1), 2}, now_);
  EXPECT_EQ(bucket.tokens(), 2U);
  bucket.set_rate({1, hours(1), 5}, now_);
  EXPECT_EQ(bucket.tokens(), 2U);
}

TEST_F(RateTest, AFullTableForgetsWhoIsAtRestAndSharesOneBucketAmongNewOnesOtherwise) {
  KeyedBuckets buckets({1, seconds(1), 1}, now_, 2);
  buckets.of("a", now_).take();
  now_ += milliseconds(500);
  buckets.of("b", now_).take();
  EXPECT_EQ(buckets.of("c", now_).tokens(), 1U);
  buckets.of("c", now_).take();  // the shared one
  EXPECT_EQ(buckets.of("d", now_).tokens(), 0U);
  EXPECT_EQ(buckets.size(), 2U);
  now_ += milliseconds(500);  // a is full again, b is not
  EXPECT_EQ(buckets.of("d", now_).tokens(), 1U);
  EXPECT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets.of("b", now_).tokens(), 0U) << "it was forgotten";
}

TEST_F(RateTest, EachCallerHasItsOwnAndAllTogetherTheTotal) {
  put(stock_, {.total = Rate{10, seconds(1), 10}, .per_caller = Rate{4, seconds(1), 4}});
  EXPECT_EQ(pass(stock_, {"a", {}}, 9), 4);
  EXPECT_EQ(pass(stock_, {"b", {}}, 9), 4);
  EXPECT_EQ(pass(stock_, {"c", {}}, 9), 2);
  EXPECT_EQ(limits_.check(stock_, {"c", {}}, now_).refused_by->kind, RateLimitKind::kTotal);
  EXPECT_EQ(pass(other_, {"a", {}}, 9), 9);
}

TEST_F(RateTest, WhoIsRefusedByOneLimitTakesNothingOfTheOthers) {
  put(stock_, {.total = Rate{10, seconds(1), 10}, .per_caller = Rate{1, seconds(1), 1}});
  EXPECT_EQ(pass(stock_, {"a", {}}, 1000), 1);
  const RateVerdict verdict = limits_.check(stock_, {"b", {}}, now_);
  ASSERT_EQ(verdict.count, 2U);
  EXPECT_EQ(verdict.states[0].kind, RateLimitKind::kTotal);
  EXPECT_EQ(verdict.states[0].left, 8U);
  EXPECT_EQ(verdict.states[1].kind, RateLimitKind::kPerCaller);
  EXPECT_EQ(verdict.states[1].left, 0U);
}

TEST_F(RateTest, AFunctionWithALimitOfItsOwnIsNotHeldByThatOfEachCaller) {
  put(stock_, {.total = {},
               .per_caller = Rate{1, seconds(1), 1},
               .callers = {{"checkout", Rate{5, seconds(1), 5}}}});
  EXPECT_EQ(pass(stock_, {"f:checkout", "checkout"}, 9), 5);
  EXPECT_EQ(limits_.check(stock_, {"f:checkout", "checkout"}, now_).refused_by->kind,
            RateLimitKind::kCallers);
  EXPECT_EQ(pass(stock_, {"f:shopfront", "shopfront"}, 9), 1);
}

TEST_F(RateTest, ANamespaceIsOneBucketForAllItsFunctions) {
  put(stock_, {});
  put(other_, {});
  EXPECT_FALSE(limits_.limits(stock_));
  limits_.set_namespace_rate("shop", Rate{6, seconds(1), 6}, now_);
  EXPECT_TRUE(limits_.limits(stock_));
  EXPECT_EQ(pass(stock_, {"a", {}}, 4), 4);
  EXPECT_EQ(pass(other_, {"a", {}}, 4), 2);
  limits_.set_namespace_rate("shop", std::nullopt, now_);
  EXPECT_EQ(pass(other_, {"a", {}}, 4), 4);
}

TEST_F(RateTest, ADeployWithTheSameLimitsGivesNoTokens) {
  const RateSpec spec{.total = Rate{2, seconds(1), 2}, .per_caller = Rate{2, seconds(1), 2}};
  put(stock_, spec);
  EXPECT_EQ(pass(stock_, {"a", {}}, 9), 2);
  put(stock_, spec);
  EXPECT_EQ(pass(stock_, {"a", {}}, 9), 0);
}

TEST_F(RateTest, WaitsForTheSlowestOfItsLimits) {
  put(stock_, {.total = Rate{1, seconds(1), 1}, .per_caller = Rate{1, seconds(9), 1}});
  EXPECT_EQ(pass(stock_, {"a", {}}, 1), 1);
  const RateVerdict verdict = limits_.check(stock_, {"a", {}}, now_);
  EXPECT_EQ(verdict.wait, Duration(seconds(9)));
  EXPECT_EQ(verdict.refused_by->kind, RateLimitKind::kPerCaller);
}

}  // namespace
}  // namespace subito::scheduler
