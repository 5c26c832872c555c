#include "bench/pod_request.h"

#include <poll.h>
#include <sys/socket.h>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/pod.pb.h"
#include "runtime/sandbox/packet_socket.h"

namespace subito::bench {

namespace {

using protocol::FrameType;

constexpr std::uint32_t kStream = 1;
constexpr std::size_t kReadBytes = 16 << 10;

Status await_readable(int channel, std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd readable = {channel, POLLIN, 0};
  const int ready = ::poll(&readable, 1, static_cast<int>(std::max<long>(left.count(), 0)));
  if (ready > 0) return ok();
  if (ready == 0) return fail(ErrorCode::kDeadlineExceeded, "read answer: none came in time");
  if (errno == EINTR) return fail(ErrorCode::kCancelled, "read answer: interrupted");
  return errno_error("read answer");
}

// Answers a CONNECT: the descriptor goes with the first byte of the frame.
Status hand_over(int channel, std::uint32_t stream, const Connector& connect) {
  if (!connect) return fail(ErrorCode::kProtocol, "read answer: it asked for a connection");
  ASSIGN_OR_RETURN(const UniqueFd connection, connect());
  std::string frame;
  RETURN_IF_ERROR(protocol::append_frame(frame, FrameType::kConnected, stream,
                                         protocol::Connected(), {}, true));
  const int fd = connection.get();
  const int error =
      sandbox::send_packet(channel, frame.data(), frame.size(), nullptr, 0, &fd, 1, MSG_DONTWAIT);
  return error == 0 ? ok() : errno_error("hand a connection over", error);
}

// One frame of the pod; true when it ends the answer.
Result<bool> take(int channel, const protocol::Frame& frame, const Connector& connect,
                  FunctionAnswer& answer) {
  if (frame.header.type == FrameType::kConnect) {
    RETURN_IF_ERROR(hand_over(channel, frame.header.stream, connect));
    return false;
  }
  if (frame.header.stream != kStream) return false;  // HELLO, LOG
  if (frame.header.type == FrameType::kResult) {
    protocol::Result head;
    RETURN_IF_ERROR(protocol::parse_head(frame, head));
    answer.status = static_cast<int>(head.status());
  }
  answer.body += frame.body;
  return frame.end();
}

}  // namespace

Result<std::string> request_frames(const FunctionRequest& request) {
  if (request.body.size() > protocol::kBodyBytesMax) {
    return fail(ErrorCode::kInvalidArgument, "write request: its body is over 64 KiB");
  }
  protocol::Config config;
  config.set_function("bench");
  config.set_revision("bench-00001");
  config.set_pod("bench-00001-1");
  config.set_concurrency(1);
  if (request.redis) {
    (*config.mutable_settings())["seed"] = "demo";
    protocol::Binding& binding = *config.add_bindings();
    binding.set_name("redis");
    binding.set_kind(protocol::Binding::REDIS);
    binding.set_key_prefix("bench:");
  }
  protocol::Invoke invoke;
  invoke.set_method(request.method);
  invoke.set_path(request.path);
  invoke.set_request_id("bench");
  invoke.set_deadline_us(
      static_cast<std::uint64_t>(std::chrono::microseconds(kAnswerDeadline).count()));
  invoke.set_content_length(request.body.size());
  std::string frames;
  RETURN_IF_ERROR(protocol::append_frame(frames, FrameType::kConfig, 0, config));
  RETURN_IF_ERROR(
      protocol::append_frame(frames, FrameType::kInvoke, kStream, invoke, request.body, true));
  return frames;
}

Result<FunctionAnswer> read_answer(int channel, const Connector& connect) {
  const auto deadline = std::chrono::steady_clock::now() + kAnswerDeadline;
  protocol::FrameParser parser;
  FunctionAnswer answer;
  for (;;) {
    RETURN_IF_ERROR(await_readable(channel, deadline));
    const std::span<char> room = parser.prepare(kReadBytes);
    const ssize_t size = ::recv(channel, room.data(), room.size(), MSG_DONTWAIT);
    if (size < 0) return errno_error("read answer");
    if (size == 0) return fail(ErrorCode::kUnavailable, "read answer: the function ended");
    parser.commit(static_cast<std::size_t>(size));
    for (;;) {
      ASSIGN_OR_RETURN(const auto frame, parser.next());
      if (!frame) break;
      ASSIGN_OR_RETURN(const bool complete, take(channel, *frame, connect, answer));
      if (complete) return answer;
    }
  }
}

}  // namespace subito::bench
