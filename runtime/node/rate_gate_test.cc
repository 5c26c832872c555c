#include "runtime/node/rate_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

using scheduler::RateLimitKind;
using scheduler::RateVerdict;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

Invocation from(const std::string& address) {
  Invocation invocation;
  invocation.client_address = address;
  return invocation;
}

TEST(RateKeyTest, IsOfAnAddressANetworkATokenOrAFunction) {
  EXPECT_NE(rate_key(from("10.0.0.1"), ""), rate_key(from("10.0.0.2"), ""));
  EXPECT_EQ(rate_key(from("2001:db8:0:1::1"), ""), rate_key(from("2001:db8:0:1:ffff::2"), ""));
  EXPECT_NE(rate_key(from("2001:db8:0:1::1"), ""), rate_key(from("2001:db8:0:2::1"), ""));
  Invocation with_token = from("10.0.0.1");
  with_token.subject = "ci";
  Invocation elsewhere = from("10.0.0.2");
  elsewhere.subject = "ci";
  EXPECT_EQ(rate_key(with_token, ""), rate_key(elsewhere, ""));
  Invocation other = from("10.0.0.1");
  other.subject = "10.0.0.1";
  EXPECT_NE(rate_key(other, ""), rate_key(from("10.0.0.1"), ""));
  EXPECT_NE(rate_key(from(""), "ci"), rate_key(with_token, ""));
}

TEST(RateKeyTest, TriggersAndTheOwnerOfTheMachineAreNotHeldUp) {
  Invocation invocation;
  EXPECT_TRUE(is_rate_limited(invocation));
  invocation.origin = Origin::kFunction;
  EXPECT_TRUE(is_rate_limited(invocation));
  invocation.origin = Origin::kTrigger;
  EXPECT_FALSE(is_rate_limited(invocation));
  invocation.origin = Origin::kOperator;
  EXPECT_FALSE(is_rate_limited(invocation));
  invocation.subject = "ci";
  EXPECT_TRUE(is_rate_limited(invocation));
}

TEST(RateFieldsTest, TellQuotaWindowWhatIsLeftAndWhenThereIsMore) {
  RateVerdict verdict;
  verdict.count = 2;
  verdict.states[0] = {RateLimitKind::kTotal, {100, seconds(1), 200}, 199, milliseconds(10)};
  verdict.states[1] = {RateLimitKind::kPerCaller, {3, minutes(1), 3}, 3, Duration::zero()};
  EXPECT_EQ(rate_fields(verdict).policy, R"("total";q=100;w=1, "perCaller";q=3;w=60)");
  EXPECT_EQ(rate_fields(verdict).limit, R"("total";r=199;t=1, "perCaller";r=3)");
  EXPECT_EQ(rate_fields(RateVerdict()).policy, "");
}

TEST(RateFieldsTest, WindowsAreWholeSeconds) {
  RateVerdict verdict;
  verdict.count = 2;
  verdict.states[0] = {RateLimitKind::kTotal, {10, milliseconds(100), 10}, 0, milliseconds(10)};
  verdict.states[1] = {RateLimitKind::kNamespace, {30, milliseconds(1500), 30}, 0, seconds(2)};
  EXPECT_EQ(rate_fields(verdict).policy, R"("total";q=100;w=1, "namespace";q=40;w=2)");
  EXPECT_EQ(rate_fields(verdict).limit, R"("total";r=0;t=1, "namespace";r=0;t=2)");
}

class RateLimitedEngineTest : public EngineFixture, public testing::Test {
 protected:
  void limit(int requests, std::uint64_t number = 2) {
    manifest::FunctionSpec spec = plain_spec();
    manifest::Rate& rate = *spec.mutable_rate_limits()->mutable_total();
    rate.set_requests(requests);
    rate.set_per_ms(3'600'000);
    rate.set_burst(requests);
    put("echo", spec, number);
  }
  bool refused(CallerToken token) { return outcome(token).failure.has_value(); }
};

TEST_F(RateLimitedEngineTest, RefusesBeforeAnyPodIsStarted) {
  limit(1);
  EXPECT_EQ(home->pods.size(), 0U);
  invoke(1);
  invoke(2);
  EXPECT_EQ(home->pods.size(), 1U);
  ASSERT_TRUE(refused(2));
  const Failure& failure = *outcome(2).failure;
  EXPECT_EQ(failure.status, 429);
  EXPECT_EQ(failure.type, "rate-limited");
  EXPECT_THAT(failure.detail, HasSubstr("spec.rateLimits.total 1 per 1h"));
  EXPECT_GT(*failure.retry_after, minutes(59));
  EXPECT_EQ(failure.rate_fields.limit, R"("total";r=0;t=3600)");
  EXPECT_EQ(engine.meters().own(echo)->rate_limited.at(0), 1U);
}

TEST_F(RateLimitedEngineTest, TellsWithTheAnswerWhatIsLeft) {
  limit(5);
  invoke(1);
  home->pod(0).hello();
  settle();
  home->pod(0).answer(home->pod(0).expect_invoke().header.stream, 200, "hi");
  settle();
  EXPECT_EQ(outcome(1).rate_fields.policy, R"("total";q=5;w=3600)");
  EXPECT_EQ(outcome(1).rate_fields.limit, R"("total";r=4;t=720)");
}

TEST_F(RateLimitedEngineTest, TellsItWithTheNodesOwnAnswersToo) {
  limit(5);
  invoke(1, "POST");  // no other pod may repeat it
  home->pod(0).hello();
  settle();
  home->pod(0).expect_invoke();
  home->exit(home->pod(0), pods::PodExit::Cause::kSignalled, SIGKILL);
  settle();
  ASSERT_TRUE(refused(1));
  EXPECT_EQ(outcome(1).failure->rate_fields.limit, R"("total";r=4;t=720)");
}

TEST_F(RateLimitedEngineTest, ALimitThatWasTakenAwayHoldsNobody) {
  limit(1);
  invoke(1);
  put("echo", plain_spec(), 3);
  invoke(2);
  EXPECT_FALSE(refused(2));
}

TEST_F(RateLimitedEngineTest, TheRateOfANamespaceHoldsForItsFunctionsUntilItIsTakenAway) {
  put("echo", plain_spec(), 2);
  engine.set_namespace_rate("default", scheduler::Rate{1, std::chrono::hours(1), 1});
  invoke(1);
  invoke(2);
  EXPECT_FALSE(refused(1));
  ASSERT_TRUE(refused(2));
  EXPECT_THAT(outcome(2).failure->detail, HasSubstr("namespace"));
  engine.set_namespace_rate("default", std::nullopt);
  invoke(3);
  EXPECT_FALSE(refused(3));
}

}  // namespace
}  // namespace subito::node
