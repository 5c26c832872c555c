// Frames: the unit of the channel between node and pod, see docs/pod-protocol.md.
//
// A frame is a header of 16 bytes (little endian: u8 version, u8 type, u16 flags, u32 stream,
// u32 head_bytes, u32 body_bytes), then a Protobuf message (pod.proto), then raw body bytes.
// Everything here is sans-IO: bytes in, frames out. Objects belong to whoever owns the channel and
// live on its thread. Which frame may follow which is stream.h's business.
#pragma once

#include <google/protobuf/message_lite.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::protocol {

constexpr int kChannelFd = 3;  // where a pod finds its end of the channel
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kHeadBytesMax = 64 << 10;
constexpr std::size_t kBodyBytesMax = 64 << 10;

enum class FrameType : std::uint8_t {
  kHello = 1,
  kConfig = 2,
  kInvoke = 3,
  kBody = 4,
  kResult = 5,
  kCall = 6,
  kConnect = 7,
  kConnected = 8,
  kWindow = 9,
  kCancel = 10,
  kLog = 11,
  kDrain = 12,
};

// "HELLO", "CONFIG", ...; "UNKNOWN" for anything else.
std::string_view to_string(FrameType type);

constexpr std::uint16_t kFlagEnd = 1;  // the last frame of this direction of its stream

struct FrameHeader {
  FrameType type = FrameType::kHello;
  std::uint16_t flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t head_bytes = 0;
  std::uint32_t body_bytes = 0;

  bool end() const { return (flags & kFlagEnd) != 0; }
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

std::array<char, kHeaderBytes> encode(const FrameHeader& header);

// kProtocol for another version, an unknown type or flag, a length over its limit, a stream id
// where none belongs or none where one does. A decoded header can be trusted in all of these.
::subito::Result<FrameHeader> decode(std::span<const char, kHeaderBytes> bytes);

// A received frame. The views point into the parser and hold until its next call.
struct Frame {
  FrameHeader header;
  std::string_view head;
  std::string_view body;

  bool end() const { return header.end(); }
};

// Cuts a stream of bytes into frames, however it was chopped up. Holds at most one frame and what
// was read behind it. After an error it only repeats that error.
class FrameParser {
 public:
  // Room for at least `bytes_min` more bytes, for a read without a copy: read into it, then
  // commit() what came. Invalidates the views of frames given out before.
  std::span<char> prepare(std::size_t bytes_min);
  void commit(std::size_t bytes);

  void feed(std::string_view bytes);  // prepare, copy, commit

  // The next complete frame, or nothing until more bytes came.
  ::subito::Result<std::optional<Frame>> next();

  // Bytes that belong to no frame given out yet. Not 0 at the end of the stream: it was cut off.
  std::size_t pending_bytes() const { return end_ - begin_; }

 private:
  struct Free {
    void operator()(char* bytes) const;
  };
  std::unique_ptr<char, Free> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  // first byte not given out
  std::size_t end_ = 0;    // one behind the last byte read
  std::optional<Error> error_;
};

// Parses the head of a frame. kProtocol when it is not that message.
Status parse_head(const Frame& frame, google::protobuf::MessageLite& message);

// Appends one frame to `out`. `body` is at most kBodyBytesMax (CHECKed). kResourceExhausted, and
// `out` untouched, when the head is over kHeadBytesMax.
Status append_frame(std::string& out, FrameType type, std::uint32_t stream,
                    const google::protobuf::MessageLite& head, std::string_view body = {},
                    bool end = false);

// A frame without a head: BODY, DRAIN.
void append_frame(std::string& out, FrameType type, std::uint32_t stream,
                  std::string_view body = {}, bool end = false);

}  // namespace subito::protocol
