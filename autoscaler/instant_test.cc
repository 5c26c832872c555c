#include "autoscaler/instant.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace subito::autoscaler {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ExpectedWait, IsTheQueueTimesTheServiceOverTheSlots) {
  EXPECT_EQ(expected_wait(1, milliseconds(10), 1), milliseconds(10));
  EXPECT_EQ(expected_wait(3, milliseconds(10), 2), milliseconds(15));
  EXPECT_EQ(expected_wait(200, milliseconds(20), 100), milliseconds(40));
}

TEST(ExpectedWait, IsEndlessWhereNothingServesOrTheProductIsTooBig) {
  EXPECT_EQ(expected_wait(1, milliseconds(10), 0), Duration::max());
  EXPECT_EQ(expected_wait(4'000'000'000, hours(24), 1), Duration::max());
}

struct Case {
  const char* says;
  std::uint32_t waiting, slots;
  bool measured;
  Duration service, start, hoped;
  bool starts;
  StartReason reason;
};

const std::vector<Case> kCases = {
    {"from zero there is nothing to wait for",
     1,
     0,
     true,
     milliseconds(1),
     seconds(2),
     {},
     true,
     StartReason::kNothingRuns},
    {"a busy pod of unknown speed is not worth the hope",
     1,
     1,
     false,
     {},
     seconds(2),
     {},
     true,
     StartReason::kServiceUnknown},
    {"a 20 ms function with a 1 ms start scales out at once",
     1,
     1,
     true,
     milliseconds(20),
     milliseconds(1),
     {},
     true,
     StartReason::kWaitCostsMore},
    {"a 0.2 ms function with a 1 ms start waits",
     1,
     1,
     true,
     microseconds(200),
     milliseconds(1),
     {},
     false,
     StartReason::kStartCostsMore},
    {"five of 0.2 ms in front of one pod take as long as a start: wait still",
     5,
     1,
     true,
     microseconds(200),
     milliseconds(1),
     {},
     false,
     StartReason::kStartCostsMore},
    {"the sixth tips it",
     6,
     1,
     true,
     microseconds(200),
     milliseconds(1),
     {},
     true,
     StartReason::kWaitCostsMore},
    {"six over two slots do not",
     6,
     2,
     true,
     microseconds(200),
     milliseconds(1),
     {},
     false,
     StartReason::kStartCostsMore},
    {"a slow start (container, 2 s) is worth waiting a 100 ms call for",
     1,
     1,
     true,
     milliseconds(100),
     seconds(2),
     {},
     false,
     StartReason::kStartCostsMore},
    {"hope ends after a start's time", 1, 1, true, microseconds(200), milliseconds(1),
     milliseconds(1), true, StartReason::kWaitedLongEnough},
};

TEST(Instant, StartsExactlyWhenWaitingCostsMore) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.says);
    Instant policy;
    const StartAnswer answer = policy.on_waiting({.now = TimePoint(seconds(1)),
                                                  .waiting = c.waiting,
                                                  .slots = c.slots,
                                                  .hoped = c.hoped,
                                                  .service_measured = c.measured,
                                                  .service = c.service,
                                                  .start = c.start});
    EXPECT_EQ(answer.start, c.starts);
    EXPECT_EQ(to_string(answer.reason), to_string(c.reason));
    EXPECT_TRUE(answer.start || answer.ask_again_after > Duration::zero());
  }
}

TEST(Instant, WantsToBeAskedAgainWhenAStartWouldHaveBeenOver) {
  Instant policy;
  Demand demand{.waiting = 1,
                .slots = 1,
                .hoped = microseconds(400),
                .service_measured = true,
                .service = microseconds(100),
                .start = milliseconds(1)};
  const StartAnswer first = policy.on_waiting(demand);
  EXPECT_EQ(first.ask_again_after, microseconds(600));
  demand.hoped += first.ask_again_after;
  EXPECT_TRUE(policy.on_waiting(demand).start);
}

TEST(Instant, TakesAStartUnderWayForTheAnswerToManyWaiters) {
  Instant policy;
  const StartAnswer answer = policy.on_waiting({.waiting = 3,
                                                .slots = 2,
                                                .starting = 1,
                                                .hoped = milliseconds(5),
                                                .service_measured = true,
                                                .service = microseconds(100),
                                                .start = milliseconds(1)});
  EXPECT_FALSE(answer.start);
  EXPECT_EQ(answer.ask_again_after, milliseconds(1));
}

TEST(Instant, NeverSpinsWhenStartsSeemToCostNothing) {
  Instant policy;
  const StartAnswer answer =
      policy.on_waiting({.waiting = 1, .slots = 1, .service_measured = true});
  EXPECT_FALSE(answer.start);
  EXPECT_GT(answer.ask_again_after, Duration::zero());
}

TEST(Instant, KeepsIdlePodsForWhatTheLimitsSay) {
  Instant policy;
  EXPECT_EQ(policy.plan({.now = TimePoint(seconds(1)), .idle = seconds(30)}).keep_idle,
            seconds(30));
}

}  // namespace
}  // namespace subito::autoscaler
