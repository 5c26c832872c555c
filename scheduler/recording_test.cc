#include "scheduler/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/digest.h"

namespace subito::scheduler {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Writes down all that a scheduler is told.
class Recorder final : public InputObserver {
 public:
  explicit Recorder(const NodeLimits& limits) : writer_(limits, bytes) {}
  void on_input(const Input& input, std::span<const Effect> effects) override {
    writer_.append(input, effects, bytes);
    ++inputs;
  }
  std::string bytes;
  int inputs = 0;

 private:
  RecordingWriter writer_;
};

constexpr NodeLimits kNode{.pods_max = 3, .starting_max = 2};

// One of everything that a scheduler can be told.
std::string recorded(int* inputs = nullptr) {
  Scheduler scheduler(kNode);
  Recorder recorder(kNode);
  scheduler.observe(&recorder);
  Effects effects;
  TimePoint now(5s);
  const FunctionId a(1);
  scheduler.add_function(now, a, RevisionId(1), {.pods_max = 2, .queue_limit = 7}, effects);
  scheduler.arrive(now += 1ms, {InvocationId(1), a, TimePoint::max()}, effects);
  scheduler.arrive(now += 1ms, {InvocationId(2), a, now + 30s}, effects);
  scheduler.arrive(now += 1ms, {InvocationId(3), a, now + 30s}, effects);
  scheduler.pod_ready(now += 1ms, PodId(1), effects, 15);
  scheduler.completed(now += 1ms, InvocationId(1), effects, {1ms, 2ms, 3ms});
  scheduler.cancelled(now += 1ms, InvocationId(3), effects);
  const InvocationId again[] = {InvocationId(2)};
  scheduler.pod_exited(now += 1ms, PodId(2), ExitKind::kCrashed, again, effects);
  scheduler.given_back(now += 1ms, InvocationId(2), effects);
  scheduler.scale(now += 1ms, a, 1, std::nullopt, effects);
  scheduler.update_function(now += 1ms, a, RevisionId(2), {}, effects);
  scheduler.expire(now += 60s, effects);
  scheduler.remove_function(now += 1ms, a, effects);
  scheduler.close(now += 1ms, effects);
  if (inputs != nullptr) *inputs = recorder.inputs;
  return recorder.bytes;
}

TEST(Recording, ReplaysToTheSameDecisions) {
  int inputs = 0;
  const std::string bytes = recorded(&inputs);
  EXPECT_EQ(inputs, 14);
  auto reader = RecordingReader::open(bytes);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->limits().pods_max, 3u);
  Scheduler scheduler(reader->limits());
  std::uint64_t effects_seen = 0;
  for (int i = 0; i < inputs; ++i) {
    const auto next = reader->next();
    ASSERT_TRUE(next) << next.error().message;
    ASSERT_TRUE(*next);
    Effects effects;
    apply((*next)->input, scheduler, effects);
    Digest digest;
    digest.add(effects);
    EXPECT_EQ(effects.size(), (*next)->effects) << name_of((*next)->input);
    EXPECT_EQ(digest.value(), (*next)->digest) << name_of((*next)->input);
    effects_seen += effects.size();
  }
  EXPECT_GT(effects_seen, 8u);
  EXPECT_FALSE(*reader->next());
}

// Each field with a value of its own.
FunctionLimits all_different() {
  return {.pods_min = 1,
          .pods_max = 2,
          .concurrency = 3,
          .queue_limit = 4,
          .queue_timeout = 5ns,
          .idle_timeout = 6ns,
          .start_timeout = 7ns,
          .drain_timeout = 8ns,
          .cancel_grace = 9ns,
          .start_prior = 10ns,
          .memory_bytes = 1ULL << 40,
          .weight = 11,
          .in_flight_max = 12,
          .height = 13,
          .policy = {.kind = autoscaler::PolicyKind::kConcurrency,
                     .concurrency = {.stable_window = 14s,
                                     .to_zero_grace = 15ns,
                                     .scale_down_delay = 16ns,
                                     .target = 17,
                                     .utilization_percent = 18,
                                     .panic_window_percent = 19,
                                     .panic_threshold_percent = 220,
                                     .max_scale_up_rate = 21,
                                     .max_scale_down_rate = 22,
                                     .initial_scale = 23,
                                     .activation_scale = 24,
                                     .burst_capacity = -1}}};
}

