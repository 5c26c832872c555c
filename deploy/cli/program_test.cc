#include "deploy/cli/program.h"

#include <gtest/gtest.h>

#include <sstream>

namespace subito::cli {
namespace {

TEST(RunProgram, TakesBothOutputsInOrderAndTheStatus) {
  std::ostringstream shown;
  const auto end = run_program({"sh", "-c", "echo a; echo b >&2; echo c; cat; exit 3"}, &shown);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output, "a\nb\nc\n");
  EXPECT_EQ(shown.str(), end->output);
  EXPECT_EQ(end->status, 3);
}

TEST(RunProgram, ASignalThatEndedItIsTold) {
  const auto end = run_program({"sh", "-c", "kill -9 $$"}, nullptr);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->status, 137);
}

TEST(RunProgram, OneThatIsNotThereIsNotFound) {
  const auto end = run_program({"no-such-program-here"}, nullptr);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(end.error().message.substr(0, 26), "run no-such-program-here: ");
}

}  // namespace
}  // namespace subito::cli
