#include "my-function.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

namespace {

using subito::Request;
using subito::Response;
using subito::testing::answer_of;

TEST(Handle, AsksTheOtherAndAnswersInCapitals) {
  subito::testing::TestContext context;
  context.on_call(kCalled, [](const Request&) { return Response::text("hi you\n"); });
  EXPECT_EQ(handle(Request("GET", "/?name=you"), context).body(), "HI YOU\n");
  ASSERT_EQ(context.calls().size(), 1U);
  EXPECT_EQ(context.calls()[0].target, "/?name=you");
}

TEST(Handle, SaysWhyThereIsNoGreeting) {
  subito::testing::TestContext context;
  context.fail_call(kCalled, "not-found");
  EXPECT_EQ(answer_of(handle, Request("GET", "/"), context).status(), 503);
  context.on_call(kCalled, [](const Request&) { return Response(500); });
  EXPECT_EQ(answer_of(handle, Request("GET", "/"), context).status(), 502);
}

}  // namespace
