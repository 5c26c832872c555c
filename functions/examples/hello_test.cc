#include <gtest/gtest.h>
#include <subito/testing.h>

subito::Response hello(const subito::Request& request, subito::Context& context);

TEST(Hello, GreetsByName) {
  subito::testing::TestContext context;
  EXPECT_EQ(hello(subito::Request("GET", "/?name=you"), context).body(), "hello you\n");
}

TEST(Hello, GreetsTheWorldWithoutOne) {
  subito::testing::TestContext context;
  EXPECT_EQ(hello(subito::Request("GET", "/"), context).body(), "hello world\n");
}
