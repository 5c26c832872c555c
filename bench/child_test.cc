#include "bench/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>

#include "bench/pod_request.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/pod.pb.h"

namespace subito::bench {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  UniqueFd ours;
  UniqueFd theirs;
};

class StartedBy : public testing::TestWithParam<StartBy> {};

TEST_P(StartedBy, TheChildHasItsChannelAtDescriptorThree) {
  Pair pair;
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const UniqueFd shell = *open_binary("/bin/sh");
  auto child = start(GetParam(), {"/bin/sh", {"sh", "-c", "echo here >&3; exit 7"}}, shell.get(),
                     {pair.theirs.get(), null.get(), null.get()});
  ASSERT_TRUE(child) << child.error().message;
  char text[8] = {};
  EXPECT_EQ(::recv(pair.ours.get(), text, sizeof text, 0), 5);
  EXPECT_STREQ(text, "here\n");
  const auto status = child->end(std::chrono::seconds(20));
  ASSERT_TRUE(status);
  EXPECT_EQ(WEXITSTATUS(*status), 7);
}

TEST_P(StartedBy, AFailureToExecuteIsTold) {
  Pair pair;
  const UniqueFd file = *open_binary("/dev/null");
  const auto child = start(GetParam(), {"/dev/null", {"null"}}, file.get(),
                           {pair.theirs.get(), pair.theirs.get(), pair.theirs.get()});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ErrorCode::kPermissionDenied);
}

INSTANTIATE_TEST_SUITE_P(Ways, StartedBy, testing::Values(StartBy::kPosixSpawn, StartBy::kClone));

TEST(Child, ThatDoesNotEndIsKilled) {
  UniqueFd output;
  auto child = start_service({"/bin/sleep", {"sleep", "1000"}}, output, 2);
  ASSERT_TRUE(child);
  const pid_t pid = child->pid();
  EXPECT_FALSE(child->end(std::chrono::milliseconds(0)));
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(Run, GivesOutputAndExitCode) {
  const auto finished = run({"/bin/sh", {"sh", "-c", "echo out; echo err >&2; exit 3"}});
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->output, "out\nerr\n");
  EXPECT_EQ(finished->exit_code, 3);
  EXPECT_EQ(run({"/bin/sh", {"sh", "-c", "kill -9 $$"}})->exit_code, 128 + SIGKILL);
  EXPECT_EQ(run({"/nonexistent", {"x"}})->exit_code, 127);
}

TEST(PodRequest, AnswerIsReadFromBehindHelloAndLogs) {
  using protocol::FrameType;
  Pair pair;
  std::string frames;
  protocol::Result head;
  head.set_status(201);
  ASSERT_TRUE(protocol::append_frame(frames, FrameType::kHello, 0, protocol::Hello()));
  ASSERT_TRUE(protocol::append_frame(frames, FrameType::kLog, 0, protocol::Log()));
  ASSERT_TRUE(protocol::append_frame(frames, FrameType::kResult, 1, head, "a ", false));
  protocol::append_frame(frames, FrameType::kBody, 1, "body", true);
  ASSERT_EQ(::send(pair.theirs.get(), frames.data(), frames.size(), 0),
            static_cast<ssize_t>(frames.size()));
  const auto answer = read_answer(pair.ours.get());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "a body");
}

TEST(PodRequest, AFunctionThatEndsWithoutAnswerIsAnError) {
  Pair pair;
  pair.theirs.reset();
  const auto answer = read_answer(pair.ours.get());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace subito::bench
