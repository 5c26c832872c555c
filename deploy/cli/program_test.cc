#include "deploy/cli/program.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

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

TEST(RunProgram, KeepsTheEndOfALongTaleAndShowsAllOfIt) {
  std::ostringstream shown;
  const auto end = run_program({"sh", "-c", "seq 1 100000"}, &shown);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output.size(), kProgramOutputBytesMax);
  EXPECT_EQ(end->output.substr(end->output.size() - 7), "100000\n");
  EXPECT_EQ(end->cut_bytes + end->output.size(), shown.str().size());
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

bool is_there(pid_t group) {
  return ::kill(-group, 0) == 0;
}

// proc(5): state and group are the first and third field behind the name.
bool only_zombies(pid_t group) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line, state;
    int parent = 0, its_group = 0;
    if (!std::getline(file, line) || line.rfind(')') == line.npos) continue;
    std::istringstream(line.substr(line.rfind(')') + 1)) >> state >> parent >> its_group;
    if (its_group == group && state != "Z") return false;
  }
  return true;
}

TEST(ProgramBeside, IsReadAsItSpeaks) {
  auto program = Program::start({"sh", "-c", "echo a; echo b >&2; exit 3"});
  ASSERT_TRUE(program) << program.error().message;
  std::ostringstream shown;
  while (program->read(&shown)) {
  }
  const auto end = std::move(*program).wait();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "a\nb\n");
  EXPECT_EQ(shown.str(), end->output);
  EXPECT_EQ(end->status, 3);
}

TEST(ProgramBeside, EndsWithItsWholeGroup) {
  pid_t group = 0;
  {
    // The child says who leads the group, which tells that both are there.
    auto program = Program::start({"sh", "-c", "(echo $$; exec sleep 1000) & wait"});
    ASSERT_TRUE(program) << program.error().message;
    std::ostringstream shown;
    while (shown.str().find('\n') == std::string::npos) ASSERT_TRUE(program->read(&shown));
    group = std::stoi(shown.str());
    ASSERT_TRUE(is_there(group));
  }
  // The orphan closes its output a moment before it is a zombie; init reaps it when it likes.
  const auto ended = [&] { return !is_there(group) || only_zombies(group); };
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!ended() && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  EXPECT_TRUE(ended());
}

TEST(ProgramBeside, IsKilledWhenItDoesNotWantToEnd) {
  pid_t pid = 0;
  {
    auto program =
        Program::start({"sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1000; done"});
    ASSERT_TRUE(program) << program.error().message;
    std::ostringstream shown;
    while (shown.str().find('\n') == std::string::npos) ASSERT_TRUE(program->read(&shown));
    pid = std::stoi(shown.str());
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace subito::cli
