#include "my-function.h"

#include <gtest/gtest.h>
#include <subito/testing.h>

namespace {

using subito::Request;

TEST(Greet, GreetsByNameWithTheGreetingOfTheSettings) {
  subito::testing::TestContext context;
  EXPECT_EQ(greet(Request("GET", "/"), context).body(), "hello world\n");
  context.settings["greeting"] = "hi";
  EXPECT_EQ(greet(Request("GET", "/?name=you"), context).body(), "hi you\n");
}

TEST(Greet, RefusesANameThatIsTooLong) {
  subito::testing::TestContext context;
  const Request request("GET", "/?name=" + std::string(101, 'x'));
  EXPECT_EQ(subito::testing::answer_of(greet, request, context).status(), 400);
}

}  // namespace
