#include "scheduler/call_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/limits.h"

namespace subito::scheduler {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CallGraphTest, AFunctionStandsOneAboveTheHighestItCalls) {
  CallGraph graph;
  EXPECT_THAT(graph.put("shopfront", {"checkout", "stock"}), IsEmpty());
  EXPECT_THAT(graph.put("checkout", {"stock", "payment"}), ElementsAre("shopfront"));
  EXPECT_THAT(graph.put("stock", {}), IsEmpty());
  EXPECT_EQ(graph.height("stock"), 0U);
  EXPECT_EQ(graph.height("payment"), 0U) << "not deployed yet";
  EXPECT_EQ(graph.height("checkout"), 1U);
  EXPECT_EQ(graph.height("shopfront"), 2U);
  EXPECT_EQ(graph.height("nobody"), 0U);
}

TEST(CallGraphTest, ComesDownWhenCallsGo) {
  CallGraph graph;
  graph.put("a", {"b"});
  graph.put("b", {"c"});
  EXPECT_THAT(graph.remove("b"), ElementsAre("a"));
  EXPECT_EQ(graph.height("a"), 1U);
  EXPECT_EQ(graph.height("b"), 0U);
  EXPECT_THAT(graph.remove("a"), IsEmpty());
  EXPECT_EQ(graph.height("a"), 0U);
}

TEST(CallGraphTest, ACycleStandsAtTheTopUntilItIsCut) {
  CallGraph graph;
  graph.put("a", {"b"});
  graph.put("above", {"a"});
  graph.put("b", {"a", "below"});
  EXPECT_EQ(graph.height("a"), kHeightMax);
  EXPECT_EQ(graph.height("b"), kHeightMax);
  EXPECT_EQ(graph.height("above"), kHeightMax);
  EXPECT_EQ(graph.height("below"), 0U);
  EXPECT_THAT(graph.put("b", {"below"}), ElementsAre("a", "above"));
  EXPECT_EQ(graph.height("b"), 1U);
  EXPECT_EQ(graph.height("a"), 2U);
  EXPECT_EQ(graph.height("above"), 3U);
  graph.put("self", {"self"});
  EXPECT_EQ(graph.height("self"), kHeightMax);
}

}  // namespace
}  // namespace subito::scheduler
