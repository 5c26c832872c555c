#include "my-function.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

namespace {

using subito::Request;
using subito::Response;
using subito::testing::answer_of;

TEST(Shout, AsksHelloAndAnswersInCapitals) {
  subito::testing::TestContext context;
  context.on_call("hello", [](const Request&) { return Response::text("hello you\n"); });
  EXPECT_EQ(shout(Request("GET", "/?name=you"), context).body(), "HELLO YOU\n");
  ASSERT_EQ(context.calls().size(), 1U);
  EXPECT_EQ(context.calls()[0].target, "/?name=you");
}

TEST(Shout, SaysWhyThereIsNoGreeting) {
  subito::testing::TestContext context;
  context.fail_call("hello", "not-found");
  EXPECT_EQ(answer_of(shout, Request("GET", "/"), context).status(), 503);
  context.on_call("hello", [](const Request&) { return Response(500); });
  EXPECT_EQ(answer_of(shout, Request("GET", "/"), context).status(), 502);
}

}  // namespace
