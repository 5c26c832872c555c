#include "bench/pod_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::bench {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string event(const std::string& pod, const std::string& reason) {
  return R"({"type": "event", "pod": ")" + pod + R"(", "reason": ")" + reason + R"("})";
}

TEST(PodTally, CountsStartsAndTheMostAtOnce) {
  PodTally tally;
  const std::vector<std::pair<const char*, const char*>> said = {
      {"step-1", "PodStarted"}, {"step-2", "PodStarted"},  {"step-1", "PodAsleep"},
      {"step-3", "PodStarted"},  // step-1 is on its way, not gone
      {"step-1", "PodEnded"},   {"step-2", "PodDraining"}, {"step-2", "PodEnded"},
      {"step-4", "PodStarted"}, {"step-3", "PodEnded"},    {"step-4", "PodEnded"}};
  for (const auto& [pod, reason] : said) {
    const auto taken = tally.take(event(pod, reason));
    ASSERT_TRUE(taken);
    EXPECT_EQ(*taken, reason);
  }
  EXPECT_EQ(tally.started(), 4U);
  EXPECT_EQ(tally.most_at_once(), 3U);
  EXPECT_TRUE(tally.faults().empty());
}

TEST(PodTally, NamesEndsThatNobodyAskedFor) {
  PodTally tally;
  ASSERT_TRUE(tally.take(event("step-1", "PodStarted")));
  ASSERT_TRUE(tally.take(event("step-1", "PodCrashed")));
  ASSERT_TRUE(tally.take(event("step-2", "PodStartFailed")));
  ASSERT_TRUE(tally.take(event("step-3", "PodStarted")));
  EXPECT_EQ(tally.started(), 2U);
  EXPECT_EQ(tally.most_at_once(), 1U);
  EXPECT_THAT(tally.faults(), ElementsAre(Pair("PodCrashed", 1U), Pair("PodStartFailed", 1U)));
}

TEST(PodTally, LeavesAloneWhatIsOfNoPod) {
  PodTally tally;
  const auto first = tally.take(R"({"type": "pods", "items": [], "ready": {}})");
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, "");
  const auto scaled = tally.take(event("", "Scaled"));
  ASSERT_TRUE(scaled);
  EXPECT_EQ(*scaled, "Scaled");
  EXPECT_TRUE(tally.faults().empty());
  EXPECT_FALSE(tally.take("no json"));
}

}  // namespace
}  // namespace subito::bench
