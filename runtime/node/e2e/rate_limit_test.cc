// Rate limits from outside: what clients and calling functions are told, and what is counted.
#include <gmock/gmock.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;

class RateLimitTest : public NodeTest {};

TEST_F(RateLimitTest, TellsClientsWhatIsLeftAndWhenToComeBack) {
  node.deploy("echo", "echo", "rateLimits:\n  perCaller: {requests: 2, per: 1h}");
  const HttpResponse first = node.client().get("/function/echo");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.field("ratelimit-policy"), R"("perCaller";q=2;w=3600)");
  EXPECT_EQ(first.field("ratelimit"), R"("perCaller";r=1;t=1800)");
  EXPECT_EQ(node.client().get("/function/echo").status, 200);
  const HttpResponse refused = node.client().get("/function/echo");
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("urn:subito:problem:rate-limited"));
  EXPECT_THAT(refused.body, HasSubstr("spec.rateLimits.perCaller 2 per 1h"));
  const int retry_after = std::stoi(refused.field("retry-after"));
  EXPECT_GT(retry_after, 1700);
  EXPECT_LE(retry_after, 1800);
  EXPECT_EQ(refused.field("ratelimit"), R"("perCaller";r=0;t=)" + refused.field("retry-after"));
  EXPECT_EQ(node.function("echo").at("rateLimits").at(0).at("refused"), 1);
  EXPECT_THAT(node.cli({"describe", "echo"}).out,
              HasSubstr("perCaller 2 per 1h, at once 2; 1 refused"));
  EXPECT_EQ(node.cli({"invoke", "echo"}).exit_code, 0) << "the owner of the machine is held up";
}

TEST_F(RateLimitTest, AFunctionThatCallsTooOftenGetsACallError) {
  node.deploy("stock", "echo",
              "rateLimits: {perCaller: {requests: 1, per: 1h}, callers: [{function: shop, "
              "requests: 2, per: 1h}]}");
  node.deploy("shop", "probe", "calls: [stock]");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(node.client().get("/function/shop/call/stock/status/200").status, 200);
  }
  const HttpResponse refused = node.client().get("/function/shop/call/stock/status/200");
  EXPECT_THAT(refused.body, HasSubstr("rate-limited"));
  EXPECT_EQ(node.client().get("/function/stock/status/200").status, 200)
      << "a client has the bucket of a function";
}

}  // namespace
}  // namespace subito::e2e