TEST(Recording, KeepsEveryField) {
  std::string bytes;
  RecordingWriter writer(kNode, bytes);
  const FunctionLimits limits = all_different();
  writer.append(AddFunction{TimePoint(1s), FunctionId(300), RevisionId(4), limits}, {}, bytes);
  writer.append(
      Arrive{TimePoint(2s),
             {.invocation = InvocationId(1u << 20), .function = FunctionId(300), .nested = true}},
      {}, bytes);
  writer.append(
      PodExited{TimePoint(1500ms), PodId(9), ExitKind::kKilled, {InvocationId(2), InvocationId(1)}},
      {}, bytes);
  auto reader = RecordingReader::open(bytes).value();
  const auto add = std::get<AddFunction>((**reader.next()).input);
  EXPECT_EQ(add.now, TimePoint(1s));
  EXPECT_EQ(add.function, FunctionId(300));
  EXPECT_EQ(add.revision, RevisionId(4));
  EXPECT_EQ(add.limits.pods_min, 1u);
  EXPECT_EQ(add.limits.pods_max, 2u);
  EXPECT_EQ(add.limits.concurrency, 3u);
  EXPECT_EQ(add.limits.queue_limit, 4u);
  EXPECT_EQ(add.limits.queue_timeout, 5ns);
  EXPECT_EQ(add.limits.idle_timeout, 6ns);
  EXPECT_EQ(add.limits.start_timeout, 7ns);
  EXPECT_EQ(add.limits.drain_timeout, 8ns);
  EXPECT_EQ(add.limits.cancel_grace, 9ns);
  EXPECT_EQ(add.limits.start_prior, 10ns);
  EXPECT_EQ(add.limits.weight, 11u);
  EXPECT_EQ(add.limits.in_flight_max, 12u);
  EXPECT_EQ(add.limits.height, 13u);
  EXPECT_EQ(add.limits.memory_bytes, 1ULL << 40);
  EXPECT_EQ(add.limits.policy, limits.policy);
  const auto arrive = std::get<Arrive>((**reader.next()).input);
  EXPECT_EQ(arrive.now, TimePoint(2s));
  EXPECT_EQ(arrive.arrival.invocation, InvocationId(1u << 20));
  EXPECT_EQ(arrive.arrival.deadline, TimePoint::max());
  EXPECT_TRUE(arrive.arrival.nested);
  const auto exited = std::get<PodExited>((**reader.next()).input);
  EXPECT_EQ(exited.now, TimePoint(1500ms));  // earlier: a clock never does, the format can
  EXPECT_EQ(exited.kind, ExitKind::kKilled);
  EXPECT_EQ(exited.again, (std::vector{InvocationId(2), InvocationId(1)}));
}

// The first error of a recording, or empty.
std::string fault_of(const std::string& bytes) {
  auto reader = RecordingReader::open(bytes);
  if (!reader) return reader.error().message;
  for (;;) {
    const auto next = reader->next();
    if (!next) return next.error().message;
    if (!*next) return "";
  }
}

TEST(Recording, BrokenOnesAreRefusedWithOffsetAndReason) {
  const std::string good = recorded();
  EXPECT_EQ(fault_of(good), "");
  EXPECT_EQ(fault_of(""),
            "byte 0: this is no recording of `subito up --record`, or one of another "
            "version");
  EXPECT_THAT(fault_of("x" + good), HasSubstr("byte 0: this is no recording"));
  EXPECT_THAT(fault_of(good.substr(0, good.size() - 1)),
              HasSubstr("the file ends within a record"));
  EXPECT_THAT(fault_of(good + '\xff'),
              HasSubstr("byte " + std::to_string(good.size()) + ": the file"));
  std::string flipped = good;
  flipped[good.size() - 8] = static_cast<char>(flipped[good.size() - 8] ^ 1);
  EXPECT_THAT(fault_of(flipped), HasSubstr("the checksum of the record differs"));
}

// Whatever is done to one byte is noticed, and nothing falls over.
TEST(Recording, NoFlippedByteGoesUnseen) {
  const std::string good = recorded();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    EXPECT_NE(fault_of(bad), "") << i;
    fault_of(good.substr(0, i));
  }
}

TEST(Digests, TellEffectsApart) {
  const auto digest = [](const Effect& effect) {
    Digest one;
    one.add(effect);
    return one.value();
  };
  const Dispatch dispatch{.invocation = InvocationId(1), .pod = PodId(2)};
  const Dispatch swapped{.invocation = InvocationId(2), .pod = PodId(1)};
  const Dispatch cold{.invocation = InvocationId(1), .pod = PodId(2), .cold = true};
  EXPECT_EQ(digest(dispatch), digest(Dispatch(dispatch)));
  EXPECT_NE(digest(dispatch), digest(swapped));
  EXPECT_NE(digest(dispatch), digest(cold));
  EXPECT_NE(digest(DrainPod()), digest(StopPod()));
}

}  // namespace
}  // namespace subito::scheduler
