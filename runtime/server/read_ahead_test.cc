#include "runtime/server/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace subito::server {
namespace {

TEST(ReadAheadTest, StaysSmallWithAClientThatAlwaysKeepsTwoRequestsInFlight) {
  const std::string request(100, 'r');
  ReadAhead ahead;
  ahead.append(request + request);
  std::size_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    ahead.append(request);
    ahead.keep(2 * request.size());
    most = std::max(most, ahead.held_bytes());
  }
  EXPECT_LT(most, std::size_t{128} << 10);
  EXPECT_EQ(ahead.rest(), request + request);
}

TEST(ReadAheadTest, GivesTheRestAndIsEmptyAfterIt) {
  ReadAhead ahead;
  ahead.append("abc");
  ahead.keep(2);
  ahead.append("d");
  EXPECT_EQ(ahead.rest(), "bcd");
  EXPECT_EQ(ahead.size(), 3U);
  ahead.keep(0);
  EXPECT_TRUE(ahead.empty());
  EXPECT_EQ(ahead.held_bytes(), 0U);
}

}  // namespace
}  // namespace subito::server
