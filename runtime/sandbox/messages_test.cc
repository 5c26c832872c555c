// What crosses the sockets: nothing is believed before it is checked.
#include "runtime/sandbox/messages.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

#include "runtime/sandbox/launch.h"
#include "runtime/sandbox/launcher_client.h"
#include "runtime/sandbox/packet_socket.h"
#include "runtime/sandbox/sandbox_control.h"

namespace subito::sandbox {
namespace {

TEST(MessagesTest, WrongKindVersionOrSizeIsRefused) {
  KillMessage message;
  message.id = SandboxId(7);
  EXPECT_EQ(decode<KillMessage>(&message, sizeof message)->id, SandboxId(7));
  EXPECT_FALSE(decode<KillMessage>(&message, sizeof message - 1).has_value());
  EXPECT_FALSE(decode<CreateMessage>(&message, sizeof message).has_value());
  message.header.version += 1;
  EXPECT_FALSE(decode<KillMessage>(&message, sizeof message).has_value());
  EXPECT_FALSE(kind_of(&message, 3).has_value());
}

TEST(LauncherClientTest, AKernelShortOfMemoryIsNotALauncherThatIsGone) {
  for (const int passes : {EAGAIN, ENOBUFS, ENOMEM, ETOOMANYREFS}) {
    EXPECT_EQ(ask_error(passes).code, ErrorCode::kResourceExhausted) << passes;
  }
  EXPECT_EQ(ask_error(EPIPE).code, ErrorCode::kUnavailable);
}

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    first.reset(ends[0]);
    second.reset(ends[1]);
  }
  UniqueFd first;
  UniqueFd second;
};

TEST(LaunchTest, StringsArriveAsSent) {
  Pair pair;
  SandboxControl control(std::move(pair.first));
  LaunchRequest request;
  request.artefact_fd = 0;
  request.argv = {"name", "", "two words"};
  request.envp = {"KEY=value"};
  request.wait_for_limits = true;
  ASSERT_TRUE(control.launch(request).has_value());
  ReceivedLaunch launch;
  ASSERT_EQ(receive_launch(pair.second.get(), launch, 0), 0);
  EXPECT_STREQ(launch.argv[0], "name");
  EXPECT_STREQ(launch.argv[1], "");
  EXPECT_STREQ(launch.argv[2], "two words");
  EXPECT_EQ(launch.argv[3], nullptr);
  EXPECT_STREQ(launch.envp[0], "KEY=value");
  EXPECT_EQ(launch.envp[1], nullptr);
  EXPECT_TRUE(launch.wait_for_limits());
  EXPECT_TRUE(launch.artefact.valid());
}

TEST(LaunchTest, TooMuchIsRefusedByTheNode) {
  const std::vector<std::string> many(kLaunchStringsMax + 1, "x");
  EXPECT_FALSE(encode_launch(many, {}, false).has_value());
  EXPECT_FALSE(encode_launch({"x", std::string(kLaunchBytesMax, 'x')}, {}, false).has_value());
  EXPECT_FALSE(encode_launch({}, {}, false).has_value());
  EXPECT_FALSE(encode_launch({std::string("a\0b", 3)}, {}, false).has_value());
  EXPECT_TRUE(encode_launch({std::string(kLaunchBytesMax - 1, 'x')}, {}, false).has_value());
}

int split(std::string strings, std::uint32_t argc, std::uint32_t envc, std::uint32_t bytes) {
  ReceivedLaunch launch;
  launch.head.argc = argc;
  launch.head.envc = envc;
  launch.head.bytes = bytes;
  return split_strings(strings.data(), strings.size(), launch);
}

TEST(LaunchTest, HeadThatLiesIsRefusedByTheSandbox) {
  const std::string strings("a\0b\0", 4);
  EXPECT_EQ(split(strings, 1, 1, 4), 0);
  EXPECT_EQ(split(strings, 2, 1, 4), EBADMSG);    // fewer than promised
  EXPECT_EQ(split(strings, 1, 0, 4), EBADMSG);    // more than promised
  EXPECT_EQ(split(strings, 1, 1, 5), EBADMSG);    // another size
  EXPECT_EQ(split("ab", 1, 0, 2), EBADMSG);       // no end
  EXPECT_EQ(split(strings, 0, 2, 4), EBADMSG);    // no name
  EXPECT_EQ(split(strings, ~0U, 3, 4), EBADMSG);  // absurd
  EXPECT_EQ(split(strings, 1, ~0U, 4), EBADMSG);
}

TEST(LaunchTest, ClosedControlAndForeignPacketsAreErrors) {
  Pair foreign;
  ASSERT_EQ(::send(foreign.first.get(), "hello", 5, 0), 5);
  ReceivedLaunch launch;
  EXPECT_EQ(receive_launch(foreign.second.get(), launch, 0), EBADMSG);
  foreign.first.reset();
  EXPECT_EQ(receive_launch(foreign.second.get(), launch, 0), ECONNRESET);
}

TEST(PacketTest, TruncatedPacketIsAnErrorAndItsDescriptorsAreClosed) {
  Pair pair;
  const int fd = 0;
  ASSERT_EQ(send_packet(pair.first.get(), "0123456789", 10, nullptr, 0, &fd, 1, 0), 0);
  char buffer[4];
  Packet packet;
  EXPECT_EQ(receive_packet(pair.second.get(), buffer, sizeof buffer, packet, 0), EMSGSIZE);
}

TEST(StepTest, EveryStepHasAName) {
  for (std::uint32_t i = 0; i < kStepCount; ++i) EXPECT_FALSE(to_string(Step(i)).empty());
  EXPECT_EQ(step_error(Step::kMountProc, EPERM).message, "mount /proc: Operation not permitted");
}

}  // namespace
}  // namespace subito::sandbox
