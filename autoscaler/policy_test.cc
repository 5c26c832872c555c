#include "autoscaler/policy.h"

#include <gtest/gtest.h>

#include <set>

namespace subito::autoscaler {
namespace {

constexpr auto kLastKind = PolicyKind::kFixed;
constexpr auto kLastStart = StartReason::kNoPodFree;
constexpr auto kLastPlan = PlanReason::kIdleTime;

template <typename Enum>
std::size_t distinct_texts(Enum last) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(last); ++i) texts.insert(to_string(static_cast<Enum>(i)));
  return texts.size();
}

TEST(MakePolicy, MakesEveryKind) {
  for (int i = 0; i <= static_cast<int>(kLastKind); ++i) {
    EXPECT_NE(make_policy({.kind = static_cast<PolicyKind>(i)}), nullptr) << i;
  }
}

TEST(Words, EveryKindAndReasonHasATextOfItsOwn) {
  EXPECT_EQ(distinct_texts(kLastKind), static_cast<std::size_t>(kLastKind) + 1);
  EXPECT_EQ(distinct_texts(kLastStart), static_cast<std::size_t>(kLastStart) + 1);
  EXPECT_EQ(distinct_texts(kLastPlan), static_cast<std::size_t>(kLastPlan) + 1);
}

}  // namespace
}  // namespace subito::autoscaler
