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
    EXPECT_TRUE(traces::parse_traceparent(names.traceparent()));
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

}  // namespace
}  // namespace subito::gateway
