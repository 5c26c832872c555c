#include "runtime/pods/channels.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/check.h"

namespace subito::pods {
namespace {

using protocol::FrameType;

constexpr std::size_t kReadBytes = 64 << 10;
// What one pod may deliver in a turn before the others are looked at.
constexpr int kReadsPerTurnMax = 4;

protocol::FrameHeader header_of(FrameType type, std::uint32_t stream, std::size_t body_bytes,
                                bool end) {
  protocol::FrameHeader header;
  header.type = type;
  header.stream = stream;
  header.flags = end ? protocol::kFlagEnd : 0;
  header.body_bytes = static_cast<std::uint32_t>(body_bytes);
  return header;
}

// A kernel short of memory says nothing when it has some again, and calls the socket writable.
constexpr Duration kRetryDelay = std::chrono::milliseconds(10);

}  // namespace

ssize_t send_bytes(int socket, const char* bytes, std::size_t size, int fd) {
  // Costs the kernel less than sendmsg(2).
  if (fd < 0) return ::send(socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  iovec io{const_cast<char*>(bytes), size};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;  // unix(7)
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Positions count all bytes ever appended to the channel.
struct Channels::Channel {
  struct Passenger {
    std::uint64_t position;  // of the first byte of the frame that it travels with
    UniqueFd fd;
  };
  enum class Output {
    kFlowing,
    kFull,      // the kernel's buffer is: waiting for writability
    kShort,     // of the kernel's memory: waiting for the retry
    kPeerGone,  // what can be read is still read, and the end found there
    kBroken,    // nothing mends it: the channel ends
  };
  static Output output_after(int send_errno);

  struct Invoke {
    std::uint64_t end_position;
    std::uint32_t stream;
    std::size_t bytes;
  };

  PodId pod;
  UniqueFd fd;
  std::unique_ptr<Poll> poll;
  protocol::FrameParser parser;
  protocol::Streams streams{protocol::Side::kNode};
  std::string out;            // appended, not sent
  std::size_t out_begin = 0;  // of `out`, what is sent already
  std::uint64_t sent = 0;     // bytes the kernel took
  std::deque<Passenger> passengers;
  std::deque<Invoke> invokes;         // the last ones that run, see note_invoke
  std::deque<std::uint32_t> stalled;  // streams with body to send, but no room; each once
  bool dirty = false;
  Output output = Output::kFlowing;

  std::uint64_t appended() const { return sent + (out.size() - out_begin); }
  bool is_full() const { return output == Output::kFull; }
  std::size_t unsent() const { return out.size() - out_begin; }

  std::size_t room() const {
    return unsent() < kBodyUnsentBytesMax ? kBodyUnsentBytesMax - unsent() : 0;
  }

  void note_invoke(std::uint32_t stream, std::size_t bytes) {
    // Of those the kernel took whole, only the very last can still be unread for certain.
    while (!invokes.empty() && invokes.front().end_position < sent) invokes.pop_front();
    invokes.push_back({appended(), stream, bytes});
  }

  // The pod let go of it: it was read, or the pod only says so and frees a slot for the next.
  void drop_invoke(std::uint32_t stream) {
    const auto it = std::lower_bound(  // ids only grow
        invokes.begin(), invokes.end(), stream,
        [](const Invoke& invoke, std::uint32_t id) { return invoke.stream < id; });
    if (it != invokes.end() && it->stream == stream) invokes.erase(it);
  }

  // INVOKEs the pod has not let go of are of our own choice and bounded by its concurrency.
  std::size_t unsent_by_its_fault() const {
    std::size_t invoked = 0;
    for (const Invoke& invoke : invokes) {
      if (invoke.end_position > sent) invoked += invoke.bytes;
    }
    return unsent() - std::min(unsent(), invoked);
  }

  void stall(std::uint32_t stream) {
    if (std::find(stalled.begin(), stalled.end(), stream) == stalled.end()) {
      stalled.push_back(stream);
    }
  }

  // `reset`: the peer closed with bytes unread (ECONNRESET), so the last byte sent was unread.
  std::vector<std::uint32_t> untaken(bool reset) const {
    std::vector<std::uint32_t> ids;
    for (const Invoke& invoke : invokes) {
      const bool unsent_tail = invoke.end_position > sent;
      const bool unread = reset && invoke.end_position == sent;
      if (unsent_tail || unread) ids.push_back(invoke.stream);
    }
    return ids;
  }

  Output write_out(SendBytes sender);
  void watch() { poll->start(UV_READABLE | (is_full() ? UV_WRITABLE : 0)); }
};

Channels::Channels(Loop& loop, ChannelEvents& events, SendBytes sender)
    : loop_(loop), events_(events), send_(sender), retry_timer_(loop, [this] { retry(); }) {}
Channels::~Channels() = default;

void Channels::open(PodId pod, UniqueFd fd) {
  auto channel = std::make_unique<Channel>();
  channel->pod = pod;
  channel->fd = std::move(fd);
  channel->poll = std::make_unique<Poll>(
      loop_, channel->fd.get(),
      [this, pod](int status, int events) { on_ready(pod, status, events); });
  channel->watch();
  CHECK(channels_.emplace(pod, std::move(channel)).second);
}

void Channels::close(PodId pod) {
  channels_.erase(pod);
}

Channels::Channel* Channels::find(PodId pod) const {
  const auto it = channels_.find(pod);
  return it == channels_.end() ? nullptr : it->second.get();
}

void Channels::touched(Channel& channel) {
  if (channel.dirty) return;
  channel.dirty = true;
  if (dirty_.empty()) loop_.defer([this] { flush_all(); });
  dirty_.push_back(channel.pod);
}

const protocol::Streams* Channels::streams(PodId pod) const {
  const Channel* channel = find(pod);
  return channel ? &channel->streams : nullptr;
}

Status Channels::send(PodId pod, FrameType type, std::uint32_t stream,
                      const google::protobuf::MessageLite& head, std::string_view body, bool end) {
  Channel* channel = find(pod);
  if (channel == nullptr) return ok();
  const std::uint64_t begin = channel->appended();
  RETURN_IF_ERROR(protocol::append_frame(channel->out, type, stream, head, body, end));
  channel->streams.sent(header_of(type, stream, body.size(), end));
  if (type == FrameType::kInvoke) channel->note_invoke(stream, channel->appended() - begin);
  touched(*channel);
  return ok();
}

void Channels::append(Channel& channel, FrameType type, std::uint32_t stream, std::string_view body,
                      bool end) {
  protocol::append_frame(channel.out, type, stream, body, end);
  channel.streams.sent(header_of(type, stream, body.size(), end));
  touched(channel);
}

std::size_t Channels::body_room(PodId pod, std::uint32_t stream, std::size_t bytes) {
  Channel* channel = find(pod);
  if (channel == nullptr) return 0;
  bytes = std::min<std::size_t>(bytes, channel->streams.credit_bytes(stream));
  if (channel->room() >= bytes) return bytes;
  channel->stall(stream);
  return channel->room();
}

void Channels::send_body(PodId pod, std::uint32_t stream, std::string_view body, bool end) {
  Channel* channel = find(pod);
  if (channel == nullptr) return;
  do {
    const std::string_view part = body.substr(0, protocol::kBodyBytesMax);
    body.remove_prefix(part.size());
    append(*channel, FrameType::kBody, stream, part, end && body.empty());
  } while (!body.empty());
}

void Channels::send_cancel(PodId pod, std::uint32_t stream, protocol::Cancel::Reason reason) {
  const Channel* channel = find(pod);
  if (channel == nullptr) return;
  if (!channel->streams.may_send(header_of(FrameType::kCancel, stream, 0, false))) return;
  protocol::Cancel head;
  head.set_reason(reason);
  CHECK(send(pod, FrameType::kCancel, stream, head));
}

void Channels::send_drain(PodId pod) {
  if (Channel* channel = find(pod)) append(*channel, FrameType::kDrain, 0, {}, false);
}

Status Channels::send_connected(PodId pod, std::uint32_t stream, UniqueFd fd) {
  Channel* channel = find(pod);
  if (channel == nullptr) return ok();
  // Many may come within one turn: what the kernel takes does not wait for its end.
  if (channel->passengers.size() >= kPassengersMax) flush(*channel);
  if (channel->passengers.size() >= kPassengersMax) {
    return fail(ErrorCode::kResourceExhausted, "connect: too many connections wait to be taken");
  }
  channel->passengers.push_back({channel->appended(), std::move(fd)});
  return send(pod, FrameType::kConnected, stream, protocol::Connected(), {}, true);
}

Status Channels::send_config(PodId pod, const protocol::Config& config, UniqueFd values) {
  Channel* channel = find(pod);
  if (channel == nullptr) return ok();
  channel->passengers.push_back({channel->appended(), std::move(values)});
  return send(pod, FrameType::kConfig, 0, config);
}

void Channels::consumed(PodId pod, std::uint32_t stream, std::size_t bytes) {
  Channel* channel = find(pod);
  if (channel == nullptr) return;
  const std::uint32_t announce = channel->streams.consumed(stream, bytes);
  if (announce == 0) return;
  protocol::Window head;
  head.set_bytes(announce);
  CHECK(send(pod, FrameType::kWindow, stream, head));
}

void Channels::flush_all() {
  std::vector<PodId> dirty;
  dirty.swap(dirty_);
  for (const PodId pod : dirty) {
    if (Channel* channel = find(pod)) {
      channel->dirty = false;
      flush(*channel);
      end_if_hopeless(*channel);
      wake_stalled(pod);
    }
  }
}

Channels::Channel::Output Channels::Channel::output_after(int send_errno) {
  switch (send_errno) {
    case EAGAIN:
      return Output::kFull;
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS:  // descriptors in flight, unix(7)
      return Output::kShort;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return Output::kPeerGone;
    default:
      return Output::kBroken;
  }
}

// Sends until all is sent or the kernel takes no more.
Channels::Channel::Output Channels::Channel::write_out(SendBytes sender) {
  Output result = Output::kFlowing;
  while (unsent() > 0) {
    auto next = passengers.begin();
    const bool travels = next != passengers.end() && next->position == sent;
    const int passenger = travels ? (next++)->fd.get() : -1;
    std::size_t size = unsent();  // up to the next one, which goes with its own first byte
    if (next != passengers.end()) size = std::min<std::size_t>(size, next->position - sent);
    const ssize_t n = sender(fd.get(), out.data() + out_begin, size, passenger);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      result = output_after(errno);
      break;
    }
    if (passenger >= 0) passengers.pop_front();
    sent += static_cast<std::uint64_t>(n);
    out_begin += static_cast<std::size_t>(n);
  }
  if (unsent() == 0 || out_begin > kReadBytes) {
    out.erase(0, out_begin);
    out_begin = 0;
  }
  return result;
}

void Channels::flush(Channel& channel) {
  if (channel.output == Channel::Output::kFlowing) write(channel);
}

void Channels::write(Channel& channel) {
  const bool was_full = channel.is_full();
  channel.output = channel.write_out(send_);
  if (channel.is_full() != was_full) channel.watch();
  if (channel.output != Channel::Output::kShort) return;
  short_.push_back(channel.pod);
  if (!retry_timer_.active()) retry_timer_.start(kRetryDelay);
}

void Channels::retry() {
  for (const PodId pod : std::exchange(short_, {})) {
    Channel* channel = find(pod);
    if (channel == nullptr || channel->output != Channel::Output::kShort) continue;
    channel->output = Channel::Output::kFlowing;
    touched(*channel);
  }
}

// In turn: who still has more to send than there is room goes to the end of the line.
void Channels::wake_stalled(PodId pod) {
  Channel* channel = find(pod);
  if (channel == nullptr || channel->unsent() > kBodyUnsentBytesMax / 2) return;
  for (std::size_t left = channel->stalled.size(); left > 0 && channel->room() > 0; --left) {
    const std::uint32_t stream = channel->stalled.front();
    channel->stalled.pop_front();
    events_.on_window(pod, stream);
    if (find(pod) != channel) return;
  }
}

// It cannot be written to, or the pod never reads.
void Channels::end_if_hopeless(const Channel& channel) {
  if (channel.output == Channel::Output::kBroken) {
    return end(channel.pod, {false, {}, channel.untaken(false)});
  }
  if (channel.unsent() <= kUnsentBytesMax) return;
  if (channel.unsent_by_its_fault() <= kUnsentBytesMax) return;
  const Error error{ErrorCode::kProtocol, "write channel: the pod does not read its answers", 0};
  end(channel.pod, {true, error, {}});
}

void Channels::on_ready(PodId pod, int status, int events) {
  Channel* channel = find(pod);
  if (channel == nullptr) return;
  // The pod closed with something unread: libuv watches no more after POLLERR, but the ECONNRESET
  // stands behind what the pod wrote, and may take several reads.
  if (status < 0) channel->watch();
  if ((events & UV_WRITABLE) && channel->is_full()) {
    write(*channel);
    end_if_hopeless(*channel);
    wake_stalled(pod);
    channel = find(pod);
  }
  for (int i = 0; channel != nullptr && i < kReadsPerTurnMax; ++i) {
    if (!read_some(*channel)) return;
    channel = find(pod);
  }
}

// True when there may be more to read. After false the channel may be gone.
bool Channels::read_some(Channel& channel) {
  const std::span<char> room = channel.parser.prepare(kReadBytes);
  const ssize_t n = ::read(channel.fd.get(), room.data(), room.size());
  if (n > 0) {
    channel.parser.commit(static_cast<std::size_t>(n));
    return deliver(channel) && static_cast<std::size_t>(n) == room.size();
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  const bool reset = n < 0 && errno == ECONNRESET;
  end(channel.pod, {false, {}, channel.untaken(reset)});
  return false;
}

bool Channels::deliver(Channel& channel) {
  const PodId pod = channel.pod;
  while (true) {
    auto frame = channel.parser.next();
    Error error;
    if (!frame) {
      error = std::move(frame).error();
    } else if (!frame->has_value()) {
      return true;
    } else {
      auto status = on_frame(channel, **frame);
      if (find(pod) != &channel) return false;  // closed by the callback
      if (status) continue;
      error = std::move(status).error();
    }
    end(pod, {true, std::move(error), {}});
    return false;
  }
}

Status Channels::on_frame(Channel& channel, const protocol::Frame& frame) {
  ASSIGN_OR_RETURN(const auto verdict, channel.streams.receive(frame.header));
  if (frame.end() || frame.header.type == FrameType::kCancel) {
    channel.drop_invoke(frame.header.stream);
  }
  if (verdict == protocol::Streams::Verdict::kIgnore) {
    if (frame.end()) events_.on_late_end(channel.pod, frame.header.stream);
    return ok();
  }
  if (frame.header.type != FrameType::kWindow) return events_.on_frame(channel.pod, frame);
  protocol::Window head;
  RETURN_IF_ERROR(protocol::parse_head(frame, head));
  RETURN_IF_ERROR(channel.streams.granted(frame.header.stream, head.bytes()));
  events_.on_window(channel.pod, frame.header.stream);
  return ok();
}

void Channels::end(PodId pod, ChannelEnd end) {
  channels_.erase(pod);
  events_.on_channel_end(pod, end);
}

}  // namespace subito::pods
