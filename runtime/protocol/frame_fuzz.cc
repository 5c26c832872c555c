// Fuzzes what a hostile peer can reach: the frame parser, the heads and the stream rules, for both
// ends and with the input cut into pieces. The first byte chooses end and size of the pieces.
#include <algorithm>
#include <cstdint>
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

}  // namespace
}  // namespace subito::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace subito::protocol;
  if (size == 0) return 0;
  const std::size_t step = 1 + (data[0] >> 1);
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  FrameParser parser;
  Streams streams((data[0] & 1) != 0 ? Side::kNode : Side::kPod);
  while (!input.empty()) {
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
