#include "scheduler/circuit_breaker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using Outcome = CircuitBreaker::Outcome;
using State = CircuitBreaker::State;

constexpr BreakerLimits kLimits{
    .failures = 3, .failure_percent = 50, .window = 10s, .open = 5s, .probes = 2};

// A breaker and its time, with calls that end at once.
class CircuitBreakerTest : public testing::Test {
 protected:
  // '+' and '-' are calls that succeed and fail, '0' one that ends neither way, 'x' one that must
  // not be made, '.' a second.
  void run(const std::string& steps) {
    for (const char step : steps) {
      if (step == '.') {
        now_ += 1s;
        continue;
      }
      const auto pass = breaker_.begin(now_);
      ASSERT_EQ(pass.has_value(), step != 'x') << steps << " at " << step;
      if (!pass) continue;
      breaker_.finish(now_, *pass,
                      step == '+'   ? Outcome::kSuccess
                      : step == '-' ? Outcome::kFailure
                                    : Outcome::kNeither);
    }
  }

  TimePoint now_{1000s};
  CircuitBreaker breaker_{kLimits};
};

TEST_F(CircuitBreakerTest, OpensAfterSoManyFailures) {
  run("--");
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_FALSE(breaker_.since());
  run("-");
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(breaker_.since(), now_);
  EXPECT_EQ(breaker_.open_until(), now_ + 5s);
  EXPECT_EQ(breaker_.counts(now_).failures, 3u);
  run("x....x");
}

TEST_F(CircuitBreakerTest, StaysClosedWhileMostCallsSucceed) {
  run("++++---");  // 3 of 7
  EXPECT_EQ(breaker_.state(), State::kClosed);
  run("-");  // 4 of 8
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, ForgetsWhatIsOlderThanTheWindow) {
  run("--..........");
  EXPECT_EQ(breaker_.counts(now_).failures, 0u);
  run("-");
  EXPECT_EQ(breaker_.state(), State::kClosed);
  run(".........--");  // the first is 9 s old
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, CountsInAWindowThatMoves) {
  for (int i = 0; i < 30; ++i) run("-.....+");  // never 3 failures in 10 s
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, WhatEndsNeitherWayDoesNotCount) {
  run("000-0-000");
  EXPECT_EQ(breaker_.counts(now_).calls, 2u);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, ASlowCallIsAFailureWhateverItsOutcome) {
  BreakerLimits limits = kLimits;
  limits.slow = 800ms;
  for (const Outcome outcome : {Outcome::kSuccess, Outcome::kNeither, Outcome::kFailure}) {
    CircuitBreaker breaker(limits);
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(breaker.state(), State::kClosed);
      EXPECT_EQ(breaker.finish(now_, *breaker.begin(now_), outcome, 800ms), Outcome::kFailure);
    }
    EXPECT_EQ(breaker.state(), State::kOpen);
  }
  CircuitBreaker breaker(limits);
  for (int i = 0; i < 100; ++i) {
    const Outcome outcome = i % 2 == 0 ? Outcome::kSuccess : Outcome::kNeither;
    EXPECT_EQ(breaker.finish(now_, *breaker.begin(now_), outcome, 799ms), outcome);
  }
  EXPECT_EQ(breaker.counts(now_).calls, 50u);
  EXPECT_EQ(breaker.counts(now_).failures, 0u);
}

TEST_F(CircuitBreakerTest, ASlowTrialOpensItAgain) {
  BreakerLimits limits = kLimits;
  limits.slow = 800ms;
  CircuitBreaker breaker(limits);
  for (int i = 0; i < 3; ++i) breaker.finish(now_, *breaker.begin(now_), Outcome::kFailure);
  now_ += 5s;
  const auto trial = breaker.begin(now_);
  breaker.finish(now_ + 1s, *trial, Outcome::kNeither, 1s);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, WithoutALimitNoCallIsSlow) {
  for (int i = 0; i < 10; ++i) {
    breaker_.finish(now_, *breaker_.begin(now_), Outcome::kNeither, 24h);
    breaker_.finish(now_, *breaker_.begin(now_), Outcome::kSuccess, 24h);
  }
  EXPECT_EQ(breaker_.counts(now_).failures, 0u);
}

