// Each request that must be refused, over a real connection.
#include <gtest/gtest.h>

#include <string>

#include "runtime/http/malformed_requests.h"
#include "runtime/server/testing.h"

namespace subito::server {
namespace {

class MalformedTest : public testing::TestWithParam<http::MalformedRequest> {};

TEST_P(MalformedTest, IsAnsweredWithItsStatusAndClosed) {
  TestServer s;
  TestClient c = s.connect();
  c.send(GetParam().bytes).expect(GetParam().status).expect_closed();
  EXPECT_FALSE(c.announced_keep_alive());
  const std::string* type = http::find_field(c.head().fields, "content-type");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(*type, "application/problem+json");
  for (const SeenRequest& seen : s.handler.seen) EXPECT_TRUE(seen.aborted);
  c.leave();
  EXPECT_TRUE(s.until([&] { return s.server.connections() == 0; }));
  EXPECT_EQ(s.server.exchanges(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, MalformedTest, testing::ValuesIn(http::malformed_requests()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace subito::server
