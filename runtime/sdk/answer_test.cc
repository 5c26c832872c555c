#include "runtime/sdk/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "runtime/sdk/include/subito/testing.h"

namespace subito::sdk {
namespace {

using ::testing::MatchesRegex;

template <typename Thrown>
Failure failure_of(Thrown thrown) {
  subito::testing::TestContext context;
  const Handler handler = [&](const Request&, Context&) -> Response { throw thrown; };
  return run_handler(handler, Request("GET", "/"), context).failure.value();
}

struct Oddity {};

TEST(AnswerTest, SaysWhatWasThrown) {
  EXPECT_EQ(words(failure_of(std::out_of_range("no such key"))), "std::out_of_range: no such key");
  EXPECT_EQ(words(failure_of(42)), "int: 42");
  EXPECT_EQ(words(failure_of(static_cast<const char*>("gone"))), "char const*: gone");
  EXPECT_THAT(words(failure_of(Oddity{})), MatchesRegex(".*Oddity")) << "and no colon";
}

TEST(AnswerTest, NamesTheCommandThatTellsWhereItWasThrown) {
  const Failure failure = failure_of(std::out_of_range("no such key"));
  ASSERT_FALSE(failure.backtrace.empty());
  EXPECT_THAT(describe(failure), MatchesRegex("std::out_of_range: no such key; where: addr2line "
                                              "-Cfipe /.*/handler_testing_test( 0x[0-9a-f]+)+"));
  EXPECT_TRUE(describe({"shop::Oddity", "", {0x401001}}).ends_with(" 0x401000"))
      << "within the call, not behind it";
}

}  // namespace
}  // namespace subito::sdk