TEST_F(CircuitBreakerTest, ClosesAfterSuccessesInARow) {
  run("---x.....+");
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  run("0");  // a trial that tells nothing
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  run("+");
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_EQ(breaker_.counts(now_).calls, 0u) << "what opened it is forgotten";
  run("--");
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, OpensAgainAfterOneFailureOnTrial) {
  run("---.....+-");
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(breaker_.open_until(), now_ + 5s);
  run("x....x.++");
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, LetsOneCallThroughAtATimeOnTrial) {
  run("---.....");
  const auto trial = breaker_.begin(now_);
  ASSERT_TRUE(trial);
  EXPECT_TRUE(breaker_.on_trial());
  run("x.....x");
  breaker_.finish(now_, *trial, Outcome::kSuccess);
  EXPECT_FALSE(breaker_.on_trial());
  run("+");
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, AnswersToCallsOfAnEarlierStateTellNothing) {
  const auto slow = breaker_.begin(now_);
  const auto slower = breaker_.begin(now_);
  run("---");
  breaker_.finish(now_, *slow, Outcome::kSuccess);
  EXPECT_EQ(breaker_.state(), State::kOpen);
  run(".....");
  const auto trial = breaker_.begin(now_);
  breaker_.finish(now_, *slower, Outcome::kFailure);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_TRUE(breaker_.on_trial()) << "the slow one is not the trial";
  breaker_.finish(now_, *trial, Outcome::kSuccess);
  run("+");
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

// Any number of pods that call, are answered late, fail and give up; judged by what may be seen.
class Callers {
 public:
  explicit Callers(std::uint32_t seed) : random_(seed) {}

  void step() {
    now_ += std::chrono::milliseconds(below(300));
    if (below(2) == 0) return begin();
    if (!running_.empty()) finish(below(static_cast<std::uint32_t>(running_.size())));
  }

  // When all that runs has ended, successes close it, whatever became of it.
  void expect_way_out() {
    for (const Running& call : running_) breaker_.finish(now_, call.pass, Outcome::kNeither);
    now_ += limits_.open;
    for (std::uint32_t i = 0; i < limits_.probes; ++i) {
      const auto pass = breaker_.begin(now_);
      ASSERT_TRUE(pass);
      breaker_.finish(now_, *pass, Outcome::kSuccess);
    }
    ASSERT_EQ(breaker_.state(), State::kClosed);
  }

 private:
  struct Running {
    CircuitBreaker::Pass pass;
    int spell;  // of the state in which it was begun
  };

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  std::ptrdiff_t of_this_spell() const {
    return std::count_if(running_.begin(), running_.end(),
                         [&](const Running& call) { return call.spell == spell_; });
  }

  void begin() {
    const State before = breaker_.state();
    const bool due = before == State::kOpen && now_ >= breaker_.open_until();
    const bool expected =
        before == State::kClosed || due || (before == State::kHalfOpen && of_this_spell() == 0);
    const auto pass = breaker_.begin(now_);
    ASSERT_EQ(pass.has_value(), expected);
    ASSERT_EQ(breaker_.state(), due ? State::kHalfOpen : before);
    if (due) ++spell_;
    if (pass) running_.push_back({*pass, spell_});
  }

  void finish(std::uint32_t index) {
    const Running call = running_[index];
    running_.erase(running_.begin() + index);
    const State before = breaker_.state();
    const auto outcome = static_cast<Outcome>(below(3));
    breaker_.finish(now_, call.pass, outcome);
    const bool changed = breaker_.state() != before;
    if (changed) {
      ASSERT_EQ(call.spell, spell_) << "a late answer changed it";
      ASSERT_NE(outcome, Outcome::kNeither);
      ++spell_;
    }
    const auto counts = breaker_.counts(now_);
    ASSERT_LE(counts.failures, counts.calls);
  }

  std::mt19937 random_;
  const BreakerLimits limits_{1 + below(5), 1 + below(100),
                              std::chrono::milliseconds(10 + below(5000)),
                              std::chrono::milliseconds(below(3000)), 1 + below(3)};
  CircuitBreaker breaker_{limits_};
  TimePoint now_{5s};
  std::vector<Running> running_;
  int spell_ = 0;  // one more with each change of state
};

TEST(CircuitBreakerProperty, NeverCallsWhileOpenNorTwiceOnTrialAndAlwaysComesBack) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Callers callers(seed);
    for (int i = 0; i < 500; ++i) callers.step();
    callers.expect_way_out();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(CircuitBreakerProperty, NoMoreThanOneCallPassesWhileATrialRuns) {
  CircuitBreaker breaker(kLimits);
  TimePoint now{1s};
  for (int i = 0; i < 3; ++i) breaker.finish(now, *breaker.begin(now), Outcome::kFailure);
  for (int round = 0; round < 10; ++round) {
    now += 5s;
    const auto trial = breaker.begin(now);
    ASSERT_TRUE(trial);
    for (int i = 0; i < 100; ++i) ASSERT_FALSE(breaker.begin(now + std::chrono::seconds(i)));
    breaker.finish(now, *trial, Outcome::kFailure);
    ASSERT_FALSE(breaker.begin(now + 4999ms));
  }
}

}  // namespace
}  // namespace subito::scheduler
