#include "autoscaler/policy.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "autoscaler/policy_box.h"

namespace subito::autoscaler {
namespace {

constexpr auto kLastKind = PolicyKind::kHistogram;
constexpr auto kLastStart = StartReason::kPlanDecides;
constexpr auto kLastPlan = PlanReason::kToZero;

template <typename Enum>
std::size_t distinct_texts(Enum last) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(last); ++i) texts.insert(to_string(static_cast<Enum>(i)));
  return texts.size();
}

// Told apart by how long an idle pod stays, and by why one starts while busy ones are there.
TEST(PolicyBox, HoldsThePolicyOfEachKind) {
  using std::chrono::hours;
  using std::chrono::seconds;
  const auto told = [](PolicyKind kind) {
    PolicyBox policy({.kind = kind});
    const Load load{.now = TimePoint(seconds(1)), .ready = 1, .idle = seconds(7)};
    policy.observe(load);
    const Demand demand{.now = load.now, .waiting = 1, .slots = 1, .pods = 1};
    return std::pair(policy.on_waiting(demand).reason, policy.plan(load).keep_idle);
  };
  EXPECT_EQ(told(PolicyKind::kInstant),
            std::pair(StartReason::kServiceUnknown, Duration(seconds(7))));
  EXPECT_EQ(told(PolicyKind::kFixed), std::pair(StartReason::kNoPodFree, Duration(seconds(7))));
  EXPECT_EQ(told(PolicyKind::kHistogram), std::pair(StartReason::kNoPodFree, Duration(hours(4))));
  EXPECT_EQ(told(PolicyKind::kConcurrency), std::pair(StartReason::kPlanDecides, Duration()));
}

TEST(Fault, NamesTheOptionThatIsWrong) {
  EXPECT_FALSE(fault(PolicyOptions{}));
  const auto told = [](const ConcurrencyOptions& options) {
    return std::string(fault({.concurrency = options}).value_or("nothing"));
  };
  EXPECT_EQ(told({.stable_window = std::chrono::seconds(5)}), "stable_window must be 6 s to 1 h");
  EXPECT_EQ(told({.to_zero_grace = Duration(-1)}), "to_zero_grace must be 0 to 1 h");
  EXPECT_EQ(told({.scale_down_delay = Duration(-1)}), "scale_down_delay must be 0 to 1 h");
  EXPECT_EQ(told({.utilization_percent = 101}), "utilization must be 1 to 100 %");
  EXPECT_EQ(told({.panic_window_percent = 0}), "panic window must be 1 to 100 %");
  EXPECT_EQ(told({.panic_threshold_percent = 100}), "panic threshold must be 110 to 1000 %");
  EXPECT_EQ(told({.max_scale_up_rate = 1}), "max_scale_up_rate must be at least 2");
  EXPECT_EQ(told({.max_scale_down_rate = 0}), "max_scale_down_rate must be at least 2");
  EXPECT_EQ(told({.activation_scale = 0}), "activation_scale must be at least 1");
}

TEST(Words, EveryKindAndReasonHasATextOfItsOwn) {
  EXPECT_EQ(distinct_texts(kLastKind), static_cast<std::size_t>(kLastKind) + 1);
  EXPECT_EQ(distinct_texts(kLastStart), static_cast<std::size_t>(kLastStart) + 1);
  EXPECT_EQ(distinct_texts(kLastPlan), static_cast<std::size_t>(kLastPlan) + 1);
}

}  // namespace
}  // namespace subito::autoscaler
