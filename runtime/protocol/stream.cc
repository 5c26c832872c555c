#include "runtime/protocol/stream.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace subito::protocol {
namespace {

Error breach(FrameType type, const std::string& reason) {
  return Error{ErrorCode::kProtocol, "accept " + std::string(to_string(type)) + ": " + reason, 0};
}

bool is_opening(FrameType type) {
  return type == FrameType::kInvoke || type == FrameType::kCall || type == FrameType::kConnect;
}

// Who opened a stream can be seen in its id.
Side opener_of(std::uint32_t id) {
  return id % 2 == 1 ? Side::kNode : Side::kPod;
}

Side other(Side side) {
  return side == Side::kNode ? Side::kPod : Side::kNode;
}

// Frames of the channel itself: who sends them.
Side sender_of(FrameType type) {
  return type == FrameType::kConfig || type == FrameType::kDrain ? Side::kNode : Side::kPod;
}

FrameType greeting_of(Side side) {
  return side == Side::kNode ? FrameType::kConfig : FrameType::kHello;
}

// Whether a frame with content has its place in this direction. `asks`: it is the direction of the
// side that opened the stream. Empty: it has.
std::string_view misplaced(FrameType type, FrameType opened_by, bool asks, bool answered) {
  if (opened_by == FrameType::kConnect) {
    return type == FrameType::kConnected && !asks ? "" : "the stream is a connect";
  }
  if (type == FrameType::kConnected) return "the stream is not a connect";
  if (asks) return type == FrameType::kBody ? "" : "it answers its own stream";
  if (type == FrameType::kResult) return answered ? "there was one already" : "";
  return answered ? "" : "there was no RESULT before";
}

}  // namespace

const Streams::Stream* Streams::find(std::uint32_t id) const {
  // The newest are the busiest; few are open at once.
  const auto at = std::find_if(streams_.rbegin(), streams_.rend(),
                               [id](const Stream& stream) { return stream.id == id; });
  return at == streams_.rend() ? nullptr : &*at;
}

Streams::Stream* Streams::find(std::uint32_t id) {
  return const_cast<Stream*>(std::as_const(*this).find(id));
}

bool Streams::opens(Side sender, FrameType type) const {
  return (type == FrameType::kInvoke) == (sender == Side::kNode);
}

Result<Streams::Verdict> Streams::receive(const FrameHeader& header) {
  const FrameType greeting = greeting_of(other(self_));
  // The last words of a pod that dies before it serves.
  const bool early_log = header.type == FrameType::kLog && self_ == Side::kNode;
  if (!welcomed_ && header.type != greeting && !early_log) {
    return breach(header.type, "it came before " + std::string(to_string(greeting)));
  }
  if (header.stream == 0) return receive_on_channel(header);
  if (is_opening(header.type)) return receive_opening(header);
  if (Stream* stream = find(header.stream)) return receive_on_stream(*stream, header);
  const std::string name = "stream " + std::to_string(header.stream);
  if (header.stream > last_opened_by(opener_of(header.stream))) {
    return breach(header.type, name + " was never opened");
  }
  const bool crossed = header.type == FrameType::kWindow || header.type == FrameType::kCancel;
  if (!crossed) return breach(header.type, name + " is over");
  return Verdict::kIgnore;
}

Result<Streams::Verdict> Streams::receive_on_channel(const FrameHeader& header) {
  if (sender_of(header.type) == self_) return breach(header.type, "it is ours to send");
  if (header.type == greeting_of(other(self_))) {
    if (welcomed_) return breach(header.type, "there was one already");
    welcomed_ = true;
  }
  if (header.type == FrameType::kDrain) {
    if (draining_) return breach(header.type, "there was one already");
    draining_ = true;
  }
  return Verdict::kDeliver;
}

Result<Streams::Verdict> Streams::receive_opening(const FrameHeader& header) {
  const Side peer = other(self_);
  if (!opens(peer, header.type)) return breach(header.type, "it is ours to send");
  const std::string name = "stream " + std::to_string(header.stream);
  if (opener_of(header.stream) != peer) return breach(header.type, name + " is ours to open");
  if (header.stream <= last_theirs_) return breach(header.type, name + " is not a new id");
  if (header.type == FrameType::kInvoke && draining_) return breach(header.type, "after DRAIN");
  const auto working = std::count_if(streams_.begin(), streams_.end(), [&](const Stream& stream) {
    return opener_of(stream.id) == peer && (peer == Side::kPod || stream.ours.open);
  });
  const std::size_t limit = peer == Side::kPod ? kPodStreamsMax : invocations_max_;
  if (limit != 0 && static_cast<std::size_t>(working) >= limit) {
    return breach(header.type, "more than " + std::to_string(limit) + " at once");
  }
  open(header, false);
  return Verdict::kDeliver;
}

