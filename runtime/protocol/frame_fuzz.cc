// Fuzzes what a hostile peer can reach: the frame parser, the heads and the stream rules, for both
// ends and with the input cut into pieces. The first byte chooses end and size of the pieces, the
// second one a valid beginning of the conversation (the seeds), so that what needs an open stream
// is reached at once.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/pod.pb.h"
#include "runtime/protocol/stream.h"

namespace subito::protocol {
namespace {

template <typename Message>
void try_head(const Frame& frame) {
  Message message;
  static_cast<void>(parse_head(frame, message).has_value());
}

bool accept(Streams& streams, const Frame& frame) {
  const auto verdict = streams.receive(frame.header);
  if (!verdict) return false;
  switch (frame.header.type) {
    case FrameType::kHello:
      try_head<Hello>(frame);
      break;
    case FrameType::kConfig:
      try_head<Config>(frame);
      break;
    case FrameType::kInvoke:
      try_head<Invoke>(frame);
      break;
    case FrameType::kResult:
      try_head<Result>(frame);
      break;
    case FrameType::kCall:
      try_head<Call>(frame);
      break;
    case FrameType::kLog:
      try_head<Log>(frame);
      break;
    case FrameType::kWindow: {
      Window window;
      if (!parse_head(frame, window)) return false;
      return streams.granted(frame.header.stream, window.bytes()).has_value();
    }
    default:
      break;
  }
  static_cast<void>(streams.consumed(frame.header.stream, frame.body.size()));
  const FrameHeader cancel{FrameType::kCancel, 0, frame.header.stream, 0, 0};
  if (streams.may_send(cancel) && frame.header.body_bytes % 3 == 1) streams.sent(cancel);
  return true;
}

FrameHeader header(FrameType type, std::uint32_t stream, bool end) {
  return {type, end ? kFlagEnd : std::uint16_t{0}, stream, 0, 0};
}

// What the other end has sent already; a pod also has calls of its own open.
std::string opening(Side self, unsigned choice, Streams& streams) {
  std::string out;
  if (choice % 4 == 0) return out;
  append_frame(out, self == Side::kPod ? FrameType::kConfig : FrameType::kHello, 0);
  streams.sent(header(self == Side::kPod ? FrameType::kHello : FrameType::kConfig, 0, false));
  if (choice % 4 == 1) return out;
  const bool call = choice % 4 == 3;
  const FrameType theirs = self == Side::kPod ? FrameType::kInvoke : FrameType::kCall;
  append_frame(out, theirs, self == Side::kPod ? 1 : 2, "body");
  if (self == Side::kNode) {
    streams.sent(header(FrameType::kInvoke, 1, false));
  } else {
    streams.sent(header(call ? FrameType::kCall : FrameType::kConnect, 2, !call));
  }
  return out;
}

}  // namespace
}  // namespace subito::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace subito::protocol;
  if (size < 2) return 0;
  const std::size_t step = 1 + (data[0] >> 1);
  const Side self = (data[0] & 1) != 0 ? Side::kNode : Side::kPod;
  FrameParser parser;
  Streams streams(self);
  std::string bytes = opening(self, data[1], streams);
  bytes.append(reinterpret_cast<const char*>(data) + 2, size - 2);
  for (std::string_view input = bytes; !input.empty();) {
    parser.feed(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
    for (;;) {
      const auto frame = parser.next();
      if (!frame) return 0;
      if (!*frame) break;
      if (!accept(streams, **frame)) return 0;
    }
  }
  return 0;
}
