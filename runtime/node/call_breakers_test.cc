#include "runtime/node/call_breakers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::node {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kUnixNow = 1'000'000'000'000'000'000;

manifest::Breaker breaker(const std::string& call, int failures) {
  manifest::Breaker out;
  out.set_call(call);
  out.set_failures(failures);
  out.set_failure_rate(50);
  out.set_window_ms(10'000);
  out.set_open_ms(5'000);
  out.set_probes(1);
  return out;
}

class CallBreakersTest : public testing::Test {
 protected:
  CallBreakersTest() { put("shop", {breaker("stock", 2), breaker("prices", 3)}); }

  void put(const std::string& caller, const std::vector<manifest::Breaker>& list) {
    Revision revision;
    revision.name = caller;
    for (const auto& one : list) *revision.manifest.mutable_spec()->add_breakers() = one;
    breakers_.put(revision);
  }
  CallBreakers::Ticket begin(const std::string& called = "stock") {
    const auto ticket = breakers_.begin("shop", called, now_);
    EXPECT_TRUE(ticket) << ticket.error();
    return ticket.value_or(CallBreakers::Ticket());
  }
  void fail(int times, const std::string& called = "stock") {
    for (int i = 0; i < times; ++i) breakers_.failed(begin(called), "queue-full", "full", now_);
  }
  std::string refusal(const std::string& called = "stock") {
    const auto ticket = breakers_.begin("shop", called, now_);
    return ticket ? "" : ticket.error();
  }
  // "prices closed, stock open"
  std::string states() {
    std::string out;
    for (const auto& view : breakers_.views("shop", now_, kUnixNow)) {
      out += (out.empty() ? "" : ", ") + view.call + " " + std::string(word(view.state));
    }
    return out;
  }
  static std::string_view word(api::BreakerState state) {
    constexpr std::string_view kWords[] = {"closed", "open", "half-open"};
    return kWords[static_cast<int>(state)];
  }

  std::vector<std::string> told_;
  CallBreakers breakers_{
      [this](const std::string& caller, const std::string& reason, const std::string& message) {
        told_.push_back(caller + " " + reason + ": " + message);
      }};
  TimePoint now_{100s};
};

TEST_F(CallBreakersTest, OpensOneEdgeAndTellsWhy) {
  fail(2);
  EXPECT_EQ(refusal(),
            "the circuit breaker is open: 2 of 2 calls failed, the last: queue-full: full; the "
            "next is tried in 5 s");
  EXPECT_EQ(states(), "prices closed, stock open");
  EXPECT_EQ(refusal("prices"), "");
  EXPECT_THAT(told_, ElementsAre("shop CircuitOpened: calls to stock: 2 of 2 failed within 10 s, "
                                 "the last: queue-full: full; none is made for 5 s"));
}

TEST_F(CallBreakersTest, TriesAndClosesAndTellsEachOnce) {
  fail(2);
  now_ += 5s;
  EXPECT_EQ(states(), "prices closed, stock half-open") << "the next call is a trial";
  const auto failing = begin();
  EXPECT_THAT(refusal(), HasSubstr("one call is on trial"));
  EXPECT_TRUE(breakers_.views("shop", now_, kUnixNow)[1].on_trial);
  breakers_.answered(failing, 503, now_);
  EXPECT_EQ(states(), "prices closed, stock open");
  now_ += 5s;
  breakers_.answered(begin(), 404, now_);
  EXPECT_EQ(states(), "prices closed, stock closed");
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[1], "shop CircuitClosed: calls to stock are answered again, after 10 s");
}

TEST_F(CallBreakersTest, KnowsWhatIsAFailure) {
  for (const char* type : {"head-too-large", "body-too-large", "trigger-path", "rate-limited"}) {
    breakers_.failed(begin(), type, "", now_);
  }
  for (const int status : {200, 302, 404, 429, 499}) breakers_.answered(begin(), status, now_);
  breakers_.given_up(begin(), now_);
  auto view = breakers_.views("shop", now_, kUnixNow)[1];
  EXPECT_EQ(view.calls, 5u);
  EXPECT_EQ(view.failures, 0u);
  EXPECT_EQ(view.last_failed_unix_ns, 0);
  breakers_.answered(begin(), 500, now_);
  now_ += 1s;
  view = breakers_.views("shop", now_, kUnixNow)[1];
  EXPECT_EQ(view.failures, 1u);
  EXPECT_EQ(view.last_failure, "it answered 500");
  EXPECT_EQ(view.last_failed_unix_ns, kUnixNow - 1'000'000'000);
  for (const char* type : {"pod-died", "queue-full", "node-full", "deadline-exceeded"}) {
    put("shop", {breaker("stock", 1), breaker("prices", 3)});
    put("shop", {breaker("stock", 2), breaker("prices", 3)});
    breakers_.failed(begin(), type, "", now_);
    breakers_.failed(begin(), type, "", now_);
    EXPECT_EQ(states(), "prices closed, stock open") << type;
  }
}

TEST_F(CallBreakersTest, ASlowCallIsAFailureWhoeverEndsIt) {
  manifest::Breaker slow = breaker("stock", 100);
  slow.set_slow_ms(800);
  put("shop", {slow});
  const auto last = [this] { return breakers_.views("shop", now_, kUnixNow)[0]; };
  const auto quick = begin();
  const auto given_up = begin();
  const auto late = begin();
  auto begun = begin();
  now_ += 799ms;
  begun.answer_began = now_;
  breakers_.given_up(quick, now_);
  EXPECT_EQ(last().calls, 0u);
  now_ += 401ms;
  breakers_.given_up(given_up, now_);
  EXPECT_EQ(last().failures, 1u);
  EXPECT_EQ(last().last_failure, "it had not answered after 1.2 s");
  auto answered = late;
  answered.answer_began = now_;
  breakers_.answered(answered, 200, now_ + 1s);
  EXPECT_EQ(last().failures, 2u);
  EXPECT_EQ(last().last_failure, "it answered after 1.2 s");
  breakers_.answered(begun, 200, now_);
  EXPECT_EQ(last().failures, 2u) << "its body took long, not its answer";
  breakers_.failed(begin(), "body-too-large", "", now_ + 10s);
  EXPECT_EQ(last().failures, 2u) << "that the caller did wrong is not slow";
  const auto failing = begin();
  breakers_.failed(failing, "deadline-exceeded", "late", now_ + 1s);
  EXPECT_EQ(last().last_failure, "deadline-exceeded: late");
}

TEST_F(CallBreakersTest, StaysAsItIsUntilItsSettingsChange) {
  fail(2);
  put("shop", {breaker("stock", 2)});
  EXPECT_EQ(states(), "stock open");
  put("shop", {breaker("stock", 3)});
  EXPECT_EQ(states(), "stock closed");
  fail(3);
  put("shop", {});
  EXPECT_EQ(states(), "");
  EXPECT_EQ(refusal(), "");
  put("shop", {breaker("stock", 3)});
  EXPECT_EQ(states(), "stock closed");
}

TEST_F(CallBreakersTest, IsForgottenWithTheCallerAndTicketsOfThenTellNothing) {
  const auto old = begin();
  fail(1);
  breakers_.forget("shop");
  EXPECT_THAT(breakers_.views("shop", now_, kUnixNow), IsEmpty());
  put("shop", {breaker("stock", 1)});
  breakers_.failed(old, "pod-died", "", now_);
  EXPECT_EQ(states(), "stock closed");
  breakers_.forget("shop");
  breakers_.forget("shop");
}

TEST_F(CallBreakersTest, WhoHasNoneIsNeverRefused) {
  for (int i = 0; i < 100; ++i) {
    const auto ticket = breakers_.begin("other", "stock", now_);
    ASSERT_TRUE(ticket);
    breakers_.failed(*ticket, "pod-died", "", now_);
  }
}

TEST_F(CallBreakersTest, KeepsLittleOfALongReason) {
  breakers_.failed(begin(), "pod-died", std::string(10'000, 'x'), now_);
  EXPECT_EQ(breakers_.views("shop", now_, kUnixNow)[1].last_failure.size(), 200u);
}

}  // namespace
}  // namespace subito::node