Result<Streams::Verdict> Streams::receive_on_stream(Stream& stream, const FrameHeader& header) {
  const std::uint32_t id = stream.id;
  Direction& theirs = stream.theirs;
  const Direction& ours = stream.ours;
  if (theirs.cancelled) return breach(header.type, "after CANCEL");
  if (header.type == FrameType::kCancel) {
    theirs.cancelled = true;
    theirs.open = false;
    close_if_over(id);
    return Verdict::kDeliver;
  }
  if (header.type == FrameType::kWindow) {
    return ours.open ? Verdict::kDeliver : Verdict::kIgnore;
  }
  if (!theirs.open) return breach(header.type, "after END");
  const bool asks = opener_of(id) != self_;
  const auto fault = misplaced(header.type, stream.opened_by, asks, theirs.answered);
  if (!fault.empty()) return breach(header.type, std::string(fault));
  if (header.body_bytes > theirs.credit_bytes) {
    return breach(header.type, "body is over the window");
  }
  theirs.credit_bytes -= header.body_bytes;
  theirs.answered = theirs.answered || header.type == FrameType::kResult;
  theirs.open = !header.end();
  // Crossed: we cancelled, or the answer was complete before the request was.
  const bool late = ours.cancelled || (asks && !ours.open);
  close_if_over(id);
  return late ? Verdict::kIgnore : Verdict::kDeliver;
}

Status Streams::granted(std::uint32_t id, std::uint32_t bytes) {
  if (bytes == 0) return breach(FrameType::kWindow, "it gives nothing");
  Stream* stream = find(id);
  if (stream == nullptr) return ok();
  if (stream->ours.credit_bytes + bytes > kWindowBytesMax) {
    return breach(FrameType::kWindow, "credit grows over the limit");
  }
  stream->ours.credit_bytes += bytes;
  return ok();
}

bool Streams::may_send_on_channel(FrameType type) const {
  if (sender_of(type) != self_) return false;
  if (type == greeting_of(self_)) return !greeted_;
  return greeted_ && !(type == FrameType::kDrain && draining_);
}

bool Streams::may_send(const FrameHeader& header) const {
  const FrameType type = header.type;
  if (header.stream == 0) return may_send_on_channel(type);
  if (!greeted_) return false;
  if (is_opening(type)) {
    if (!opens(self_, type) || header.stream != next_stream()) return false;
    if (type == FrameType::kInvoke) return !draining_ && header.body_bytes <= kInitialWindowBytes;
    const auto mine = std::count_if(streams_.begin(), streams_.end(), [this](const Stream& stream) {
      return opener_of(stream.id) == self_;
    });
    return static_cast<std::size_t>(mine) < kPodStreamsMax;
  }
  const Stream* stream = find(header.stream);
  if (stream == nullptr || stream->ours.cancelled) return false;
  if (type == FrameType::kCancel) return true;
  if (stream->theirs.cancelled) return false;
  if (type == FrameType::kWindow) return stream->theirs.open;
  const bool asks = opener_of(stream->id) == self_;
  return stream->ours.open && header.body_bytes <= stream->ours.credit_bytes &&
         misplaced(type, stream->opened_by, asks, stream->ours.answered).empty();
}

void Streams::sent(const FrameHeader& header) {
  CHECK(may_send(header));
  if (header.type == greeting_of(self_)) greeted_ = true;
  if (header.type == FrameType::kDrain) draining_ = true;
  if (header.stream == 0) return;
  if (is_opening(header.type)) {
    open(header, true);
    return;
  }
  Stream* stream = find(header.stream);
  Direction& ours = stream->ours;
  if (header.type == FrameType::kCancel) {
    ours.cancelled = true;
    ours.open = false;
  } else if (header.type != FrameType::kWindow) {
    ours.credit_bytes -= header.body_bytes;
    ours.answered = ours.answered || header.type == FrameType::kResult;
    ours.open = !header.end();
  }
  close_if_over(header.stream);
}

std::uint32_t Streams::consumed(std::uint32_t id, std::size_t bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->theirs.open || stream->ours.cancelled) return 0;
  stream->unannounced_bytes += bytes;
  if (stream->unannounced_bytes < kInitialWindowBytes / 2) return 0;
  const auto announce = static_cast<std::uint32_t>(std::exchange(stream->unannounced_bytes, 0));
  stream->theirs.credit_bytes += announce;
  return announce;
}

std::uint32_t Streams::next_stream() const {
  if (last_ours_ == 0) return self_ == Side::kNode ? 1 : 2;
  CHECK(last_ours_ < 0xffff'fffe);
  return last_ours_ + 2;
}

bool Streams::is_ours_open(std::uint32_t id) const {
  const Stream* stream = find(id);
  return stream != nullptr && stream->ours.open;
}

bool Streams::has_open(FrameType opened_by) const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [opened_by](const Stream& stream) { return stream.opened_by == opened_by; });
}

bool Streams::is_theirs_open(std::uint32_t id) const {
  const Stream* stream = find(id);
  return stream != nullptr && stream->theirs.open;
}

bool Streams::is_cancelled(std::uint32_t id) const {
  const Stream* stream = find(id);
  return stream != nullptr && stream->theirs.cancelled;
}

std::uint64_t Streams::credit_bytes(std::uint32_t id) const {
  const Stream* stream = find(id);
  return stream != nullptr && stream->ours.open ? stream->ours.credit_bytes : 0;
}

void Streams::open(const FrameHeader& header, bool by_us) {
  Stream stream;
  stream.id = header.stream;
  stream.opened_by = header.type;
  Direction& asking = by_us ? stream.ours : stream.theirs;
  asking.open = !header.end();
  asking.credit_bytes -= header.body_bytes;  // at most kBodyBytesMax: always covered
  (by_us ? last_ours_ : last_theirs_) = header.stream;
  streams_.push_back(stream);
}

void Streams::close_if_over(std::uint32_t id) {
  Stream* stream = find(id);
  if (stream->ours.open || stream->theirs.open) return;
  *stream = streams_.back();
  streams_.pop_back();
}

}  // namespace subito::protocol
