#include "runtime/pods/channels.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/pods/line_reader.h"

namespace subito::pods {
namespace {

using protocol::FrameType;

struct Pair {
  UniqueFd node;
  UniqueFd pod;
};

Pair make_pair() {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// The kernel's, until it is to fail.
int send_errno = 0;
int sends_failed = 0;

ssize_t send_or_fail(int socket, const char* bytes, std::size_t size, int fd) {
  if (send_errno == 0) return send_bytes(socket, bytes, size, fd);
  ++sends_failed;
  errno = send_errno;
  return -1;
}

class ChannelsTest : public testing::Test, public ChannelEvents {
 protected:
  static constexpr PodId kPod{1};

  ChannelsTest() : channels(loop, *this, send_or_fail) {
    send_errno = sends_failed = 0;
    Pair pair = make_pair();
    channels.open(kPod, std::move(pair.node));
    pod = std::move(pair.pod);
    EXPECT_TRUE(channels.send(kPod, FrameType::kConfig, 0, protocol::Config()));
    settle();
  }

  Status on_frame(PodId, const protocol::Frame& frame) override {
    frames.emplace_back(protocol::to_string(frame.header.type));
    if (refuse_frames) return fail(ErrorCode::kProtocol, "accept frame: not this one");
    return ok();
  }
  void on_late_end(PodId, std::uint32_t) override {}
  void on_window(PodId, std::uint32_t) override { ++windows; }
  void on_channel_end(PodId, const ChannelEnd& channel_end) override { end = channel_end; }

  void settle() {
    for (int i = 0; i < 8; ++i) loop.turn(false);
  }
  void from_pod(FrameType type, std::uint32_t stream, const google::protobuf::MessageLite& head) {
    std::string bytes;
    ASSERT_TRUE(protocol::append_frame(bytes, type, stream, head));
    ASSERT_EQ(::write(pod.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    settle();
  }
  void connect_from_pod(std::uint32_t stream) {
    std::string bytes;
    ASSERT_TRUE(
        protocol::append_frame(bytes, FrameType::kConnect, stream, protocol::Connect(), {}, true));
    ASSERT_GT(::write(pod.get(), bytes.data(), bytes.size()), 0);
    settle();
  }
  void invoke(std::uint32_t stream) {
    EXPECT_TRUE(channels.send(kPod, FrameType::kInvoke, stream, protocol::Invoke(), {}, true));
  }
  std::string read_all() {
    std::string all;
    char buffer[65536];
    ssize_t n = 0;
    while ((n = ::recv(pod.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }

  // One recvmsg(2); sets `passed` if a descriptor came with it.
  ssize_t receive(int& passed) {
    char buffer[256];
    alignas(cmsghdr) char control[64];
    iovec io{buffer, sizeof buffer};
    msghdr message{};
    message.msg_iov = &io;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(pod.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (const cmsghdr* header = n > 0 ? CMSG_FIRSTHDR(&message) : nullptr) {
      std::memcpy(&passed, CMSG_DATA(header), sizeof passed);
    }
    return n;
  }

  Loop loop;
  Channels channels;
  UniqueFd pod;
  std::vector<std::string> frames;
  int windows = 0;
  bool refuse_frames = false;
  std::optional<ChannelEnd> end;
};

TEST_F(ChannelsTest, SendsAllFramesOfOneTurnTogether) {
  read_all();
  invoke(1);
  invoke(3);
  EXPECT_EQ(read_all().size(), 0U) << "nothing leaves before the end of the turn";
  loop.turn(false);
  EXPECT_EQ(read_all().size(), 2 * protocol::kHeaderBytes);
}

TEST_F(ChannelsTest, DeliversFramesAndKeepsWindowsToItself) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  EXPECT_EQ(frames, std::vector<std::string>{"HELLO"});
  EXPECT_TRUE(channels.send(kPod, FrameType::kInvoke, 1, protocol::Invoke()));
  protocol::Window window;
  window.set_bytes(10);
  from_pod(FrameType::kWindow, 1, window);
  EXPECT_EQ(windows, 1);
  EXPECT_EQ(channels.streams(kPod)->credit_bytes(1), protocol::kInitialWindowBytes + 10U);
}

TEST_F(ChannelsTest, EndsAPodThatBreaksTheRules) {
  from_pod(FrameType::kResult, 1, protocol::Result());
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(end->breach);
  EXPECT_NE(end->error.message.find("RESULT"), std::string::npos);
  EXPECT_EQ(channels.streams(kPod), nullptr);
}

TEST_F(ChannelsTest, EndsAPodWhoseFrameItsOwnerRefuses) {
  refuse_frames = true;
  from_pod(FrameType::kHello, 0, protocol::Hello());
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->error.message, "accept frame: not this one");
}

TEST_F(ChannelsTest, KnowsThatAnUnreadInvokeWasNotTaken) {
  read_all();
  invoke(1);
  loop.turn(false);
  pod.reset();
  settle();
  ASSERT_TRUE(end.has_value());
  EXPECT_FALSE(end->breach);
  EXPECT_EQ(end->untaken, std::vector<std::uint32_t>{1});
}

TEST_F(ChannelsTest, KnowsThatAnInvokeWasNotTakenByAPodThatWroteItsLastWords) {
  read_all();
  invoke(1);
  loop.turn(false);
  std::string words;
  ASSERT_TRUE(protocol::append_frame(words, FrameType::kHello, 0, protocol::Hello()));
  ASSERT_GT(::write(pod.get(), words.data(), words.size()), 0);
  pod.reset();
  settle();
  EXPECT_EQ(frames, std::vector<std::string>{"HELLO"});
  ASSERT_TRUE(end.has_value()) << "the channel's end was not seen";
  EXPECT_EQ(end->untaken, std::vector<std::uint32_t>{1});
}

TEST_F(ChannelsTest, TakesAReadInvokeForTaken) {
  invoke(1);
  loop.turn(false);
  read_all();
  pod.reset();
  settle();
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(end->untaken.empty());
}

TEST_F(ChannelsTest, OfTwoInvokesOnlyTheLastIsKnownToBeUntaken) {
  read_all();
  invoke(1);
  invoke(3);
  loop.turn(false);
  pod.reset();
  settle();
  EXPECT_EQ(end->untaken, std::vector<std::uint32_t>{3}) << "the first may have been read";
}

TEST_F(ChannelsTest, ASocketTravelsWithItsOwnFrame) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  connect_from_pod(2);
  read_all();
  invoke(1);
  EXPECT_TRUE(channels.send_connected(kPod, 2, make_pair().pod));
  settle();
  // The kernel may glue the frame in front to it, but nothing that follows.
  invoke(3);
  settle();
  int fd = -1;
  std::size_t before = 0;
  while (fd < 0) {
    const ssize_t n = receive(fd);
    ASSERT_GT(n, 0) << "no descriptor came";
    before += static_cast<std::size_t>(n);
  }
  EXPECT_EQ(before, 2 * protocol::kHeaderBytes);
  const UniqueFd passed(fd);
  EXPECT_GE(passed.get(), 0);
}

TEST_F(ChannelsTest, SocketsOfOneTurnTravelEachWithItsOwnFrame) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  connect_from_pod(2);
  connect_from_pod(4);
  read_all();
  EXPECT_TRUE(channels.send_connected(kPod, 2, make_pair().pod));
  EXPECT_TRUE(channels.send_connected(kPod, 4, make_pair().pod));
  settle();
  for (int i = 0; i < 2; ++i) {
    int fd = -1;
    EXPECT_EQ(receive(fd), static_cast<ssize_t>(protocol::kHeaderBytes));
    EXPECT_GE(UniqueFd(fd).get(), 0) << "no descriptor came";
  }
}

TEST_F(ChannelsTest, TriesAgainNowAndThenWhenTheKernelIsShortOfMemory) {
  for (const int short_of : {ENOBUFS, ENOMEM, ETOOMANYREFS}) {
    read_all();
    send_errno = short_of;
    sends_failed = 0;
    const TimePoint begin = loop.now();
    const std::uint32_t stream = channels.streams(kPod)->next_stream();
    invoke(stream);
    settle();
    // The socket is writable all the while. The loop counts in whole milliseconds: 9 may be 10.
    EXPECT_GE(sends_failed, 1);
    EXPECT_LE(sends_failed, 1 + (loop.now() - begin) / std::chrono::milliseconds(9));
    EXPECT_FALSE(end.has_value());
    send_errno = 0;
    std::string got;
    for (bool late = false; got.empty() && !late; got = read_all()) {
      Timer guard(loop, [&late] { late = true; });
      guard.start(std::chrono::seconds(10));
      loop.turn(true);
    }
    EXPECT_EQ(got.size(), protocol::kHeaderBytes);
  }
}

TEST_F(ChannelsTest, EndsAChannelThatCannotBeWritten) {
  send_errno = EIO;
  invoke(1);
  settle();
  ASSERT_TRUE(end.has_value());
  EXPECT_FALSE(end->breach);
  EXPECT_EQ(end->untaken, std::vector<std::uint32_t>{1});
}

TEST_F(ChannelsTest, BodiesWaitWhileTheChannelIsFullAndGoOnInTurn) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  const std::string body(protocol::kInitialWindowBytes, 'x');
  std::size_t sent = 0;
  for (std::uint32_t stream = 1; stream < 64; stream += 2) {
    EXPECT_TRUE(channels.send(kPod, FrameType::kInvoke, stream, protocol::Invoke()));
    const std::size_t room = channels.body_room(kPod, stream, body.size());
    if (room > 0) channels.send_body(kPod, stream, std::string_view(body).substr(0, room), false);
    sent += room;
    settle();
  }
  EXPECT_LT(sent, 2 * kBodyUnsentBytesMax) << "the kernel's buffer, and ours";
  EXPECT_EQ(windows, 0);
  EXPECT_FALSE(end.has_value());
  for (int i = 0; i < 16; ++i) {
    read_all();
    settle();
  }
  EXPECT_GT(windows, 20) << "each that was told to wait is told to go on";
  EXPECT_EQ(channels.body_room(kPod, 63, body.size()), body.size());
}

TEST_F(ChannelsTest, InvokesAreNotTheFaultOfAPodThatIsStillStarting) {
  protocol::Invoke head;
  head.set_path(std::string(60'000, 'x'));
  for (std::uint32_t stream = 1; stream < 1000; stream += 2) {  // 30 MB
    EXPECT_TRUE(channels.send(kPod, FrameType::kInvoke, stream, head, {}, true));
  }
  settle();
  EXPECT_FALSE(end.has_value());
}

TEST_F(ChannelsTest, CutsOffAPodThatAnswersInvokesItNeverRead) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  protocol::Invoke head;
  head.set_path(std::string(60'000, 'x'));
  for (std::uint32_t stream = 1; stream < 1000 && !end; stream += 2) {  // 30 MB
    EXPECT_TRUE(channels.send(kPod, FrameType::kInvoke, stream, head, {}, true));
    settle();
    if (end) break;
    std::string bytes;
    ASSERT_TRUE(
        protocol::append_frame(bytes, FrameType::kResult, stream, protocol::Result(), {}, true));
    ASSERT_GT(::write(pod.get(), bytes.data(), bytes.size()), 0);
    settle();
  }
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(end->breach);
  EXPECT_NE(end->error.message.find("does not read"), std::string::npos);
}

TEST_F(ChannelsTest, CutsOffAPodThatAsksAndNeverReads) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  protocol::Connected refusal;
  refusal.set_error(std::string(60'000, 'x'));
  for (std::uint32_t stream = 2; stream < 400 && !end; stream += 2) {
    connect_from_pod(stream);
    (void)channels.send(kPod, FrameType::kConnected, stream, refusal, {}, true);
    settle();
  }
  ASSERT_TRUE(end.has_value());
  EXPECT_NE(end->error.message.find("does not read"), std::string::npos);
}

TEST_F(ChannelsTest, OnlySoManyConnectedSocketsWaitForAPodThatIsSlowToTakeThem) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  // The kernel holds some hundreds of frames of this size; kUnsentBytesMax is far away.
  std::size_t refused = 0;
  for (std::uint32_t stream = 2; stream < 4000 && refused < 10; stream += 2) {
    connect_from_pod(stream);
    const Status sent = channels.send_connected(kPod, stream, UniqueFd(::dup(pod.get())));
    settle();
    if (sent) continue;
    ++refused;
    EXPECT_EQ(sent.error().code, ErrorCode::kResourceExhausted);
    EXPECT_TRUE(channels.streams(kPod)->is_ours_open(stream)) << "nothing was sent";
  }
  EXPECT_EQ(refused, 10U);
  EXPECT_FALSE(end.has_value()) << "no breach";
  for (int i = 0; i < 16; ++i) {
    read_all();
    settle();
  }
  connect_from_pod(5000);
  EXPECT_TRUE(channels.send_connected(kPod, 5000, UniqueFd(::dup(pod.get()))));
}

TEST_F(ChannelsTest, ManySocketsOfOneTurnLeaveAsLongAsTheKernelTakesThem) {
  from_pod(FrameType::kHello, 0, protocol::Hello());
  read_all();
  for (std::uint32_t i = 1; i <= 2 * kPassengersMax; ++i) connect_from_pod(2 * i);
  for (std::uint32_t i = 1; i <= 2 * kPassengersMax; ++i) {
    EXPECT_TRUE(channels.send_connected(kPod, 2 * i, UniqueFd(::dup(pod.get()))));
  }
}

TEST(LineReaderTest, GivesLinesAndCutsOnesThatAreTooLong) {
  Loop loop;
  Pair pair = make_pair();
  std::vector<std::string> lines;
  LineReader reader(loop, std::move(pair.node),
                    [&](std::string_view line) { lines.emplace_back(line); });
  const std::string text =
      "one\n\ntwo\n" + std::string(kLineBytesMax, 'a') + "\n" + std::string(10'000, 'b') + "\nend";
  ASSERT_EQ(::write(pair.pod.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  for (int i = 0; i < 8; ++i) loop.turn(false);
  reader.finish();
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "one");
  EXPECT_EQ(lines[1], "");
  EXPECT_EQ(lines[3].size(), kLineBytesMax);
  EXPECT_EQ(lines[4].size() + lines[5].size(), 10'000U);
  EXPECT_EQ(lines[6], "end");
}

// Whoever gives a pod other work asks in between what was printed for the last.
TEST(LineReaderTest, TellsWhatWasPrintedSinceItCaughtUpFromWhatBeganBefore) {
  Loop loop;
  Pair pair = make_pair();
  std::string seen;
  LineReader* reader = nullptr;
  LineReader owned(loop, std::move(pair.node), [&](std::string_view line) {
    seen += std::string(line) + (reader->is_current() ? "+ " : "- ");
  });
  reader = &owned;
  const auto print = [&](const std::string& text) {
    ASSERT_EQ(::write(pair.pod.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  print("a\nb");
  owned.catch_up();
  EXPECT_EQ(seen, "a+ ");
  print("c\nd\n");
  owned.catch_up();
  EXPECT_EQ(seen, "a+ bc- d+ ") << "the first line was begun before";
  print(std::string(20'000, 'x') + "\ny\n");
  seen.clear();
  owned.catch_up();
  print("z\n");
  owned.finish();
  print("last\n");
  owned.finish();
  EXPECT_NE(seen.find("y- z- last+ "), seen.npos) << "it was read too late to tell: " << seen;
}

}  // namespace
}  // namespace subito::pods
