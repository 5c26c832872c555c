// Streams: which frame may come when, and how many body bytes may be on their way. The same code
// judges what node and pod receive, and CHECKs what they send, so that a breach of the protocol is
// found in one place.
//
// One Streams belongs to one end of one channel and lives on its thread. Sans-IO. Memory: one entry
// for each stream that is open, none for what is over.
//
// The rules, in short (docs/pod-protocol.md has them whole):
// - CONFIG and HELLO come first and once; only a pod's LOG may come before. After DRAIN no INVOKE.
// - The node opens odd streams (INVOKE), the pod even ones (CALL, CONNECT); ids only grow.
// - Each direction of a stream is closed exactly once, by END or by CANCEL. Nothing follows, but a
//   side that closed its own direction with END may still send WINDOW, and one CANCEL, until it has
//   received the other side's closing frame.
// - Whoever receives CANCEL closes its own direction, if open, by CANCEL; until then what it sent
//   before is on its way and ignored. So a pod's closing frame says that the handler has let go.
// - The end of an answer ends the interest in the rest of the request: what still comes of the
//   request's body is ignored, and the asker closes its direction.
// - WINDOW and CANCEL for a stream that is over have crossed its end and are ignored. Any other
//   frame for a stream that is not open is a breach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/protocol/frame.h"

namespace subito::protocol {

constexpr std::uint32_t kInitialWindowBytes = 256 << 10;
constexpr std::uint64_t kWindowBytesMax = 1ULL << 31;  // credit beyond is a breach
// Calls and connects that a pod may have open at once; one more is a breach.
constexpr std::size_t kPodStreamsMax = 1024;

enum class Side : std::uint8_t { kNode, kPod };

class Streams {
 public:
  enum class Verdict : std::uint8_t {
    kDeliver,  // act on it
    kIgnore,   // legal, but late: drop it (and close a descriptor that came with it)
  };

  explicit Streams(Side self) : self_(self) {}

  // CONFIG's number, for the pod's end: more invocations at once are a breach. 0: not checked.
  void set_invocations_max(std::uint32_t count) { invocations_max_ = count; }

  // Judges the header of a frame that came. The error (kProtocol) names the breach: end the
  // channel. For WINDOW and CANCEL with kDeliver, granted() and nothing else is to be called.
  ::subito::Result<Verdict> receive(const FrameHeader& header);

  // The WINDOW that was delivered gave this many bytes more.
  Status granted(std::uint32_t stream, std::uint32_t bytes);

  // Whether this end may send the frame now. Body bytes count against the credit.
  bool may_send(const FrameHeader& header) const;
  void sent(const FrameHeader& header);  // CHECKs may_send()

  // The receiver has used up so many body bytes. Returns what to announce in a WINDOW, 0: nothing
  // yet (small amounts are gathered until half of the window is free) or not needed any more.
  std::uint32_t consumed(std::uint32_t stream, std::size_t bytes);

  // The next id for a stream that this end opens. CHECKs that ids are left (2^31 a channel).
  std::uint32_t next_stream() const;

  bool is_open(std::uint32_t stream) const { return find(stream) != nullptr; }
  // Whether this end still has a direction to close.
  bool is_ours_open(std::uint32_t stream) const;
  // Whether a stream that a frame of this type opened is not over yet.
  bool has_open(FrameType opened_by) const;
  bool is_theirs_open(std::uint32_t stream) const;
  // CANCEL came: nobody reads what this end sends.
  bool is_cancelled(std::uint32_t stream) const;
  std::uint64_t credit_bytes(std::uint32_t stream) const;  // what this end may send now
  std::size_t open_streams() const { return streams_.size(); }
  bool drained() const { return draining_; }

 private:
  struct Direction {
    bool open = true;
    bool cancelled = false;  // closed by CANCEL
    bool answered = false;   // RESULT was sent
    std::uint64_t credit_bytes = kInitialWindowBytes;
  };
  struct Stream {
    std::uint32_t id = 0;
    FrameType opened_by = FrameType::kInvoke;
    Direction ours;
    Direction theirs;
    std::uint64_t unannounced_bytes = 0;  // consumed, but not yet given back by a WINDOW
  };

  Stream* find(std::uint32_t id);
  const Stream* find(std::uint32_t id) const;
  bool opens(Side sender, FrameType type) const;
  ::subito::Result<Verdict> receive_on_channel(const FrameHeader& header);
  ::subito::Result<Verdict> receive_opening(const FrameHeader& header);
  ::subito::Result<Verdict> receive_on_stream(Stream& stream, const FrameHeader& header);
  bool may_send_on_channel(FrameType type) const;
  void open(const FrameHeader& header, bool by_us);
  void close_if_over(std::uint32_t id);
  std::uint32_t& last_opened_by(Side side) { return side == self_ ? last_ours_ : last_theirs_; }

  Side self_;
  bool greeted_ = false;   // this end sent HELLO or CONFIG
  bool welcomed_ = false;  // the peer did
  bool draining_ = false;
  std::uint32_t invocations_max_ = 0;
  std::uint32_t last_ours_ = 0;
  std::uint32_t last_theirs_ = 0;
  std::vector<Stream> streams_;
};

}  // namespace subito::protocol
