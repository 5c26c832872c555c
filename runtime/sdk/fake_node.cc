#include "runtime/sdk/fake_node.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>

#include "runtime/base/check.h"

namespace subito::sdk {

using protocol::FrameHeader;
using protocol::FrameType;

std::string PodAnswer::header(const std::string& name) const {
  if (!head) return {};
  for (const auto& field : head->headers()) {
    if (field.name() == name) return field.value();
  }
  return {};
}

FakeNode::FakeNode(const std::string& function, protocol::Config config,
                   std::vector<std::string> arguments) {
  if (config.function().empty()) config.set_function(function);
  if (config.pod().empty()) config.set_pod(function + "-1");
  int pair[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  fd_.reset(pair[0]);
  const UniqueFd theirs(pair[1]);
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  send(FrameType::kConfig, 0, config);
  int output[2];
  CHECK(::pipe2(output, O_CLOEXEC) == 0);
  printed_.reset(output[0]);
  const UniqueFd their_output(output[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, their_output.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, their_output.get(), 2);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), protocol::kChannelFd);
  const std::string path = std::string(SUBITO_FUNCTIONS_DIR) + "/" + function;
  arguments.insert(arguments.begin(), path);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  const int error = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, argv.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0) << "start " << path << ": " << std::strerror(error);
}

FakeNode::~FakeNode() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::uint32_t FakeNode::invoke(const std::string& method, const std::string& target,
                               const std::string& body, bool end) {
  protocol::Invoke head;
  head.set_method(method);
  const auto mark = target.find('?');
  head.set_path(target.substr(0, mark));
  if (mark != std::string::npos) head.set_query(target.substr(mark + 1));
  head.set_request_id("request-1");
  head.set_deadline_us(30'000'000);
  return invoke(head, body, end);
}

std::uint32_t FakeNode::invoke(const protocol::Invoke& head, const std::string& body, bool end) {
  const std::uint32_t stream = streams_.next_stream();
  send(FrameType::kInvoke, stream, head, body, end);
  return stream;
}

const PodAnswer& FakeNode::answer(std::uint32_t stream) {
  EXPECT_TRUE(wait([&] { return answers[stream].over(); }))
      << "no answer on stream " << stream << (eof_ ? ", the channel ended " : " ") << breach;
  return answers[stream];
}

void FakeNode::send(FrameType type, std::uint32_t stream, const google::protobuf::MessageLite& head,
                    std::string_view body, bool end) {
  const FrameHeader header{type, end ? protocol::kFlagEnd : std::uint16_t{0}, stream, 0,
                           static_cast<std::uint32_t>(body.size())};
  if (!streams_.may_send(header)) return;
  streams_.sent(header);
  CHECK(protocol::append_frame(out_, type, stream, head, body, end));
  flush();
}

void FakeNode::send_body(std::uint32_t stream, std::string_view bytes, bool end) {
  for (bool more = true; more;) {
    const bool fits = wait([&] {
      return (out_.empty() && streams_.credit_bytes(stream) > 0) || bytes.empty() ||
             !streams_.is_ours_open(stream);
    });
    if (!fits || !streams_.is_ours_open(stream)) return;
    const auto credit = std::min<std::size_t>(streams_.credit_bytes(stream), 64 << 10);
    const auto piece = bytes.substr(0, credit);
    bytes.remove_prefix(piece.size());
    more = !bytes.empty();
    const bool last = end && !more;
    const FrameHeader header{FrameType::kBody, last ? protocol::kFlagEnd : std::uint16_t{0}, stream,
                             0, static_cast<std::uint32_t>(piece.size())};
    streams_.sent(header);
    protocol::append_frame(out_, FrameType::kBody, stream, piece, last);
    flush();
  }
}

void FakeNode::cancel(std::uint32_t stream) {
  protocol::Cancel head;
  head.set_reason(protocol::Cancel::CLIENT_LEFT);
  send(FrameType::kCancel, stream, head);
}

void FakeNode::send_raw(std::string_view bytes) {
  out_ += bytes;
  flush();
}

