#include "runtime/gateway/request_id.h"

#include <gtest/gtest.h>

#include <set>

namespace subito::gateway {
namespace {

TEST(RequestNamesTest, AreWellFormedAndDifferent) {
  RequestNames names;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = names.request_id();
    EXPECT_TRUE(is_request_id(id)) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
    EXPECT_TRUE(is_traceparent(names.traceparent()));
  }
  EXPECT_NE(RequestNames().request_id(), RequestNames().request_id());
}

TEST(RequestIdTest, TakesOnlyHarmlessOnesFromClients) {
  EXPECT_TRUE(is_request_id("order-7.retry_2"));
  EXPECT_FALSE(is_request_id(""));
  EXPECT_FALSE(is_request_id("a b"));
  EXPECT_FALSE(is_request_id("a\"b"));
  EXPECT_TRUE(is_request_id(std::string(128, 'x')));
  EXPECT_FALSE(is_request_id(std::string(129, 'x')));
}

TEST(TraceparentTest, FollowsTheStandard) {
  EXPECT_TRUE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  EXPECT_FALSE(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"));
}

}  // namespace
}  // namespace subito::gateway
