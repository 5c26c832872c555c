// Channels: the node's ends of the channels of all its pods. Reads frames, writes frames, holds
// pods to the rules of protocol/stream.h; knows nothing of invocations. Lives on the loop's thread,
// owned by the node.
//
// Everything sent to a pod in one loop turn leaves with one system call at the end of that turn.
// Events are delivered from the loop, never from inside a call of this class.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/id.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/loop/loop.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/pod.pb.h"
#include "runtime/protocol/stream.h"

namespace subito::pods {

// Unsent bytes of one channel, INVOKEs that run apart. Bodies stop at their own limit below, so
// only a pod that asks and never reads the answers gets here: it has broken the protocol.
constexpr std::size_t kUnsentBytesMax = 8 << 20;
// Connected sockets that wait to be sent: so many descriptors one pod may hold here.
constexpr std::size_t kPassengersMax = 64;
// Above this the bodies of all streams wait, though each has credit: 1,000 streams of 256 KiB.
constexpr std::size_t kBodyUnsentBytesMax = 1 << 20;

// Why a channel ended, and what the pod can have seen of what was sent.
struct ChannelEnd {
  bool breach = false;  // the pod broke the protocol: `error` says how; kill it
  Error error;
  // Streams whose INVOKE the pod cannot have read whole: the kernel still had (part of) it.
  std::vector<std::uint32_t> untaken;
};

class ChannelEvents {
 public:
  virtual ~ChannelEvents() = default;
  // A frame to act on; WINDOW never comes here. The frame's views hold until the return. An error
  // means the pod broke the protocol; the channel is closed with it and on_channel_end follows.
  virtual Status on_frame(PodId pod, const protocol::Frame& frame) = 0;
  // A frame that nobody waits for any more closed the pod's direction of a stream.
  virtual void on_late_end(PodId pod, std::uint32_t stream) = 0;
  // More may be sent on this stream than before.
  virtual void on_window(PodId pod, std::uint32_t stream) = 0;
  virtual void on_channel_end(PodId pod, const ChannelEnd& end) = 0;
};

// send(2) up to `size` bytes, with a descriptor on the first if `fd` is one. Never raises SIGPIPE.
ssize_t send_bytes(int socket, const char* bytes, std::size_t size, int fd);
using SendBytes = decltype(&send_bytes);

class Channels {
 public:
  // Loop and events must outlive it. `sender`: tests fail as a kernel short of memory does.
  Channels(Loop& loop, ChannelEvents& events, SendBytes sender = send_bytes);
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  void open(PodId pod, UniqueFd fd);  // a connected, non-blocking stream socket
  // No more events for this pod.
  void close(PodId pod);

  // What may be sent, and how much of it; null for a pod whose channel is closed.
  const protocol::Streams* streams(PodId pod) const;

  // All of these ignore a pod whose channel is closed. A frame that streams() does not allow is a
  // fault of ours (CHECK). A head over its limit is kResourceExhausted, and nothing was sent.
  Status send(PodId pod, protocol::FrameType type, std::uint32_t stream,
              const google::protobuf::MessageLite& head, std::string_view body = {},
              bool end = false);
  // How many of these body bytes may be sent now: as the credit allows, and the room that the
  // channel has. If room is what lacks, on_window() follows when there is some again.
  std::size_t body_room(PodId pod, std::uint32_t stream, std::size_t bytes);
  // Any number of bytes up to body_room(), cut into frames.
  void send_body(PodId pod, std::uint32_t stream, std::string_view body, bool end);
  // Closes our direction if it is open, or asks the pod to close its own; else nothing.
  void send_cancel(PodId pod, std::uint32_t stream, protocol::Cancel::Reason reason);
  void send_drain(PodId pod);
  // CONNECTED, which a connected socket travels with. kResourceExhausted when kPassengersMax wait
  // already: the socket is closed, and nothing was sent.
  Status send_connected(PodId pod, std::uint32_t stream, UniqueFd fd);
  // CONFIG, which the file of its values travels with.
  Status send_config(PodId pod, const protocol::Config& config, UniqueFd values);
  // The bytes of a body were used up: announces a WINDOW when it is worth a frame.
  void consumed(PodId pod, std::uint32_t stream, std::size_t bytes);

  std::size_t size() const { return channels_.size(); }

 private:
  struct Channel;
  Channel* find(PodId pod) const;
  void append(Channel& channel, protocol::FrameType type, std::uint32_t stream,
              std::string_view body, bool end);
  void touched(Channel& channel);
  void flush_all();
  void flush(Channel& channel);
  void write(Channel& channel);
  void retry();
  void wake_stalled(PodId pod);
  void end_if_hopeless(const Channel& channel);
  void on_ready(PodId pod, int status, int events);
  bool read_some(Channel& channel);
  bool deliver(Channel& channel);
  Status on_frame(Channel& channel, const protocol::Frame& frame);
  void end(PodId pod, ChannelEnd end);

  Loop& loop_;
  ChannelEvents& events_;
  SendBytes send_;
  std::unordered_map<PodId, std::unique_ptr<Channel>> channels_;
  std::vector<PodId> dirty_;  // with something to write at the end of this turn
  std::vector<PodId> short_;  // with something to write when retry_timer_ fires
  Timer retry_timer_;
};

}  // namespace subito::pods
