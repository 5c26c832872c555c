#include "bench/simulate/recorded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/simulate/shapes.h"
#include "bench/simulate/simulation.h"
#include "scheduler/recording.h"

namespace subito::simulate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Writer final : public scheduler::InputObserver {
 public:
  void on_input(const scheduler::Input& input,
                std::span<const scheduler::Effect> effects) override {
    writer_.append(input, effects, bytes);
  }
  std::string bytes;

 private:
  scheduler::RecordingWriter writer_{{}, bytes};
};

Outcome run(const Setup& setup, const Plan& plan, Writer* writer) {
  Simulation simulation(setup, plan);
  if (writer != nullptr) simulation.record(*writer);
  return simulation.run([](double) { return true; });
}

// A simulated life stands for a live one: simulated again from its recording it is the same.
TEST(Recorded, IsTheSameLifeAgain) {
  const Plan plan =
      shaped_plan(Spec::parse("burst:rate=1,peak=200,every=60s,for=2s,service=15ms").value(),
                  {.functions = 3})
          .value();
  simulate::Setup setup;
  setup.cold_start = Distribution::fixed(40ms);
  setup.limits.idle_timeout = 5s;
  Writer writer;
  const Outcome lived = run(setup, plan, &writer);
  const auto recorded = read_recorded(writer.bytes);
  ASSERT_TRUE(recorded) << recorded.error().message;
  EXPECT_EQ(recorded->plan.functions.size(), 3u);
  EXPECT_EQ(recorded->plan.limits.at(0).idle_timeout, 5s);
  EXPECT_EQ(recorded->live.completed, lived.completed);
  EXPECT_EQ(recorded->live.cold, lived.cold);
  EXPECT_EQ(recorded->live.starts, lived.starts);
  EXPECT_EQ(recorded->live.waiting.max(), lived.waiting.max());
  EXPECT_NEAR(recorded->live.pod_seconds, lived.pod_seconds, lived.pod_seconds / 100);
  EXPECT_NEAR(recorded->live.gb_seconds_used, lived.gb_seconds_used, 1e-6);

  setup.cold_start = recorded->cold_start;
  const Outcome again = run(setup, recorded->plan, nullptr);
  EXPECT_EQ(again.completed, lived.completed);
  EXPECT_EQ(again.cold, lived.cold);
  EXPECT_EQ(again.starts, lived.starts);
  EXPECT_NEAR(again.pod_seconds, lived.pod_seconds, lived.pod_seconds / 100);
}

TEST(Recorded, NeedsACallAndAnUnbrokenFile) {
  Writer empty;
  EXPECT_THAT(read_recorded(empty.bytes).error().message, HasSubstr("no completed call"));
  EXPECT_EQ(read_recorded("nonsense").error().code, ErrorCode::kProtocol);
}

TEST(Recorded, OfAnotherSchedulerTellsNothing) {
  Writer writer;
  const scheduler::Effect effect = scheduler::DrainPod();
  writer.on_input(scheduler::Expire{TimePoint(1s)}, std::span(&effect, 1));
  const auto recorded = read_recorded(writer.bytes);
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(recorded.error().message, HasSubstr("decides otherwise"));
}

}  // namespace
}  // namespace subito::simulate