void FakeNode::send_descriptor(std::uint32_t stream, int fd) {
  flush();
  CHECK(out_.empty());
  const protocol::Connected head;
  streams_.sent({FrameType::kConnected, protocol::kFlagEnd, stream, 0, 0});
  std::string frame;
  CHECK(protocol::append_frame(frame, FrameType::kConnected, stream, head, {}, true));
  iovec part = {frame.data(), frame.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  CHECK(::sendmsg(fd_.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size()));
}

void FakeNode::flush() {
  while (!out_.empty()) {
    const ssize_t count = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) {  // the pod is gone: reading tells
      out_.clear();
      return;
    }
    out_.erase(0, static_cast<std::size_t>(count));
  }
}

bool FakeNode::pump() {
  flush();
  pollfd watched = {fd_.get(), static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
  if (::poll(&watched, 1, 1000) <= 0) return true;
  const auto room = parser_.prepare(128 << 10);
  const ssize_t count = ::recv(fd_.get(), room.data(), room.size(), 0);
  if (count < 0 && errno == EAGAIN) return true;
  if (count <= 0) {
    eof_ = true;
    return false;
  }
  parser_.commit(static_cast<std::size_t>(count));
  for (;;) {
    const auto frame = parser_.next();
    if (!frame) breach = frame.error().message;
    if (!frame || !*frame) return breach.empty();
    const auto verdict = streams_.receive((*frame)->header);
    if (!verdict) {
      breach = verdict.error().message;
      return false;
    }
    take(**frame, *verdict == protocol::Streams::Verdict::kIgnore);
  }
}

void FakeNode::take(const protocol::Frame& frame, bool ignore) {
  const std::uint32_t stream = frame.header.stream;
  protocol::Window window;
  switch (frame.header.type) {
    case FrameType::kHello:
      EXPECT_TRUE(protocol::parse_head(frame, hello.emplace()));
      break;
    case FrameType::kLog:
      EXPECT_TRUE(protocol::parse_head(frame, logs.emplace_back()));
      break;
    case FrameType::kWindow:
      EXPECT_TRUE(protocol::parse_head(frame, window));
      EXPECT_TRUE(ignore || streams_.granted(stream, window.bytes()));
      break;
    case FrameType::kConnect:
      EXPECT_TRUE(
          protocol::parse_head(frame, connects.emplace_back(stream, protocol::Connect()).second));
      break;
    case FrameType::kCall:
      EXPECT_TRUE(protocol::parse_head(frame, calls.emplace_back(stream, protocol::Call()).second));
      take_body(frame);
      break;
    default:
      if (!ignore || frame.header.type == FrameType::kCancel) take_body(frame);
  }
}

void FakeNode::take_body(const protocol::Frame& frame) {
  const std::uint32_t stream = frame.header.stream;
  PodAnswer& answer = answers[stream];
  if (frame.header.type == FrameType::kResult) {
    EXPECT_TRUE(protocol::parse_head(frame, answer.head.emplace()));
  }
  if (keep_bodies) answer.body += frame.body;
  body_bytes += frame.body.size();
  answer.ended = answer.ended || frame.end();
  answer.cancelled = answer.cancelled || frame.header.type == FrameType::kCancel;
  const std::uint32_t more = give_windows ? streams_.consumed(stream, frame.body.size()) : 0;
  if (more != 0) {
    protocol::Window window;
    window.set_bytes(more);
    send(FrameType::kWindow, stream, window);
  }
  // The answer is over before the request was: nobody reads on.
  if (answer.over() && streams_.is_ours_open(stream) && stream % 2 == 1) cancel(stream);
}

int FakeNode::wait_exit() {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd watched = {process.get(), POLLIN, 0};
  const auto patience = std::chrono::milliseconds(kPatience).count();
  if (::poll(&watched, 1, static_cast<int>(patience)) <= 0) {
    ADD_FAILURE() << "the pod does not end";
    ::kill(pid_, SIGKILL);
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

std::string FakeNode::printed() {
  std::string out;
  char bytes[4096];
  for (ssize_t n = 1; (n = ::read(printed_.get(), bytes, sizeof bytes)) > 0;) {
    out.append(bytes, static_cast<std::size_t>(n));
  }
  return out;
}

std::size_t FakeNode::peak_memory_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) << 10;
  }
  return 0;
}

}  // namespace subito::sdk
