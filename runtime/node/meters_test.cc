// What the engine counts as invocations and pods come and go.
#include "runtime/node/meters.h"

#include <gtest/gtest.h>

#include "runtime/node/fake_pod.h"

namespace subito::node {
namespace {

class MetersTest : public EngineFixture, public testing::Test {
 protected:
  const FunctionMeters& meters() const { return *engine.meters().own(echo); }
  std::uint64_t exits(scheduler::ExitKind kind) const {
    return meters().exits.at(static_cast<std::size_t>(kind));
  }
  std::uint64_t started(pods::StartMode mode) const {
    const auto& reasons = meters().starts[static_cast<std::size_t>(mode)];
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < reasons.kSize; ++i) sum += reasons.at(i);
    return sum;
  }
};

TEST_F(MetersTest, CountAnInvocationWhenItEnds) {
  invoke(1);
  EXPECT_EQ(meters().duration.count(), 0U);
  FakePod& pod = home->pod(0);
  pod.hello();
  settle();
  pod.answer(pod.expect_invoke().header.stream, 404, "no");
  settle();
  EXPECT_EQ(meters().ended[4], 1U);
  EXPECT_EQ(meters().duration.count(), 1U);
  EXPECT_EQ(meters().queue.count(), 1U);
  EXPECT_EQ(meters().cold, 1U);
  EXPECT_EQ(meters().invocations.at(static_cast<std::size_t>(Origin::kClient)), 1U);
}

TEST_F(MetersTest, CountStartsByModeAndTheirTimeOnceThePodSpeaks) {
  invoke(1);
  EXPECT_EQ(started(pods::StartMode::kPooled), 1U);
  const auto pooled = static_cast<std::size_t>(pods::StartMode::kPooled);
  EXPECT_EQ(meters().start_duration[pooled].count(), 0U);
  home->pod(0).hello();
  settle();
  EXPECT_EQ(meters().start_duration[pooled].count(), 1U);
  EXPECT_EQ(engine.meters().starts_waiting.at(
                static_cast<std::size_t>(autoscaler::StartReason::kNothingRuns)),
            1U);
}

TEST_F(MetersTest, CountAClientThatLeftAsNoAnswer) {
  FakePod& pod = warm_pod();
  const std::uint64_t before = meters().duration.count();
  const InvocationId id = invoke(2);
  pod.expect_invoke();
  engine.abort(id);
  settle();
  EXPECT_EQ(meters().ended[0], 1U);
  EXPECT_EQ(meters().duration.count(), before + 1);
}

TEST_F(MetersTest, CountPodsThatWereKilledForTheirMemory) {
  FakePod& pod = warm_pod();
  pod.close();
  home->exit(pod, pods::PodExit::Cause::kOutOfMemory);
  settle();
  EXPECT_EQ(exits(scheduler::ExitKind::kOutOfMemory), 1U);
  EXPECT_EQ(exits(scheduler::ExitKind::kCrashed), 0U);
}

TEST_F(MetersTest, CountARepeatAndTheEndOnce) {
  FakePod& pod = warm_pod();
  const std::uint64_t before = meters().ended[2];
  invoke(2);
  pod.expect_invoke();
  pod.read_all();
  pod.close();
  home->exit(pod, pods::PodExit::Cause::kSignalled, 9);
  settle();
  EXPECT_EQ(meters().repeats, 1U);
  EXPECT_EQ(exits(scheduler::ExitKind::kCrashed), 1U);
  FakePod& other = *home->pods.back();
  other.hello();
  settle();
  other.answer(other.expect_invoke().header.stream, 200, "");
  settle();
  EXPECT_EQ(meters().ended[2], before + 1);
}

TEST_F(MetersTest, CountAStartThatCouldNotBeMadeAsAnExit) {
  home->refuse_starts = Error{ErrorCode::kUnavailable, "no", 0};
  invoke(1);
  EXPECT_GE(exits(scheduler::ExitKind::kStartFailed), 1U);
}

TEST_F(MetersTest, AFunctionThatIsGoneHasNoSeries) {
  warm_pod();
  engine.remove_function(echo);
  settle();
  EXPECT_EQ(engine.meters().own(echo), nullptr);
}

TEST(Meters, BeyondTheLimitFunctionsShareOneRecordUntilAPlaceIsFree) {
  Meters meters;
  for (std::uint64_t id = 1; id <= Meters::kFunctionsMax + 2; ++id) meters.add(FunctionId(id));
  const FunctionId last(Meters::kFunctionsMax + 2);
  EXPECT_NE(meters.own(FunctionId(1)), nullptr);
  EXPECT_EQ(meters.own(last), nullptr);
  meters.of(last).count_end(200, Duration(1), Duration(0));
  meters.of(FunctionId(Meters::kFunctionsMax + 1)).count_end(200, Duration(1), Duration(0));
  EXPECT_EQ(meters.shared().ended[2], 2U);
  meters.remove(FunctionId(1));
  meters.add(last);
  EXPECT_NE(meters.own(last), nullptr);
}

}  // namespace
}  // namespace subito::node
