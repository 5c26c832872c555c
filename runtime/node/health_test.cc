#include "runtime/node/health.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

class HealthTest : public testing::Test {
 protected:
  std::vector<std::string> told;
  Health health{[this](const api::Condition& condition) {
    told.push_back(condition.name + ":" + (condition.ok ? "ok" : condition.fault));
  }};
};

TEST_F(HealthTest, TellsAChangeOnce) {
  health.set("disk", false, "", 1);
  EXPECT_TRUE(told.empty()) << "well from the first: nothing to tell";
  health.set("disk", false, "full", 2);
  health.set("disk", false, "full", 3);
  health.set("disk", false, "read-only", 4);
  health.set("disk", false, "", 5);
  health.set("disk", false, "", 6);
  EXPECT_EQ(told, (std::vector<std::string>{"disk:full", "disk:read-only", "disk:ok"}));
}

TEST_F(HealthTest, SinceIsWhenItWasLastWellOrNot) {
  health.set("disk", false, "", 1);
  health.set("disk", false, "full", 2);
  health.set("disk", false, "read-only", 3);
  EXPECT_EQ(health.conditions().at(0).since_unix_ns, 2);
  health.set("disk", false, "", 7);
  EXPECT_EQ(health.conditions().at(0).since_unix_ns, 7);
}

TEST_F(HealthTest, OnlyWhatRequestsNeedMakesANodeNotReady) {
  health.set("disk", false, "full", 1);
  EXPECT_EQ(health.not_ready(), nullptr);
  health.set("redis", true, "gone", 2);
  ASSERT_NE(health.not_ready(), nullptr);
  EXPECT_EQ(health.not_ready()->name, "redis");
  health.set("redis", true, "", 3);
  EXPECT_EQ(health.not_ready(), nullptr);
}

}  // namespace
}  // namespace subito::node
