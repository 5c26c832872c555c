#include <gtest/gtest.h>

#include <set>

#include "scheduler/effects.h"
#include "scheduler/scheduler.h"
#include "scheduler/view.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;

TEST(Words, OfDurationsHaveOneDecimalBelowTen) {
  EXPECT_EQ(words(Duration(0)), "0 ns");
  EXPECT_EQ(words(Duration(900us)), "900 µs");
  EXPECT_EQ(words(Duration(1100us)), "1.1 ms");
  EXPECT_EQ(words(Duration(12300us)), "12 ms");
  EXPECT_EQ(words(Duration(999600ns)), "1 ms");
  EXPECT_EQ(words(Duration(4s)), "4 s");
  EXPECT_EQ(words(Duration(90s)), "90 s");
  EXPECT_EQ(words(Duration(150s)), "2.5 min");
}

TEST(Words, OfEffectsAreWhatGetPodsShows) {
  EXPECT_EQ(words(StartPod{.pod = {}, .function = {}, .revision = {}, .waiting = 1}),
            "1 waiting: no pod runs");
  EXPECT_EQ(words(StartPod{.pod = {}, .function = {}, .revision = {}, .why = StartWhy::kMinimum}),
            "fewer pods than scaling.min");
  EXPECT_EQ(words(DrainPod{.pod = {}, .function = {}, .idle = 4s, .served = 12}),
            "asleep after 4 s idle, 12 requests");
  EXPECT_EQ(
      words(DrainPod{.pod = {}, .function = {}, .reason = DrainReason::kEvicted, .served = 1}),
      "made room for another function, 1 request");
  EXPECT_EQ(words(StopPod{.pod = {}, .function = {}, .reason = StopReason::kStartTimeout}),
            "killed: no hello within start_timeout");
}

TEST(Words, OfADecisionThatWasNotMadeSaySo) {
  EXPECT_EQ(words(Decision{}), "nothing was decided yet");
}

TEST(Words, OfADecisionHaveTheNumbersItWasMadeBy) {
  Decision decision{
      .kind = Decision::Kind::kWaitForPod, .at = {}, .start_cost = 1100us, .reason = "why"};
  EXPECT_EQ(words(decision), "waits for a busy pod: why");
  decision.pods_wanted = 2;
  EXPECT_EQ(words(decision), "waits for a busy pod: why (2 wanted)");
  decision.waiting = 3;
  EXPECT_EQ(words(decision),
            "waits for a busy pod: why (3 waiting, 2 wanted, a start takes 1.1 ms)");
  decision.expected_wait = 15ms;
  EXPECT_EQ(words(decision),
            "waits for a busy pod: why (3 waiting, 15 ms expected, 2 wanted, a start takes 1.1 "
            "ms)");
}

// People know the manifest's names, not ours.
TEST(Words, NameLimitsAsTheManifestDoes) {
  EXPECT_EQ(words(Decision{.kind = Decision::Kind::kAtMaximum, .at = {}, .reason = "why"}),
            "no pod started, scaling.max is reached: why");
}

// Every value has a text, and no two the same.
template <typename Enum>
std::size_t distinct_texts(Enum last) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(last); ++i) texts.insert(to_string(static_cast<Enum>(i)));
  return texts.size();
}

TEST(Words, EveryReasonHasATextOfItsOwn) {
  EXPECT_EQ(distinct_texts(StartWhy::kPlanned), 3u);
  EXPECT_EQ(distinct_texts(CancelReason::kClientLeft), 2u);
  EXPECT_EQ(distinct_texts(RefuseReason::kNodeClosing), 12u);
  EXPECT_EQ(distinct_texts(DrainReason::kClosing), 10u);
  EXPECT_EQ(distinct_texts(StopReason::kUnresponsive), 3u);
  EXPECT_EQ(distinct_texts(PodState::kStopping), 4u);
  EXPECT_EQ(distinct_texts(ExitKind::kOutOfMemory), 5u);
  for (int i = 0; i <= static_cast<int>(Decision::Kind::kStopped); ++i) {
    const Decision decision{
        .kind = static_cast<Decision::Kind>(i), .at = {}, .waiting = 2, .reason = "why"};
    EXPECT_FALSE(words(decision).empty());
  }
}

TEST(HttpStatus, IsRightForEveryRefusal) {
  EXPECT_EQ(http_status(RefuseReason::kQueueFull), 429);
  EXPECT_EQ(http_status(RefuseReason::kFunctionGone), 404);
  EXPECT_EQ(http_status(RefuseReason::kPodDied), 502);
  EXPECT_EQ(http_status(RefuseReason::kDeadline), 504);
  for (const RefuseReason reason :
       {RefuseReason::kQueueTimeout, RefuseReason::kCrashLoop, RefuseReason::kNodeFull,
        RefuseReason::kStartFailed, RefuseReason::kNodeClosing}) {
    EXPECT_EQ(http_status(reason), 503);
  }
}

}  // namespace
}  // namespace subito::scheduler
