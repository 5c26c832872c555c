#include "bench/simulate/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/recording.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A recording of what is done with it.
class Recorded final : public scheduler::InputObserver {
 public:
  Recorded() { live.observe(this); }
  void on_input(const scheduler::Input& input,
                std::span<const scheduler::Effect> effects) override {
    writer_.append(input, effects, bytes);
  }
  // An input that no scheduler was asked about.
  void forge(const scheduler::Input& input, std::span<const scheduler::Effect> effects = {}) {
    writer_.append(input, effects, bytes);
  }

  std::string bytes;
  scheduler::Scheduler live{{}};
  scheduler::Effects decided;

 private:
  scheduler::RecordingWriter writer_{{}, bytes};
};

void run_a_little(Recorded& node) {
  TimePoint now(100s);
  node.live.add_function(now, FunctionId(1), RevisionId(1), {}, node.decided);
  for (std::uint64_t id = 1; id <= 50; ++id) {
    node.live.arrive(now += 1ms, {InvocationId(id), FunctionId(1), now + 30s}, node.decided);
    if (id == 1) node.live.pod_ready(now += 2ms, PodId(1), node.decided);
    node.live.completed(now += 3ms, InvocationId(id), node.decided);
  }
  node.live.expire(now += 31s, node.decided);
}

TEST(Replay, DecidesTheSame) {
  Recorded node;
  run_a_little(node);
  const auto outcome = replay(node.bytes);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->difference, "");
  EXPECT_EQ(outcome->inputs, 103u);
  EXPECT_EQ(outcome->effects, node.decided.size());
  EXPECT_EQ(outcome->span, 31'202ms);
}

TEST(Replay, NamesTheFirstDifference) {
  Recorded node;
  run_a_little(node);
  const std::size_t offset = node.bytes.size();
  // A scheduler of another make: it gave this call, which finds no pod, to one at once.
  const scheduler::Effect effect =
      scheduler::Dispatch{.invocation = InvocationId(51), .pod = PodId(1)};
  node.forge(scheduler::Arrive{TimePoint(140s), {InvocationId(51), FunctionId(1)}},
             std::span(&effect, 1));
  node.forge(scheduler::Expire{TimePoint(150s)});
  const auto outcome = replay(node.bytes);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->difference, "input 104 (arrive, 40 s after the first, byte " +
                                     std::to_string(offset) +
                                     "): recorded 1 effects, replayed 2: start pod, dispatch");
  EXPECT_EQ(outcome->inputs, 104u);
}

TEST(Replay, RefusesWhatNoNodeWouldHaveRecorded) {
  const auto words = [](const scheduler::Input& input) {
    Recorded node;
    run_a_little(node);
    node.forge(input);
    const auto outcome = replay(node.bytes);
    EXPECT_FALSE(outcome);
    if (outcome) return std::string();
    EXPECT_EQ(outcome.error().code, ErrorCode::kProtocol);
    return outcome.error().message;
  };
  const TimePoint now(200s);
  EXPECT_THAT(words(scheduler::AddFunction{now, FunctionId(1), RevisionId(1), {}}),
              HasSubstr("add_function adds a function that is there"));
  EXPECT_THAT(words(scheduler::UpdateFunction{now, FunctionId(2), RevisionId(1), {}}),
              HasSubstr("not there"));
  EXPECT_THAT(words(scheduler::RemoveFunction{now, FunctionId(2)}), HasSubstr("not there"));
  EXPECT_THAT(words(scheduler::Scale{now, FunctionId(2), 0, std::nullopt}), HasSubstr("not there"));
  EXPECT_THAT(words(scheduler::Scale{now, FunctionId(1), 2, 1}), HasSubstr("below the minimum"));
  EXPECT_THAT(words(scheduler::Arrive{now, {InvocationId(50), FunctionId(1)}}),
              HasSubstr("does not count up"));
}

}  // namespace
}  // namespace subito::simulate
